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
    category by the mean label (of classes: the share of positives) that its level had in the older half. Of several
    classes, the one counts that it tells best from all others.

    Args:
        rows: all rows.
        which: numbers of those that are checked, ascending.

    Returns:
        Column -> ROC AUC of classes, Spearman's rank correlation of amounts, in the order of the features; empty where
        there are too few rows.
    """
    examples = rows.examples(which)
    weight = None if examples.weight is None else examples.weight[len(which) // 2 :]
    outcomes = [examples.label == code for code in range(len(rows.classes))] or [examples.label]
    strengths = {}
    for column in rows.columns:
        values = to_frame(examples.table, [column])[column.name]
        strengths[column.name] = max(_strength(values, column.type == "number", label, weight) for label in outcomes)
    return {name: strength for name, strength in strengths.items() if strength >= SUSPECT}


def _strength(values: "pd.Series[Any]", is_number: bool, label: npt.NDArray[Any], weight: Values | None) -> float:  # noqa: FBT001
    """How well a column orders the newer half of the labels."""
    half = len(label) // 2
    newer, ordered = label[half:], _dense_ranks(values[half:]) if is_number else _means(values, label, half)
    return _area(newer, ordered, weight) if newer.dtype == np.bool_ else _correlation(newer, ordered)


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
