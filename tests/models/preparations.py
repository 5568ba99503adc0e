"""Every kind of preparation, and training rows with everything that real ones have."""

import numpy as np
import pandas as pd

from nightjar.models.columns import FeatureColumn
from nightjar.settings.columns import (
    Bins,
    Category,
    ColumnPreparation,
    Encoding,
    FeatureType,
    Grams,
    Missing,
    MissingLevel,
    Number,
    Scale,
    Shape,
    Text,
    Weighting,
)
from nightjar.settings.preparation import Maker, MakerKind, Preparation, Selection, SelectionKind

FEATURES = (
    FeatureColumn("delay", "number"),
    FeatureColumn("seats", "number"),
    FeatureColumn("empty", "number"),
    FeatureColumn("weekday", "number"),
    FeatureColumn("carrier", "category"),
    FeatureColumn("nothing", "category"),
    FeatureColumn("note", "category"),
    FeatureColumn("silence", "category"),
)
PLAIN = [one for one in Encoding if one is not Encoding.NATIVE]
KEEP, RANKS = {kind: {"keep": 3} for kind in SelectionKind}, ("MUTUAL_INFORMATION", "ANOVA", "RFE", "TREE_IMPORTANCE")


def frame_of(rows: int = 240, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    """Features with nulls, rare levels, an empty column of each type; a label that leans on some of them."""
    random = np.random.default_rng(seed)
    delay, seats = random.normal(0, 30, rows), random.integers(0, 300, rows).astype(float)
    carrier = random.choice(np.array(["AA", "DL", "UA", np.nan], dtype=object), rows, p=[0.5, 0.3, 0.1, 0.1])
    note = random.choice(np.array(["late crew", "Late plane", "on time", "", np.nan], dtype=object), rows)
    columns = {
        "delay": np.where(random.random(rows) < 0.2, np.nan, delay),
        "seats": seats,
        "empty": np.full(rows, np.nan),
        "weekday": random.integers(0, 7, rows).astype(float),
        "carrier": carrier,
        "nothing": np.full(rows, np.nan, dtype=object),
        "note": note,
        "silence": np.full(rows, np.nan, dtype=object),
    }
    return pd.DataFrame(columns), random.random(rows) < 1 / (1 + np.exp(-delay / 30 - (carrier == "UA")))


def preparation_of(**fields) -> Preparation:
    """Settings under which `note` and `silence` are texts and `weekday` is a category."""
    columns = {"note": ColumnPreparation(FeatureType.TEXT), "silence": ColumnPreparation(FeatureType.TEXT)}
    return Preparation(**{"columns": columns | {"weekday": ColumnPreparation(FeatureType.CATEGORY)}} | fields)


def numbers(**fields) -> Preparation:
    return preparation_of(number=Number(**fields))


def selection(kind: str, **fields) -> Preparation:
    return preparation_of(number=Number(scale=Scale.MIN_MAX), select=[Selection(SelectionKind[kind], **fields)])


PREPARATIONS = {
    "default": Preparation(),
    "types": preparation_of(),
    **{f"missing_{one.value}": numbers(missing=one) for one in Missing if one is not Missing.KEEP},
    "missing_constant_7": numbers(missing=Missing.CONSTANT, constant=7.0, indicator=False),
    **{f"scale_{one.value}": numbers(scale=one) for one in Scale},
    "knn_unscaled": numbers(missing=Missing.KNN, scale=Scale.NONE, neighbours=1000),
    **{f"shape_{one.value}": numbers(shape=one) for one in Shape if one is not Shape.LOG},
    "shape_log": preparation_of(columns={"seats": ColumnPreparation(number=Number(shape=Shape.LOG))}),
    "winsorised": numbers(winsorise=0.05),
    "winsorised_power": numbers(winsorise=0.05, shape=Shape.POWER, missing=Missing.KNN),
    "bins_quantile": numbers(bins=Bins.QUANTILE, bin_count=4),
    "bins_uniform": numbers(bins=Bins.UNIFORM, missing=Missing.MEDIAN),
    "bins_edges": numbers(bins=Bins.EDGES, edges=[0.0, 100.0]),
    **{f"encoding_{one.value}": preparation_of(category=Category(one)) for one in PLAIN},
    **{f"level_{one.value}": preparation_of(category=Category(missing=one)) for one in MissingLevel},
    "rare_ordinal": preparation_of(category=Category(Encoding.ORDINAL, min_frequency=40, max_categories=3)),
    "text_hashing": preparation_of(text=Text(Weighting.HASHING, terms=16)),
    "text_characters": preparation_of(text=Text(grams=Grams.CHARACTER, shortest=2, longest=3, terms=20)),
    "text_components": preparation_of(text=Text(longest=2, components=2)),
    "text_hashed_components": preparation_of(text=Text(Weighting.HASHING, terms=5000, components=2)),
    **{f"make_{one.value}": preparation_of(make=[Maker(one, 3)]) for one in MakerKind},
    "make_all": preparation_of(make=[Maker(one, 3) for one in MakerKind]),
    **{f"select_{kind.lower()}": selection(kind) for kind in ("VARIANCE", "CORRELATION", "VIF", "L1")},
    **{f"select_{kind.lower()}": selection(kind, keep=3) for kind in RANKS},
    "select_chi_squared": Preparation(
        number=Number(scale=Scale.MIN_MAX, indicator=False), select=[Selection(SelectionKind.CHI_SQUARED, keep=3)]
    ),
    "select_twice": preparation_of(
        select=[Selection(SelectionKind.VARIANCE), Selection(SelectionKind.TREE_IMPORTANCE, keep=4)]
    ),
    "components": preparation_of(components=3),
}
