"""Labels that are probably wrong: those that out-of-fold predictions contradict with confidence."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from nightjar.errors import LearningError
from nightjar.evaluation.binary import check_outcomes


def suspects(label: npt.ArrayLike, probability: npt.ArrayLike) -> pa.Table:
    """Rows whose label is suspect, the most suspect first.

    A class's threshold is the mean probability of the class predicted for the rows labelled so. A row is suspect where
    its own class is predicted below that class's threshold, and the other class at or above its own. By thresholds
    per class, neither a rare class nor an uncalibrated model makes rows suspect. The margin is the probability of the
    other class minus that of the observed one, in (-1, 1]; ties are in the order of rows.

    Source: Northcutt, Jiang and Chuang (2021), Confident learning, Journal of Artificial Intelligence Research 70.

    Args:
        label: the observed labels, True or False (or 1 and 0).
        probability: of True, each predicted by a model that was not fitted on the row: out of fold. NaN where there is
            no such prediction; those rows are left out.

    Returns:
        Columns `row` (its number), `label`, `probability` (of True) and `margin`.

    Raises:
        LearningError: lengths differ, a probability is outside [0, 1], or the rows with a prediction are all of one
            class.
    """
    predicted = np.asarray(probability, dtype=np.float64)
    observed = np.asarray(label)
    if predicted.shape != observed.shape:
        raise LearningError(f"{predicted.shape} predictions for {observed.shape} labels: each row needs one, or NaN.")
    rows = np.flatnonzero(~np.isnan(predicted))
    labels, of_true = check_outcomes(observed[rows], predicted[rows])
    _check(labels, of_true)
    own_probability, other_probability = np.where(labels, [of_true, 1 - of_true], [1 - of_true, of_true])
    threshold = {kind: own_probability[labels == kind].mean() for kind in (False, True)}
    own_threshold = np.where(labels, threshold[True], threshold[False])
    other_threshold = np.where(labels, threshold[False], threshold[True])
    suspect = np.flatnonzero((own_probability < own_threshold) & (other_probability >= other_threshold))
    margin = (other_probability - own_probability)[suspect]
    ranked = np.argsort(-margin, kind="stable")
    selected = suspect[ranked]
    columns = {
        "row": rows[selected],
        "label": labels[selected],
        "probability": of_true[selected],
        "margin": margin[ranked],
    }
    return pa.table({name: pa.array(values) for name, values in columns.items()})


def _check(labels: npt.NDArray[np.bool_], of_true: npt.NDArray[np.float64]) -> None:
    outside = of_true[(of_true < 0) | (of_true > 1)]
    if len(outside):
        raise LearningError(f"A probability is {outside[0]}, expected 0 to 1: give probabilities, not margins.")
    if labels.all() or not labels.any():
        description = f"all labelled {bool(labels[0])}" if len(labels) else "none"
        raise LearningError(
            f"Of {len(labels)} rows with an out-of-fold prediction, {description}: both classes are needed."
        )
