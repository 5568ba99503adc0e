"""Evidence about a model: winner and baselines, measured on a final period that the search never saw."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from nightjar.errors import LearningError, NightjarError
from nightjar.evaluation.clusters import Clusters
from nightjar.evaluation.criteria import standard_of
from nightjar.evaluation.intervals import Interval
from nightjar.evaluation.metric_report import Truth, intervals, metric_difference
from nightjar.learning.champion import Champion
from nightjar.learning.data.training_set import TrainingSet
from nightjar.learning.fitting.candidates import Candidate
from nightjar.learning.fitting.fit import fit_candidate
from nightjar.learning.splits.folding import Fold
from nightjar.settings.learning import Search
from nightjar.settings.project import Project
from nightjar.settings.task import METRICS, Task
from nightjar.timeline import cutoff


@dataclass(frozen=True)
class Evidence:
    """Metrics of the final period, with intervals over its entities and blocks of time; promotion decides by them.

    Attributes:
        metric: what the search optimised.
        period: first and last local date, both inclusive.
        candidate: the winner's name and measures.
        baselines: baseline -> measures.
        difference: the winner minus the best baseline in the metric, on the same rows; `over` names the baseline and
            `better` is the sign of an improvement.
        differences: baseline -> the same for each of them: all have to be beaten, not the one that looks best on these
            rows.
        champion: the winner minus the champion that it would replace, in the same form, with the champion's `version`
            and `basis`; None: there is none.
        null_labels: see `TrainingSet`.
        clusters: how many `entities` and `blocks` the intervals are over, and `block_days`, the dates of a block at
            least. Below three blocks they are of this period only.
        unobserved: see `registry.unobserved`.
        thresholds: of each tier what `learning.thresholds.Threshold` holds, in their order.
    """

    metric: str
    period: tuple[str, str]
    candidate: Mapping[str, Any]
    baselines: Mapping[str, Any]
    difference: Mapping[str, Any]
    differences: Mapping[str, Mapping[str, Any]]
    null_labels: float
    clusters: Mapping[str, int]
    thresholds: Sequence[Mapping[str, Any]] = ()
    champion: Mapping[str, Any] | None = None
    unobserved: Mapping[str, Any] | None = None

    def of_baseline(self, name: str) -> "Evidence":
        """The evidence of a baseline in the winner's place: its own metrics, without a difference."""
        nothing = {**self.difference, "over": name, **asdict(Interval(None, None, None, 0, "nothing is beside it"))}
        own = {"name": name, **self.baselines[name]}
        return replace(
            self, candidate=own, difference=nothing, differences={}, thresholds=(), champion=None, unobserved=None
        )


def judge(
    rows: TrainingSet,
    fold: Fold,
    clusters: Clusters,
    winner: Candidate,
    baselines: Sequence[Candidate],
    project: Project,
    settings: Search,
    champion: Champion | None = None,
) -> tuple[Evidence, npt.NDArray[np.float64]]:
    """Fit the winner and the baselines on rows before the final period, and measure them on it.

    `clusters` are those of the final period's rows.

    Returns:
        The evidence, and the winner's scores of the final period's rows, in their order.

    Raises:
        LearningError: one cannot be fitted, or its metrics are not finite.
    """
    metric = settings.metric
    scores = {candidate.name: _scores(rows, fold, candidate, project, settings) for candidate in [winner, *baselines]}
    test = rows.examples(fold.test)
    truth = Truth(project.label.task, test.label, clusters, test.query, test.weight, standard_of(project))
    measured = {name: _as_dicts(name, intervals(truth, score)) for name, score in scores.items()}
    _require_defined(measured, project.label.task)
    sign = 1 if metric.greater_is_better else -1
    best_baseline = max(
        baselines, key=lambda baseline: _sort_value(measured[baseline.name][metric.value]["estimate"], sign)
    ).name

    def over(name: str, others: npt.NDArray[np.float64]) -> dict[str, Any]:
        paired = metric_difference(metric, truth, scores[winner.name], others)
        return {"over": name, "better": sign, **asdict(paired)}

    differences = {baseline.name: over(baseline.name, scores[baseline.name]) for baseline in baselines}
    evidence = Evidence(
        metric=metric.value,
        period=(fold.start.isoformat(), fold.end.isoformat()),
        candidate={"name": winner.name, **measured[winner.name]},
        baselines={baseline.name: measured[baseline.name] for baseline in baselines},
        difference=differences[best_baseline],
        differences=differences,
        null_labels=rows.null_labels,
        clusters=_counts(clusters, settings.days_of_block(project.label)),
        champion=None if champion is None else _beside(champion, winner, rows, fold, project, settings, over),
    )
    return evidence, scores[winner.name]


