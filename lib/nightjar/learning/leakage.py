"""Features that may leak the label: by themselves they predict it nearly without error."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from nightjar.evaluation.binary import roc_auc
from nightjar.evaluation.rows import RowNumbers, Undefined
from nightjar.learning.data.training_set import TrainingSet
from nightjar.models.columns import to_frame

SUSPECT = 0.95
"""ROC AUC of one column, or its rank correlation with amounts, from which it is suspect."""
FEWEST = 10
"""The least rows of each class to measure it on, or half the rows of amounts: fewer can be in order by chance."""
Values = npt.NDArray[np.float64]


def suspect_features(rows: TrainingSet, which: RowNumbers) -> dict[str, float]:
    """The features that order the labels nearly without error, and how well each does, in either direction.

    Each is measured by itself on the newer half of the rows: a number by its size, a null below all others, and a
    category by the mean label (of classes: the share of positives) that its level had in the older half.

    Args:
        rows: all rows.
        which: numbers of those that are checked, ascending.

    Returns:
        Column -> ROC AUC of classes, Spearman's rank correlation of amounts, in the order of the features; empty where
        there are too few rows.
    """
    examples = rows.examples(which)
    half = len(which) // 2
    newer = examples.label[half:]
    weight = None if examples.weight is None else examples.weight[half:]
    strengths = {}
    for column in rows.columns:
        values = to_frame(examples.table, [column])[column.name]
        ordered = _dense_ranks(values[half:]) if column.type == "number" else _means(values, examples.label, half)
        classes = newer.dtype == np.bool_
        strengths[column.name] = _area(newer, ordered, weight) if classes else _correlation(newer, ordered)
    return {name: strength for name, strength in strengths.items() if strength >= SUSPECT}


def _area(label: npt.NDArray[np.bool_], values: Values, weight: Values | None) -> float:
    if min(label.sum(), (~label).sum()) < FEWEST:
        return 0.0
    area = roc_auc(label, values, weight)
    return 0.0 if isinstance(area, Undefined) else max(area, 1 - area)


def _correlation(label: Values, values: Values) -> float:
    if len(label) < 2 * FEWEST or len(np.unique(values)) == 1 or len(np.unique(label)) == 1:
        return 0.0
    return abs(float(np.corrcoef(pd.Series(label).rank(), pd.Series(values).rank())[0, 1]))


def _dense_ranks(values: "pd.Series[float]") -> Values:
    """Numbers with the same order and ties, nulls first."""
    return np.asarray(values.rank(method="dense", na_option="top"), dtype=np.float64)


def _means(levels: "pd.Series[str]", label: npt.NDArray[Any], half: int) -> Values:
    """Of the rows from `half` on; a level that is new has the mean of all."""
    older = pd.Series(label[:half].astype(np.float64))
    means = older.groupby(levels[:half], dropna=False).mean()
    return np.asarray(levels[half:].map(means).fillna(older.mean()), dtype=np.float64)
