"""All values of a task together."""

import numpy as np
import numpy.typing as npt

from nightjar.errors import LearningError
from nightjar.evaluation.binary import check_probabilities
from nightjar.evaluation.criteria import Criterion, Standard, all_criteria, of_metrics
from nightjar.evaluation.multiclass import check_class_probabilities
from nightjar.evaluation.regression import check_amounts
from nightjar.evaluation.reliability import expected_calibration_error
from nightjar.evaluation.rows import Floats, RowNumbers, Value, check_weight, mean
from nightjar.settings.task import Task


def measures(
    task: Task,
    label: npt.ArrayLike,
    score: npt.ArrayLike,
    query: RowNumbers | None = None,
    weight: npt.ArrayLike | None = None,
    standard: Standard = Standard(),  # noqa: B008  (frozen)
    *,
    every: bool = False,
) -> dict[str, Value]:
    """The task's metrics by name, what the rows are like, and `rows`, their number whatever their weights.

    What they are like is, of two classes, their calibration error too, positive_rate and mean_score; of several classes
    for each one its rate and its mean probability, such as rate[late] and mean_score[late]; else mean_label and
    mean_score.

    Args:
        task: of the label.
        label: of each row; of several classes its number.
        score: of each row; of several classes the probabilities, (rows, classes).
        query: of a ranking: the number of each row's list.
        weight: how many rows each one stands for, see `rows`.
        standard: what measures ask of the project; of several classes it has their names.
        every: all figures, see `criteria.all_criteria`, and not the metrics alone.

    Raises:
        LearningError: see `binary.check_probabilities`, `multiclass.check_class_probabilities` or
            `regression.check_amounts`, and `rows.check_weight`; a ranking without `query`.

    Example:
        >>> values = measures(Task.CLASSIFICATION, [True, False, True, False], [0.9, 0.6, 0.4, 0.1])
        >>> values["roc_auc"], values["positive_rate"], values["rows"]
        (0.75, 0.5, 4)
    """
    criteria = (all_criteria if every else of_metrics)(task, standard)
    if task is Task.MULTICLASS:
        classes, probabilities = check_class_probabilities(label, score)
        weights = check_weight(weight, len(classes))
        values = _values(criteria, classes, probabilities, weights)
        return values | _shares(classes, probabilities, weights, standard.classes) | {"rows": len(classes)}
    if task is Task.CLASSIFICATION:
        outcomes, scores = check_probabilities(label, score)
        weights = check_weight(weight, len(scores))
        error = {"expected_calibration_error": expected_calibration_error(outcomes, scores, weights)}
        about = {"positive_rate": mean(outcomes, weights), "mean_score": mean(scores, weights), "rows": len(outcomes)}
        return _values(criteria, outcomes, scores, weights) | error | about
    amounts, scores = check_amounts(label, score)
    weights = check_weight(weight, len(scores))
    about = {"mean_label": mean(amounts, weights), "mean_score": mean(scores, weights), "rows": len(amounts)}
    if task is Task.REGRESSION:
        return _values(criteria, amounts, scores, weights) | about
    if query is None:
        raise LearningError("A ranking is measured within lists: give `query`, the number of each row's list.")
    values = {name: one.measure(amounts, scores, query, weights, **one.parameters) for name, one in criteria.items()}
    return values | about


def neutral_scores(task: Task, rows: int, standard: Standard, like: Floats | None = None) -> Floats:
    """Scores that say nothing of any row: 0, or of several classes as much for each.

    Args:
        task: of the label.
        rows: how many.
        standard: has the classes.
        like: probabilities of a model, whose classes that it has not seen get nothing here either.
    """
    if task is not Task.MULTICLASS:
        return np.zeros(rows)
    is_seen = np.ones(len(standard.classes)) if like is None else like.any(axis=0).astype(np.float64)
    return np.tile(is_seen / is_seen.sum(), (rows, 1))


def _values(
    criteria: dict[str, Criterion], label: npt.NDArray[np.generic], score: Floats, weights: Floats | None
) -> dict[str, Value]:
    return {name: one.measure(*one.columns(label, score), weights, **one.parameters) for name, one in criteria.items()}


def _shares(
    classes: RowNumbers, probabilities: Floats, weights: Floats | None, names: tuple[str, ...]
) -> dict[str, Value]:
    rates = {f"rate[{name}]": mean(classes == number, weights) for number, name in enumerate(names)}
    means = {f"mean_score[{name}]": mean(probabilities[:, number], weights) for number, name in enumerate(names)}
    return rates | means
