"""Replay of past nights: a model refitted at intervals and recalibrated every night, with what was known by then."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from nightjar.errors import LearningError, UsageError
from nightjar.evaluation.rows import RowNumbers
from nightjar.learning.data.training_set import TrainingSet
from nightjar.learning.fitting.candidates import Candidate
from nightjar.learning.fitting.fit import fit_candidate
from nightjar.learning.fitting.fit_sets import require_fit_sets
from nightjar.learning.splits.folding import inner_splits, select_settled
from nightjar.models.ensembles.calibration import fit_calibration, fit_per_class
from nightjar.models.ensembles.out_of_fold import mask_unseen
from nightjar.models.predictor import Calibrator
from nightjar.settings.learning import Search
from nightjar.settings.model import Calibration
from nightjar.settings.project import Project

log = logging.getLogger("nightjar.replay")
Scores = npt.NDArray[np.float64]

SERVED, UNCALIBRATED, FROZEN = "served", "uncalibrated", "frozen"


@dataclass(frozen=True)
class ReplayPlan:
    """The nights of a replay, and how often its model is refitted.

    Attributes:
        first: the first night.
        last: the last night, included.
        refit_days: days from one fit of the parameters to the next.
        half_life_days: a night's calibration curve is fitted on earlier scores with settled labels: served ones, and
            out-of-fold ones before the first night. A score that is so many days older than another weighs half as
            much: with a window, the curve would jump when a stormy week leaves it.
    """

    first: date
    last: date
    refit_days: int = 14
    half_life_days: float = 10

    def __post_init__(self) -> None:
        """Raise UsageError unless there is a night, and a step from one fit to the next."""
        if self.first > self.last:
            raise UsageError(
                f"A replay from {self.first} to {self.last} has no night: expected a first night no later than the "
                "last one, whose labels have all settled at the run date (project.label.horizon before it). Give an "
                "earlier first night, or a later run_date."
            )
        if self.refit_days < 1:
            raise UsageError(f"A replay cannot refit every {self.refit_days} days: expected a whole number from 1.")


@dataclass(frozen=True)
class ReplayResult:
    """The scores that would have been served.

    Attributes:
        rows: numbers of the nights' rows, ascending.
        scores: `served`, `uncalibrated` (as served, without the nightly curve), `frozen` (fitted and calibrated before
            the first night and never again) and each baseline, refitted like the served model -> a score for each row.
    """

    rows: RowNumbers
    scores: Mapping[str, Scores]


def replay(
    rows: TrainingSet,
    winner: Candidate,
    baselines: Sequence[Candidate],
    project: Project,
    settings: Search,
    plan: ReplayPlan,
) -> ReplayResult:
    """Replay the nights.

    Raises:
        LearningError: see `require_replayable`.
    """
    require_replayable(rows, project, settings, plan)
    candidates = [winner, *baselines]
    which = _rows_between(rows, plan.first, plan.last)
    raw, past = {candidate: _no_scores(rows) for candidate in candidates}, _no_scores(rows)
    for start, end in _periods(plan):
        train, period = (
            select_settled(rows, start, project.zone, settings.split.train_days),
            _rows_between(rows, start, end),
        )
        for candidate in candidates:
            predictor = fit_candidate(rows, train, start, candidate, project, settings)
            raw[candidate][period] = predictor.predict(rows.features.take(period))
            if candidate is winner:
                past[period] = mask_unseen(predictor, raw[winner][period])
            if candidate is winner and start == plan.first:
                frozen = predictor.predict(rows.features.take(which))
        log.info("%s to %s: fitted to %s rows", start, end, f"{len(train):,}")
    out_of_fold = _out_of_fold(rows, winner, project, settings, plan)
    past[_is_scored(out_of_fold)] = out_of_fold[_is_scored(out_of_fold)]
    served = {night: _fit_curve(rows, past, night, project.zone, plan) for night in _dates(plan.first, plan.last)}
    scores = {
        SERVED: np.concatenate([served[night](raw[winner][_rows_between(rows, night, night)]) for night in served]),
        UNCALIBRATED: raw[winner][which],
        FROZEN: served[plan.first](frozen),
        **{candidate.name: raw[candidate][which] for candidate in baselines},
    }
    return ReplayResult(which, scores)


def require_replayable(rows: TrainingSet, project: Project, settings: Search, plan: ReplayPlan) -> None:
    """Check, before a search, that any candidate could be fitted for every night.

    Raises:
        LearningError: the task is no classification, or the rows cannot fill a fit; see `parts.make_fit_set`.
    """
    if not project.label.task.has_classes:
        raise LearningError(f"A replay calibrates probabilities: label.task is {project.label.task.word}.")
    starts = [start for start, _ in _periods(plan)]
    fits = [(select_settled(rows, start, project.zone, settings.split.train_days), start) for start in starts]
    earlier_fits = [(train, before) for train, _, before in _earlier_splits(rows, project, settings, plan)]
    require_fit_sets(rows, [*fits, *earlier_fits], settings, project.zone)


def _periods(plan: ReplayPlan) -> Iterator[tuple[date, date]]:
    """First and last night of each period with the same parameters."""
    start = plan.first
    while start <= plan.last:
        yield start, min(start + timedelta(days=plan.refit_days - 1), plan.last)
        start += timedelta(days=plan.refit_days)


def _dates(first: date, last: date) -> list[date]:
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def _rows_between(rows: TrainingSet, first: date, last: date) -> RowNumbers:
    """Numbers of the rows of these dates, ascending: rows are ordered by prediction time."""
    return np.flatnonzero((rows.day >= np.datetime64(first)) & (rows.day <= np.datetime64(last)))


def _out_of_fold(rows: TrainingSet, winner: Candidate, project: Project, settings: Search, plan: ReplayPlan) -> Scores:
    """The winner's out-of-fold scores of dates before the first night; NaN elsewhere."""
    scores = _no_scores(rows)
    for train, test, before in _earlier_splits(rows, project, settings, plan):
        predictor = fit_candidate(rows, train, before, winner, project, settings)
        scores[test] = mask_unseen(predictor, predictor.predict(rows.features.take(test)))
    return scores


