"""Labels that are probably wrong: those that a model which has not seen them contradicts with confidence."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from nightjar.errors import LearningError
from nightjar.evaluation.metrics import check_outcomes


def suspects(label: npt.ArrayLike, probability: npt.ArrayLike) -> pa.Table:
    """Rows whose label is suspect, the most suspect first.

    A class's threshold is the mean probability of it that is predicted for the rows labelled so: what the model is as
    sure of as of the class in general. A row is suspect where its own class is predicted below that class's threshold,
    and the other one at or above its own. Thresholds per class make a rare class, or a model that is not calibrated,
    no suspect by itself. The margin is the probability of the other class minus that of the given one, in (-1, 1];
    ties are in the order of rows.

    Source: Northcutt, Jiang and Chuang (2021), Confident learning, Journal of Artificial Intelligence Research 70.

    Args:
        label: the given labels, True or False (or 1 and 0).
        probability: of True, each predicted by a model that was not fitted on the row: out of fold. NaN where there is
            no such prediction; those rows are left out.

    Returns:
        Columns `row` (its number), `label`, `probability` (of True) and `margin`.

    Raises:
        LearningError: lengths differ, a probability is outside [0, 1], or the rows with a prediction are all of one
            class.
    """
    predicted = np.asarray(probability, dtype=np.float64)
    given = np.asarray(label)
    if predicted.shape != given.shape:
        raise LearningError(f"{predicted.shape} predictions for {given.shape} labels: each row needs one, or NaN.")
    rows = np.flatnonzero(~np.isnan(predicted))
    labels, of_true = check_outcomes(given[rows], predicted[rows])
    _refuse(labels, of_true)
    of_given, of_other = np.where(labels, [of_true, 1 - of_true], [1 - of_true, of_true])
    threshold = {kind: of_given[labels == kind].mean() for kind in (False, True)}
    own = np.where(labels, threshold[True], threshold[False])
    other = np.where(labels, threshold[False], threshold[True])
    found = np.flatnonzero((of_given < own) & (of_other >= other))
    margin = (of_other - of_given)[found]
    ranked = np.argsort(-margin, kind="stable")
    chosen = found[ranked]
    columns = {"row": rows[chosen], "label": labels[chosen], "probability": of_true[chosen], "margin": margin[ranked]}
    return pa.table({name: pa.array(values) for name, values in columns.items()})


def _refuse(labels: npt.NDArray[np.bool_], of_true: npt.NDArray[np.float64]) -> None:
    outside = of_true[(of_true < 0) | (of_true > 1)]
    if len(outside):
        raise LearningError(f"A probability is {outside[0]}, expected 0 to 1: give probabilities, not margins.")
    if labels.all() or not labels.any():
        found = f"all labelled {bool(labels[0])}" if len(labels) else "none"
        raise LearningError(f"Of {len(labels)} rows with an out-of-fold prediction, {found}: both classes are needed.")
