"""The problem of a search: its rows and folds, and how one candidate is fitted and measured on one of them."""

import hashlib
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from nightjar.errors import LearningError
from nightjar.evaluation.criteria import Standard
from nightjar.evaluation.metrics import measures, neutral_scores
from nightjar.evaluation.rows import Undefined, Value, number_or_none
from nightjar.learning.data.training_set import TrainingSet
from nightjar.learning.fitting.fit import fit_on
from nightjar.learning.fitting.fit_sets import FitSet
from nightjar.learning.fitting.software import software
from nightjar.learning.search.fold_tasks import FoldResult, FoldTask
from nightjar.learning.splits.folding import Fold
from nightjar.settings.fairness import Mitigation
from nightjar.settings.task import Metric, Task
from nightjar.tables import groups


@dataclass(frozen=True, eq=False)
class Problem:
    """What every task of a search shares; it is sent to each machine once.

    Attributes:
        rows: the training rows.
        folds: the splits.
        fit_sets: for each fold, what is fitted on.
        task: what is learned.
        seed: of the search.
        standard: what measures ask of the project.
        mitigation: how candidates that are no baselines are fitted to treat groups alike; None: as they are.
    """

    rows: TrainingSet
    folds: Sequence[Fold]
    fit_sets: Sequence[FitSet]
    task: Task
    seed: int
    standard: Standard = field(default_factory=Standard)
    mitigation: Mitigation | None = None

    def key(self) -> str:
        """SHA-256 of what decides a fold's result apart from its candidate: data, folds, seed, code, packages."""
        digest = hashlib.sha256(self.rows.content_hash.encode())
        digest.update("\n".join([self.task.value, str(self.seed), *software()]).encode())
        for fold, fit_set in zip(self.folds, self.fit_sets, strict=True):
            digest.update(f"\n{fold.name} {len(fold.test)}".encode() + fold.test.tobytes() + fit_set.contents())
        if self.standard != Standard():  # others keep the key that they had before there was one
            digest.update(f"\n{self.standard}".encode())
        if self.mitigation is not None and self.rows.slices is not None:  # its settings are in the candidates' keys
            digest.update(groups.codes(self.rows.slices, self.mitigation.columns).tobytes())
        return digest.hexdigest()


def fold_seed(problem: Problem, fold: int) -> int:
    """The seed of a fold's fits: the same for every candidate, so that seeds make no difference between them."""
    return problem.seed + fold


def fold_scores(problem: Problem, fold_task: FoldTask) -> npt.NDArray[np.float64]:
    """The candidate's scores of the fold's test rows, by a fit that has not seen them.

    Raises:
        LearningError: it cannot be fitted; see `models.estimators.fit`.
    """
    seed = fold_seed(problem, fold_task.fold)
    predictor = fit_on(problem.fit_sets[fold_task.fold], problem.rows, fold_task.candidate, problem.task, seed)
    return predictor.predict(problem.rows.features.take(problem.folds[fold_task.fold].test))


def fit_and_measure(problem: Problem, fold_task: FoldTask) -> FoldResult:
    """A task's result; any error in the candidate's fit is recorded in it, with the traceback."""
    started = time.monotonic()
    fold = problem.folds[fold_task.fold]
    values: dict[str, float | None] = {}
    failure = None
    try:
        scores = fold_scores(problem, fold_task)
        measured = measure(problem, fold, scores)
        values = {name: number_or_none(value) for name, value in measured.items()}
        _require_defined(problem, fold, measured, scores)
    except Exception:  # noqa: BLE001 - any class of error is the candidate's failure: it is recorded, and the others go on
        failure = traceback.format_exc()
    valid = values if failure is None else {}
    seconds = time.monotonic() - started
    return FoldResult(fold_task.candidate.name, fold.name, fold_seed(problem, fold_task.fold), valid, seconds, failure)


def measure(problem: Problem, fold: Fold, scores: npt.NDArray[np.float64]) -> dict[str, Value]:
    """Every metric of the task on the fold's test rows, rows weighted."""
    test, rows = fold.test, problem.rows
    query = None if rows.query is None else rows.query[test]
    weight = None if rows.weight is None else rows.weight[test]
    return measures(problem.task, rows.label[test], scores, query, weight, problem.standard)


def require_measurable(problem: Problem, metric: Metric) -> None:
    """Check that the metric has a value on every fold's test rows, whatever is predicted.

    Raises:
        LearningError: names the fold.
    """
    for fold, fit_set in zip(problem.folds, problem.fit_sets, strict=True):
        classes = problem.rows.classes
        fitted = np.eye(len(classes))[problem.rows.label[fit_set.rows]] if classes else None
        scores = neutral_scores(problem.task, len(fold.test), problem.standard, fitted)
        value = measure(problem, fold, scores)[metric.value]
        if isinstance(value, Undefined):
            raise LearningError(
                f"{metric.word} is undefined on the {len(fold.test):,} test rows of {fold.name} ({fold.start} to "
                f"{fold.end}), whatever a model predicts: {value.reason}. Use fewer or longer folds "
                "(search.split.folds, search.split.test_days), or another metric (search.metric)."
            )


def _require_defined(
    problem: Problem, fold: Fold, measured: Mapping[str, Value], scores: npt.NDArray[np.float64]
) -> None:
    """Refuse predictions that leave a metric undefined which other predictions of the same rows give a value.

    Of several classes the others know as many of them: that the training rows lack one is no fault of the candidate.
    """
    undefined = {name: value.reason for name, value in measured.items() if isinstance(value, Undefined)}
    if not undefined:
        return
    others = measure(problem, fold, neutral_scores(problem.task, len(scores), problem.standard, scores))
    for name, reason in undefined.items():
        if not isinstance(others[name], Undefined):
            raise LearningError(f"{name} is undefined: {reason}; the candidate's predictions are out of all bounds.")