def _no_scores(rows: TrainingSet) -> Scores:
    """NaN for each row, of several classes (rows, classes)."""
    return np.full((len(rows.label), len(rows.classes)) if rows.classes else len(rows.label), np.nan)


def _is_scored(scores: Scores) -> npt.NDArray[np.bool_]:
    return np.asarray(np.isfinite(scores).reshape(len(scores), -1).any(axis=1))


def _earlier_splits(
    rows: TrainingSet, project: Project, settings: Search, plan: ReplayPlan
) -> Iterator[tuple[RowNumbers, RowNumbers, date]]:
    """Splits of the rows settled before the first night: numbers to fit on, to predict, and the first date."""
    settled = select_settled(rows, plan.first, project.zone, settings.split.train_days)
    for split in inner_splits(rows, settled, settings.split, project.zone, settings.seed):
        train, test = settled[split.train], settled[split.test]
        yield train, test, rows.day[test].min().item()


def _fit_curve(rows: TrainingSet, past: Scores, night: date, zone: str, plan: ReplayPlan) -> Calibrator:
    """Fit the curve from scores to probabilities on earlier nights, as far as their labels are settled."""
    settled = select_settled(rows, night, zone)
    scored = settled[_is_scored(past[settled])]
    if not len(scored):
        raise LearningError(f"No score of a date before {night} has a label yet.")
    age = (np.datetime64(night) - rows.day[scored]).astype(np.int64)
    weight = 0.5 ** (age / plan.half_life_days) * (1 if rows.weight is None else rows.weight[scored])
    fit_curve = fit_per_class if rows.classes else fit_calibration
    return fit_curve(Calibration.PLATT, past[scored], rows.label[scored], weight)
