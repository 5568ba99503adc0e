"""What settings of the preparation refuse, and that a configuration can name all of them."""

import pytest

from nightjar.settings.columns import (
    Bins,
    Category,
    ColumnPreparation,
    Encoding,
    FeatureType,
    Missing,
    Number,
    Scale,
    Text,
    Weighting,
)
from nightjar.settings.filling import plain
from nightjar.settings.preparation import (
    Imbalance,
    ImbalanceKind,
    Maker,
    MakerKind,
    Preparation,
    Selection,
    SelectionKind,
)


@pytest.mark.parametrize(
    ("made", "fields", "message"),
    [
        (Number, {"winsorise": 0.5}, r"winsorise: found 0\.5, expected less than 0\.5"),
        (Number, {"neighbours": 0}, "neighbours: found 0"),
        (Number, {"bins": Bins.UNIFORM, "bin_count": 1}, "bin_count: found 1"),
        (Number, {"bins": Bins.EDGES}, r"edges: found \[\], expected ascending inner edges"),
        (Number, {"bins": Bins.EDGES, "edges": [1.0, 1.0]}, "edges: .* expected ascending inner edges"),
        (Number, {"edges": [1.0]}, "edges: .* none otherwise"),
        (Number, {"bins": Bins.UNIFORM, "scale": Scale.ROBUST}, "scale: .* expected none with bins"),
        (Number, {"bins": Bins.UNIFORM, "missing": Missing.KNN}, "missing: .* with bins"),
        (Category, {"encoding": Encoding.TARGET, "min_frequency": 5}, "min_frequency: found 5, .* only one_hot and"),
        (Category, {"max_categories": 1}, "max_categories: found 1, expected at least 2"),
        (Category, {"pseudo_count": -1.0}, "pseudo_count"),
        (Category, {"buckets": 1}, "buckets"),
        (Text, {"shortest": 3}, r"shortest: found 3, expected 1 to longest \(1\)"),
        (Text, {"terms": 5000}, "terms: found 5000, expected 1 to 4096; give components to use more"),
        (Text, {"terms": 5, "components": 6}, "components: found 6, expected 1 to 5"),
        (ColumnPreparation, {}, "type: found None, expected a type, or settings of one"),
        (ColumnPreparation, {"number": Number(), "text": Text()}, r"type: found \['number', 'text'\], .* one type"),
        (ColumnPreparation, {"type": FeatureType.TEXT, "number": Number()}, r"type: .* the settings, \['number'\]"),
        (Selection, {"kind": SelectionKind.RFE}, "keep: found None, expected at least 1"),
        (Selection, {"kind": SelectionKind.VIF, "keep": 3}, "keep: found 3, expected none"),
        (Selection, {"kind": SelectionKind.RFE, "keep": 3, "threshold": 1.0}, r"threshold: found 1\.0"),
        (Selection, {"kind": SelectionKind.L1, "penalty": 0.0}, "penalty"),
        (Maker, {"kind": MakerKind.CLUSTER, "count": 1}, "count"),
        (Preparation, {"components": 0}, "components"),
        (Preparation, {"make": [Maker(MakerKind.CLUSTER)] * 2}, r"make: found \['cluster', 'cluster'\]"),
        (Imbalance, {"ratio": 0.0}, "ratio"),
        (Imbalance, {"neighbours": 0}, "neighbours"),
    ],
)
def test_values_that_make_no_sense_are_refused(made, fields, message):
    with pytest.raises(ValueError, match=message):
        made(**fields)


def test_a_configuration_names_them_by_their_keys():
    """Words in any case, lists of mappings, own settings of columns that are none by default."""
    written = {
        "number": {"missing": "knn", "scale": "ROBUST"},
        "columns": {"note": {"text": {"weighting": "hashing"}}, "gate": {"type": "Category"}},
        "make": [{"kind": "cluster", "count": 3}],
        "select": [{"kind": "variance"}, {"kind": "RFE", "keep": 5}],
    }
    read = Preparation(**written)
    assert plain(read)["number"]["scale"] == "robust"
    assert read == Preparation(
        number=Number(missing=Missing.KNN, scale=Scale.ROBUST),
        columns={
            "note": ColumnPreparation(text=Text(Weighting.HASHING)),
            "gate": ColumnPreparation(FeatureType.CATEGORY),
        },
        make=[Maker(MakerKind.CLUSTER, 3)],
        select=[Selection(SelectionKind.VARIANCE), Selection(SelectionKind.RFE, keep=5)],
    )
    assert Imbalance("smote") == Imbalance(ImbalanceKind.SMOTE)
