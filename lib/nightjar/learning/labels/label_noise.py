"""Labels that are probably wrong: those that out-of-fold predictions contradict with confidence."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from nightjar.errors import LearningError
from nightjar.evaluation.binary import check_outcomes
from nightjar.evaluation.multiclass import check_class_probabilities
from nightjar.evaluation.rows import RowNumbers


def suspects(label: npt.ArrayLike, probability: npt.ArrayLike, classes: Sequence[str] = ()) -> pa.Table:
    """Rows whose label is suspect, the most suspect first.

    A class's threshold is the mean probability of the class predicted for the rows labelled so. A row is suspect where
    its own class is predicted below that class's threshold, and another class at or above its own; of several such the
    most probable one is suggested. By thresholds per class, neither a rare class nor an uncalibrated model makes rows
    suspect. The margin is the probability of the suggested class minus that of the observed one, in (-1, 1]; ties are
    in the order of rows.

    Source: Northcutt, Jiang and Chuang (2021), Confident learning, Journal of Artificial Intelligence Research 70.

    Args:
        label: the observed labels, True or False (or 1 and 0); or the numbers of the classes.
        probability: of True, or of each of the classes, (rows, classes), each predicted by a model that was not fitted
            on the row: out of fold. NaN where there is no such prediction; those rows are left out.
        classes: the values of several classes.

    Returns:
        Columns `row` (its number), `label`, `probability` (of True, or of the suggested class) and `margin`; of several
        classes also `suggested`.

    Raises:
        LearningError: lengths differ, a probability is outside [0, 1], or the rows with a prediction are all of one
            class.
    """
    predicted, observed = np.asarray(probability, dtype=np.float64), np.asarray(label)
    if predicted.shape != (*observed.shape, *([len(classes)] if classes else [])):
        raise LearningError(f"{predicted.shape} predictions for {observed.shape} labels: each row needs one, or NaN.")
    rows = np.flatnonzero(~np.isnan(predicted.reshape(len(predicted), -1)).any(axis=1))
    if classes:
        codes, probabilities = check_class_probabilities(observed[rows], predicted[rows])
        names: npt.NDArray[Any] = np.array(classes)
    else:
        labels, of_true = check_outcomes(observed[rows], predicted[rows])
        _check_range(of_true)
        codes, probabilities = labels.astype(np.intp), np.column_stack([1 - of_true, of_true])
        names = np.array([False, True])
    _check_varied(names[codes])
    suspect, suggested = _contradicted(codes, probabilities)
    other = probabilities[suspect, suggested]
    margin = other - probabilities[suspect, codes[suspect]]
    ranked = np.argsort(-margin, kind="stable")
    columns = {
        "row": rows[suspect],
        "label": names[codes[suspect]],
        "probability": other if classes else probabilities[suspect, 1],
        "margin": margin,
        **({"suggested": names[suggested]} if classes else {}),
    }
    return pa.table({name: pa.array(values[ranked]) for name, values in columns.items()})


def _contradicted(codes: RowNumbers, probabilities: npt.NDArray[np.float64]) -> tuple[RowNumbers, RowNumbers]:
    """The numbers of suspect rows, and the class that is suggested for each."""
    every, classes = np.arange(len(codes)), np.arange(probabilities.shape[1])
    own = probabilities[every, codes]
    with_rows = np.isin(classes, codes)
    threshold = np.array(
        [own[codes == code].mean() if some else np.inf for code, some in zip(classes, with_rows, strict=True)]
    )
    likely = np.where((probabilities >= threshold) & (classes != codes[:, None]), probabilities, -np.inf)
    suggested = likely.argmax(axis=1)
    suspect = np.flatnonzero((own < threshold[codes]) & (likely[every, suggested] > -np.inf))
    return suspect, suggested[suspect]


def _check_range(of_true: npt.NDArray[np.float64]) -> None:
    outside = of_true[(of_true < 0) | (of_true > 1)]
    if len(outside):
        raise LearningError(f"A probability is {outside[0]}, expected 0 to 1: give probabilities, not margins.")


def _check_varied(labels: npt.NDArray[Any]) -> None:
    if len(labels) == 0 or (labels == labels[0]).all():
        description = f"all labelled {labels[0]}" if len(labels) else "none"
        raise LearningError(
            f"Of {len(labels)} rows with an out-of-fold prediction, {description}: two classes are needed."
        )
