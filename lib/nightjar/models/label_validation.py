"""Checks and conversions of the labels, weights and lists of training rows."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from nightjar.errors import LearningError
from nightjar.models.examples import Examples
from nightjar.settings.task import Task

Floats = npt.NDArray[np.float64]


def check_examples(examples: Examples, task: Task) -> Examples:
    """The same rows, with labels as booleans (classification), int64 (several classes) or float64; weights as float64.

    Raises:
        LearningError: no rows; labels that are missing, of another kind than the task's, or all alike; weights that are
            missing or below 0, or all 0 in a class; no lists to rank within.
    """
    rows = examples.table.num_rows
    if rows == 0:
        raise LearningError("There are no training rows.")
    for name, values in (("label", examples.label), ("weight", examples.weight), ("query", examples.query)):
        if values is not None and values.shape != (rows,):
            raise LearningError(f"{name} is of shape {values.shape}: expected one for each of the {rows} rows.")
    weight = None if examples.weight is None else _weight(examples.weight)
    if task is Task.CLASSIFICATION:
        return replace(examples, label=_classes(examples.label, weight), weight=weight)
    if task is Task.MULTICLASS:
        return replace(examples, label=_codes(examples.label, examples.classes, weight), weight=weight)
    if task is Task.RANKING and examples.query is None:
        raise LearningError("A ranking needs `query`, the number of the list that each row belongs to: found none.")
    return replace(examples, label=_amounts(examples.label, task), weight=weight)


def _classes(label: npt.NDArray[Any], weight: Floats | None) -> npt.NDArray[np.bool_]:
    values = pd.unique(label)
    if not all(value in (False, True) for value in values):
        raise LearningError(f"Labels are booleans, or 0 and 1: found {list(values[:5])}.")
    classes = label.astype(np.bool_)
    if classes.all() or not classes.any():
        raise LearningError(
            f"All {len(label)} training rows have the label {bool(label[0])}: there is nothing to learn."
        )
    for value in (False, True):
        if weight is not None and not weight[classes == value].any():
            raise LearningError(f"All rows with the label {value} have weight 0: there is nothing to learn.")
    return classes


def _codes(label: npt.NDArray[Any], classes: Sequence[str], weight: Floats | None) -> npt.NDArray[np.int64]:
    present = pd.unique(label)
    if label.dtype.kind not in "iu" or not np.isin(present, np.arange(len(classes))).all():
        raise LearningError(f"Labels are numbers of the {len(classes)} classes, from 0: found {list(present[:5])}.")
    if len(present) == 1:
        raise LearningError(
            f"All {len(label)} training rows have the label {classes[present[0]]}: there is nothing to learn."
        )
    for code in present:
        if weight is not None and not weight[label == code].any():
            raise LearningError(f"All rows with the label {classes[code]} have weight 0: there is nothing to learn.")
    return label.astype(np.int64)


def _amounts(label: npt.NDArray[Any], task: Task) -> Floats:
    try:
        amounts = np.asarray(label, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise LearningError(f"Labels of a {task.value} are numbers: found {list(label[:5])} ({error}).") from error
    strange = amounts[~np.isfinite(amounts)]
    if len(strange):
        raise LearningError(f"Labels of a {task.value} are finite: found {strange[0]} in {len(strange)} rows.")
    if task is Task.RANKING and (amounts < 0).any():
        raise LearningError(f"Labels of a ranking are relevances of 0 or more: found {amounts.min()}.")
    if (amounts == amounts[0]).all():
        raise LearningError(f"All {len(label)} training rows have the label {amounts[0]}: there is nothing to learn.")
    return amounts


def _weight(weight: npt.NDArray[Any]) -> Floats:
    weights = np.asarray(weight, dtype=np.float64)
    strange = weights[~(np.isfinite(weights) & (weights >= 0))]
    if len(strange):
        raise LearningError(f"Weights are finite and 0 or more: found {strange[0]} in {len(strange)} rows.")
    if not weights.any():
        raise LearningError(f"All {len(weights)} training rows have weight 0: there is nothing to learn.")
    return weights
