"""What the predictions of a project are judged by: every figure of a task by name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from nightjar.errors import LearningError
from nightjar.evaluation import averages, binary, confusion, gains, multiclass, ranking, recalibration, regression
from nightjar.evaluation import reliability as calibration
from nightjar.evaluation.averages import Average
from nightjar.evaluation.decisions import choose_classes
from nightjar.evaluation.multiclass import check_class_probabilities
from nightjar.evaluation.rows import Floats, Measure, RowNumbers
from nightjar.settings.project import Project
from nightjar.settings.task import METRICS, Metric, Task

TENTH = 0.1
"""The share of rows with the highest scores of which lift and gain are given."""
_BINS = 15
Pair = tuple[npt.NDArray[Any], npt.NDArray[Any]]


@dataclass(frozen=True)
class Standard:
    """What measures ask of a project besides rows.

    Attributes:
        classes: of several classes: their values, in the order of label numbers and of probabilities.
        costs: of several classes: what mistakes cost, (actual, predicted), by which the class is chosen.
        places: of a ranking, from the first one of a list: those that count for precision and recall at k.
        quantile: of a regression: the quantile that is to be predicted, for pinball loss.
        decisions: of several classes: the class of each row that was decided for, where it is on record; None: the one
            of the least expected cost is taken.
    """

    classes: tuple[str, ...] = ()
    costs: tuple[tuple[float, ...], ...] = ()
    places: int = 10
    quantile: float = 0.5
    decisions: RowNumbers | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Criterion:
    """A measure as a figure takes it.

    Attributes:
        measure: of labels and of scores, or of what is made of them.
        parameters: the measure's own.
        take: makes of labels and scores what the measure takes, such as decisions; None: it takes them as they are.
    """

    measure: Measure
    parameters: Mapping[str, Any] = field(default_factory=dict)
    take: Callable[[npt.ArrayLike, npt.ArrayLike], Pair] | None = None

    def columns(self, label: npt.ArrayLike, score: npt.ArrayLike) -> Pair:
        """What the measure takes of the rows."""
        return (np.asarray(label), np.asarray(score)) if self.take is None else self.take(label, score)


OF_METRICS: Mapping[Metric, Measure] = {
    Metric.ROC_AUC: binary.roc_auc,
    Metric.AVERAGE_PRECISION: binary.average_precision,
    Metric.LOG_LOSS: binary.log_loss,
    Metric.BRIER: binary.brier,
    Metric.RMSE: regression.rmse,
    Metric.MAE: regression.mae,
    Metric.R2: regression.r2,
    Metric.MAPE: regression.mape,
    Metric.SMAPE: regression.smape,
    Metric.PINBALL: regression.pinball,
    Metric.NDCG: ranking.mean_ndcg,
    Metric.PRECISION_AT_K: ranking.precision_at,
    Metric.RECALL_AT_K: ranking.recall_at,
    Metric.MEAN_AVERAGE_PRECISION: ranking.mean_average_precision,
    Metric.MEAN_RECIPROCAL_RANK: ranking.mean_reciprocal_rank,
}
"""The measure of each metric of two classes, of amounts and of lists."""
OF_SEVERAL_CLASSES: Mapping[Metric, Measure] = {
    Metric.ROC_AUC: averages.roc_auc,
    Metric.AVERAGE_PRECISION: averages.average_precision,
    Metric.LOG_LOSS: multiclass.log_loss,
    Metric.BRIER: multiclass.brier,
    Metric.BALANCED_ACCURACY: confusion.balanced_accuracy,
    Metric.F1: averages.f_beta,
    Metric.EXPECTED_COST: multiclass.expected_cost,
}
"""The measure of each metric of several classes; the last three are of decisions."""
_OF_DECISIONS = (Metric.BALANCED_ACCURACY, Metric.F1, Metric.EXPECTED_COST)


def standard_of(project: Project) -> Standard:
    """What the project's settings say."""
    measuring = project.measuring
    return Standard(tuple(project.label.classes), project.class_costs(), measuring.places, measuring.quantile)


def of_metrics(task: Task, standard: Standard) -> dict[str, Criterion]:
    """The metrics that a search of the task may optimise, by name, the main one first.

    Raises:
        LearningError: several classes without their names and costs.
    """
    return {metric.value: of_metric(metric, task, standard) for metric in METRICS[task]}


