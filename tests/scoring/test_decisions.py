"""What is decided about rows: tiers by thresholds and amounts, and which rows nobody should act on by score alone."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

import builders
from nightjar.errors import TableError
from nightjar.evaluation.conformal import ClassLimit, ConformalSets
from nightjar.models.ensembles.calibration import Isotonic, Platt
from nightjar.models.examples import Examples
from nightjar.models.fitting import fit
from nightjar.registry.ranges import ranges_of
from nightjar.registry.tiers import GroupThreshold, TierThreshold
from nightjar.scoring.chain import with_tier
from nightjar.scoring.decisions import decision_columns, predict_both, spread_of
from nightjar.settings.model import Estimator, Model
from nightjar.settings.serving.abstention import Abstention
from nightjar.settings.serving.serving import Serving
from nightjar.settings.tiers import Tier, TierKind
from registry.made import ABOUT, FEATURES, ROWS, fit_small

ACT = TierThreshold("act", 0.6, ("sex",), (GroupThreshold(("F",), 0.4),), 0.6)
REVIEW = TierThreshold("review", 0.2)
SETS = ConformalSets(0.1, (ClassLimit("False", 90, 0.25), ClassLimit("True", 20, 0.7)))
KNOWN = replace(ABOUT, thresholds=(REVIEW,), features=FEATURES, ranges=ranges_of(ROWS, FEATURES), sets=SETS)


def project(tmp_path, **abstention):
    plain = replace(builders.machines(tmp_path), tiers={"review": Tier(TierKind.TOP, at_most=9)})
    return replace(plain, serving=Serving(abstention=Abstention(**abstention)))


def decide(of, scores, rows, manifest, predictor=None, raw=None):
    columns = decision_columns(np.array(scores), raw, rows, predictor or fit_small(), manifest, of)
    return {name: values.to_pylist() for name, values in columns.items()}


def test_each_row_has_the_first_tier_whose_threshold_of_its_group_it_reaches(tmp_path):
    rows = pa.table({"sex": ["F", "M", None, "M"]})
    manifest = replace(ABOUT, thresholds=(ACT, REVIEW))
    columns = decide(project(tmp_path), [0.5, 0.5, 0.7, 0.1], rows, manifest)
    assert columns == {"tier": ["act", "review", "act", None]}
    without = decide(project(tmp_path), [0.5, 0.7], rows.slice(0, 2), ABOUT)
    assert without == {"tier": [None, None]}  # of a model without thresholds, such as a stand-in
    assert decide(builders.machines(tmp_path), [0.5, 0.7], rows.slice(0, 2), manifest) == {}


def test_by_amounts_each_row_has_a_threshold_of_its_own(tmp_path):
    """Refusing costs 10; not refusing costs the loss, so that a loan of a greater loss is refused at a lower score."""
    manifest = replace(ABOUT, thresholds=(TierThreshold("reject", 0.5, prices=("loss", 10.0)), REVIEW))
    rows = pa.table({"loss": pa.array([90, 90, 10, 10, 0], pa.int64())})
    columns = decide(project(tmp_path), [0.1, 0.11, 0.5, 0.6, 1.0], rows, manifest)
    assert columns["tier"] == [None, "reject", "review", "reject", "review"]


@pytest.mark.parametrize(
    ("amount", "shown"), [(None, "null or NaN"), (float("nan"), "null or NaN"), (-1.0, "-1"), (float("inf"), "inf")]
)
def test_an_amount_that_is_none_is_refused(tmp_path, amount, shown):
    manifest = replace(ABOUT, thresholds=(TierThreshold("reject", 0.5, prices=("loss", 10.0)),))
    with pytest.raises(TableError, match=f"Column loss of table features holds {shown} in 1 of 2 rows: expected an am"):
        decide(project(tmp_path), [0.1, 0.2], pa.table({"loss": [5.0, amount]}), manifest)


def test_rows_abstain_that_have_what_no_training_row_had(tmp_path):
    """Training has loads from 0 to 16 and two sites, and none is missing."""
    rows = pa.table({"load": [8.0, 17.0, -0.5, None, 16.0], "site": ["north", "north", "east", None, "south"]})
    columns = decide(project(tmp_path, out_of_range=True), [0.5] * 5, rows, KNOWN)
    assert columns["abstained"] == [None, "out of range: load", "out of range: load, site", *columns["abstained"][3:]]
    assert columns["abstained"][3:] == ["out of range: load, site", None]
    assert columns["tier"] == ["review", "abstained", "abstained", "abstained", "review"]
    wider = decide(project(tmp_path, out_of_range=True, margin=0.1, tier="people"), [0.5] * 5, rows, KNOWN)
    assert wider["abstained"][:3] == [None, None, "out of range: site"]
    assert set(wider["tier"]) == {"review", "people"}
    unknown = decide(project(tmp_path, out_of_range=True), [0.5] * 5, rows, replace(KNOWN, ranges=()))
    assert set(unknown["abstained"]) == {"out of range: UNKNOWN"}


def test_rows_abstain_whose_set_has_not_one_class(tmp_path):
    columns = decide(project(tmp_path, error=0.1), [0.1, 0.26, 0.9], ROWS.slice(0, 3), KNOWN)
    assert columns["prediction_set"] == [["False"], [], ["True"]]
    assert columns["abstained"] == [None, "conformal set: {}", None]
    wide = replace(KNOWN, sets=replace(SETS, classes=(ClassLimit("False", 90, 0.5), SETS.classes[1])))
    columns = decide(project(tmp_path, error=0.1), [0.4], ROWS.slice(0, 1), wide)
    assert columns == {
        "abstained": ["conformal set: {False, True}"],
        "prediction_set": [["False", "True"]],
        "tier": ["abstained"],
    }


def test_sets_of_more_classes_than_a_number_has_bits_are_told_apart(tmp_path):
    names = tuple(f"c{one}" for one in range(70))
    scores = np.random.default_rng(0).dirichlet(np.full(70, 0.2), 300)
    sets = ConformalSets(0.1, tuple(ClassLimit(name, 90, 0.97) for name in names))
    manifest = replace(KNOWN, thresholds=(), classes=names, sets=sets)
    rows = pa.table({"load": np.zeros(300)})
    columns = decide(project(tmp_path, error=0.1), scores, rows, manifest)
    expected = [[name for name, own in zip(names, row, strict=True) if 1 - own <= 0.97] for row in scores]
    assert columns["prediction_set"] == expected
    assert len({tuple(one) for one in expected}) > 200


def test_where_sets_are_unknown_all_rows_abstain_and_no_set_is_stated(tmp_path):
    few = replace(KNOWN, sets=replace(SETS, classes=(SETS.classes[0], ClassLimit("True", 7, None))))
    columns = decide(project(tmp_path, error=0.1), [0.1, 0.9], ROWS.slice(0, 2), few)
    assert set(columns["abstained"]) == {"conformal set: UNKNOWN, True has 7 of 9 rows"}
    assert columns["prediction_set"] == [None, None]
    before = decide(project(tmp_path, error=0.1), [0.1, 0.9], ROWS.slice(0, 2), replace(KNOWN, sets=None))
    assert set(before["abstained"]) == {"conformal set: UNKNOWN"}


def test_rows_abstain_of_which_an_ensembles_members_think_differently(tmp_path):
    """Reasons of several kinds stand beside each other."""
    members = [fit_small(Estimator.LOGISTIC), fit_small(Estimator.MAJORITY)]
    ensemble = replace(fit_small(), members=tuple(members))
    spread = spread_of(ensemble, ROWS)
    assert spread == pytest.approx(np.abs(members[0].predict(ROWS) - members[1].predict(ROWS)) / 2)
    most = float(np.median(spread))
    columns = decide(project(tmp_path, spread=most, error=0.1), np.full(40, 0.26), ROWS, KNOWN, ensemble)
    assert [one == "unsure; conformal set: {}" for one in columns["abstained"]] == (spread > most).tolist()
    alone = decide(project(tmp_path, spread=most), np.full(40, 0.26), ROWS, KNOWN)
    assert set(alone["abstained"]) == {None}


@pytest.mark.parametrize("curve", [None, Platt(1.3, -0.2), Isotonic((0.1, 0.5, 0.9), (0.2, 0.2, 0.8))])
def test_rows_are_ranked_by_scores_before_calibration_and_served_with_those_after_it(curve):
    """To the last bit those that the predictor gives, plateaus of the curve included."""
    model = Model(estimator=Estimator.BOOSTING, parameters={"max_iter": 5, "min_samples_leaf": 5})
    predictor = replace(
        fit(model, Examples(ROWS, np.arange(40) % 17 > 8), features=FEATURES, seed=0), calibration=curve
    )
    ranked = replace(ABOUT, thresholds=(TierThreshold("review", 0.5, at_most=3),))
    scores, raw = predict_both(predictor, ROWS, ranked)
    assert np.array_equal(scores, predictor.predict(ROWS))
    assert np.array_equal(raw, replace(predictor, calibration=None).predict(ROWS))
    assert predict_both(predictor, ROWS, ABOUT)[1] is None


def test_no_row_of_a_rule_of_thumb_abstains_since_there_was_no_training(tmp_path):
    of = project(tmp_path, out_of_range=True, error=0.1)
    columns = decision_columns(
        np.full(2, 0.5), None, ROWS.slice(0, 2), fit_small(), replace(KNOWN, ranges=(), sets=None), of
    )
    assert columns["abstained"].null_count == 0
    make = with_tier(lambda _: iter([pa.table(columns)]), "review")
    (rows,) = make(iter(()))
    assert rows.to_pydict() == {"abstained": [None] * 2, "prediction_set": [None] * 2, "tier": ["review"] * 2}
    assert rows.schema == pa.table(columns).schema
    (rows,) = with_tier(lambda _: iter([pa.table(columns)]), None)(iter(()))
    assert set(rows["tier"].to_pylist()) == {None}