def _beside(
    champion: Champion,
    winner: Candidate,
    rows: TrainingSet,
    fold: Fold,
    project: Project,
    settings: Search,
    over: Callable[[str, npt.NDArray[np.float64]], dict[str, Any]],
) -> dict[str, Any]:
    """The winner against the champion, which must not have learned from the period either.

    Where they cannot be compared there is a reason instead of a difference, and a person decides.
    """
    name = str(champion)
    about = {"version": champion.version, "basis": "none", "over": name, "better": 1}
    is_earlier = champion.cutoff is not None and champion.cutoff <= cutoff(fold.start, project.zone)
    try:
        if champion.predictor is not None and is_earlier:
            scores = champion.predictor.predict(rows.features.take(fold.test))
            return about | {"basis": "as it scores now"} | over(name, scores)
        if champion.recipe is None:
            missing = f"{name} has learned from the period, or cannot be opened, and how it was made is not on record"
            return about | asdict(Interval(None, None, None, 0, missing))
        if champion.recipe.key() == winner.key():
            basis = "the same recipe, which learns from more rows now"
            return about | {"basis": basis} | asdict(Interval(0.0, 0.0, 0.0, len(fold.test)))
        basis = "fitted anew on the same rows as the new model, as it has learned from the period"
        return about | {"basis": basis} | over(name, _scores(rows, fold, champion.recipe, project, settings))
    except NightjarError as error:
        failure = f"{name} cannot be compared: {str(error).splitlines()[0]}"
        return about | asdict(Interval(None, None, None, 0, failure))


def _sort_value(estimate: float | None, better: int) -> float:
    return -np.inf if estimate is None else better * estimate


def _scores(
    rows: TrainingSet, fold: Fold, candidate: Candidate, project: Project, settings: Search
) -> npt.NDArray[np.float64]:
    predictor = fit_candidate(rows, fold.train, fold.start, candidate, project, settings)
    return predictor.predict(rows.features.take(fold.test))


def _counts(clusters: Clusters, block_days: int) -> dict[str, int]:
    return {"entities": clusters.entities, "blocks": clusters.blocks, "block_days": block_days}


def _require_defined(measured: Mapping[str, Mapping[str, Any]], task: Task) -> None:
    """Refuse predictions that leave a metric undefined which those of another candidate give a value."""
    for name, figures in measured.items():
        for metric in (one.value for one in METRICS[task]):
            figure = figures[metric]
            if figure["estimate"] is None and any(one[metric]["estimate"] is not None for one in measured.values()):
                raise LearningError(
                    f"{metric} of {name} in the final period is undefined: {figure['reason']}; {_OUT_OF_BOUNDS}"
                )


_OUT_OF_BOUNDS = (
    "its predictions are out of all bounds. Leave it out (search.candidates), or bound the features that it multiplies."
)


def _as_dicts(candidate: str, figures: Mapping[str, Interval]) -> dict[str, Any]:
    for metric, interval in figures.items():
        values = [interval.estimate, interval.low, interval.high]
        if not all(value is None or np.isfinite(value) for value in values):
            raise LearningError(f"{metric} of {candidate} in the final period is {values}: {_OUT_OF_BOUNDS}")
    return {metric: asdict(interval) for metric, interval in figures.items()}