def of_metric(metric: Metric, task: Task, standard: Standard) -> Criterion:
    """A metric of the task.

    Raises:
        LearningError: several classes without their names and costs.
    """
    if task is Task.MULTICLASS:
        parameters = {"costs": standard.costs} if metric is Metric.EXPECTED_COST else {}
        take = _decisions(standard) if metric in _OF_DECISIONS else None
        return Criterion(OF_SEVERAL_CLASSES[metric], parameters, take)
    at: Mapping[str, Any] = {"k": standard.places} if metric in (Metric.PRECISION_AT_K, Metric.RECALL_AT_K) else {}
    return Criterion(OF_METRICS[metric], {"quantile": standard.quantile} if metric is Metric.PINBALL else at)


def all_criteria(task: Task, standard: Standard) -> dict[str, Criterion]:
    """Every figure of the task by name: its metrics, and what else describes predictions.

    Those of one class of several, against all others, have its value in brackets: recall[late].

    Raises:
        LearningError: several classes without their names and costs.
    """
    others: dict[str, Criterion] = {}
    if task is Task.CLASSIFICATION:
        others = _OF_TWO_CLASSES
    if task is Task.MULTICLASS:
        decide, weighted = _decisions(standard), {"average": Average.WEIGHTED}
        others = {
            "accuracy": Criterion(confusion.accuracy, take=decide),
            "precision": Criterion(averages.precision, take=decide),
            "precision_weighted": Criterion(averages.precision, weighted, decide),
            "f1_weighted": Criterion(averages.f_beta, weighted, decide),
            "roc_auc_weighted": Criterion(averages.roc_auc, weighted),
            "average_precision_weighted": Criterion(averages.average_precision, weighted),
            "top_label_calibration_error": Criterion(multiclass.top_label_calibration_error),
            "unseen_share": Criterion(multiclass.unseen_share),
        }
        for number, value in enumerate(standard.classes):
            others |= {f"{name}[{value}]": one for name, one in _of_class(number, decide).items()}
    return of_metrics(task, standard) | others


def _of_class(number: int, decide: Callable[..., Pair]) -> dict[str, Criterion]:
    """The figures of one class against all others."""

    def against_others(label: npt.ArrayLike, score: npt.ArrayLike) -> Pair:
        classes, probabilities = check_class_probabilities(label, score)
        return classes == number, probabilities[:, number]

    positive = {"positive": number}
    return {
        "precision": Criterion(confusion.precision, positive, decide),
        "recall": Criterion(confusion.recall, positive, decide),
        "f1": Criterion(confusion.f_beta, positive, decide),
        "roc_auc": Criterion(binary.roc_auc, take=against_others),
        "average_precision": Criterion(binary.average_precision, take=against_others),
        "expected_calibration_error": Criterion(calibration.expected_calibration_error, take=against_others),
    }


def _decisions(standard: Standard) -> Callable[[npt.ArrayLike, npt.ArrayLike], Pair]:
    if not standard.classes or not standard.costs:
        raise LearningError("Several classes are judged by their names and the costs of mistakes: give both.")

    def decide(label: npt.ArrayLike, score: npt.ArrayLike) -> Pair:
        classes, probabilities = check_class_probabilities(label, score)
        return classes, decided(probabilities, standard)

    return decide


def decided(probabilities: Floats, standard: Standard) -> RowNumbers:
    """The class of each row that was decided for."""
    return choose_classes(probabilities, standard.costs) if standard.decisions is None else standard.decisions


_OF_TWO_CLASSES = {
    "gini": Criterion(binary.gini),
    "ks": Criterion(binary.ks),
    "expected_calibration_error": Criterion(calibration.expected_calibration_error),
    "calibration_intercept": Criterion(recalibration.calibration_intercept),
    "calibration_slope": Criterion(recalibration.calibration_slope),
    "reliability": Criterion(calibration.reliability, {"bins": _BINS}),
    "resolution": Criterion(calibration.resolution, {"bins": _BINS}),
    "uncertainty": Criterion(calibration.uncertainty),
    "lift_of_tenth": Criterion(gains.lift, {"share": TENTH}),
    "gain_of_tenth": Criterion(gains.gain, {"share": TENTH}),
}
