"""Features that tell the label by themselves: few that were known at the prediction time do."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from nightjar.evaluation.metrics import roc_auc
from nightjar.learning.rows import TrainingRows
from nightjar.models.columns import to_frame
from nightjar.models.examples import Rows

SUSPECT = 0.95
"""ROC AUC of one column from which it is asked about."""
FEWEST = 10
"""Rows of each class that it is measured on: a few positives can be above all others by chance."""


def suspect_features(rows: TrainingRows, which: Rows) -> dict[str, float]:
    """The features that tell the classes apart nearly without error, and how well each does, in either direction.

    Each is measured by itself on the newer half of the rows: a number by its size, a null below all others, and a
    category by the share of positives that its level had in the older half.

    Args:
        rows: of a classification.
        which: numbers of those that are looked at, ascending.

    Returns:
        Column -> ROC AUC, in the order of the features; empty where a class is too rare to tell.
    """
    examples = rows.examples(which)
    half = len(which) // 2
    newer = examples.label[half:]
    if min(newer.sum(), (~newer).sum()) < FEWEST:
        return {}
    weight = None if examples.weight is None else examples.weight[half:]
    areas = {}
    for column in rows.columns:
        values = to_frame(examples.table, [column])[column.name]
        number = column.type == "number"
        area = roc_auc(newer, _ranked(values[half:]) if number else _rates(values, examples.label, half), weight)
        if area is not None:
            areas[column.name] = max(area, 1 - area)
    return {name: area for name, area in areas.items() if area >= SUSPECT}


def _ranked(values: "pd.Series[float]") -> npt.NDArray[np.float64]:
    """Numbers with the same order and ties, nulls first."""
    return np.asarray(values.rank(method="dense", na_option="top"), dtype=np.float64)


def _rates(levels: "pd.Series[str]", label: npt.NDArray[np.bool_], half: int) -> npt.NDArray[np.float64]:
    """Of the rows from `half` on; a level that is new has the share of all."""
    older = pd.Series(label[:half].astype(np.float64))
    rates = older.groupby(levels[:half], dropna=False).mean()
    return np.asarray(levels[half:].map(rates).fillna(older.mean()), dtype=np.float64)
