"""Figures that can be believed: winner and baselines on a period that the search never saw."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from nightjar.evaluation.clusters import Clusters
from nightjar.evaluation.figures import Truth, difference, intervals
from nightjar.evaluation.intervals import Interval
from nightjar.learning.fitting import fitted
from nightjar.learning.rows import TrainingRows
from nightjar.learning.search.candidates import Candidate
from nightjar.learning.splits.folding import Fold
from nightjar.settings.learning import Search
from nightjar.settings.project import Project


@dataclass(frozen=True)
class Evidence:
    """What decides about a model: figures of the final period, with intervals over its entities and blocks of time.

    Attributes:
        metric: what the search optimised.
        period: first and last local date, both inclusive.
        candidate: the winner's name and measures.
        baselines: baseline -> measures.
        difference: the winner minus the best baseline in the metric, on the same rows; `over` names the baseline and
            `better` is the sign of an improvement.
        null_labels: see `TrainingRows`.
        clusters: how many `entities` and `blocks` the intervals are over, and `block_days`, the dates of a block at
            least. Below three blocks they are of this period only.
        threshold: what `learning.thresholds.Threshold` holds; None: none was fitted.
    """

    metric: str
    period: tuple[str, str]
    candidate: Mapping[str, Any]
    baselines: Mapping[str, Any]
    difference: Mapping[str, Any]
    null_labels: float
    clusters: Mapping[str, int]
    threshold: Mapping[str, Any] | None = None

    def of_baseline(self, name: str) -> "Evidence":
        """The evidence of a baseline in the winner's place: its own figures, compared with nothing."""
        nothing = {**self.difference, "over": name, "estimate": None, "low": None, "high": None}
        return replace(self, candidate={"name": name, **self.baselines[name]}, difference=nothing, threshold=None)


def judge(
    rows: TrainingRows,
    fold: Fold,
    clusters: Clusters,
    winner: Candidate,
    baselines: Sequence[Candidate],
    project: Project,
    settings: Search,
) -> tuple[Evidence, npt.NDArray[np.float64]]:
    """Fit the winner and the baselines before the final period, and measure them on it.

    `clusters` are those of the final period's rows.

    Returns:
        The evidence, and the winner's scores of the final period's rows, in their order.
    """
    metric = settings.metric
    scores = {candidate.name: _scores(rows, fold, candidate, project, settings) for candidate in [winner, *baselines]}
    test = rows.examples(fold.test)
    truth = Truth(project.label.task, test.label, clusters, test.query, test.weight)
    measured = {name: _as_data(intervals(truth, score)) for name, score in scores.items()}
    better = 1 if metric.greater_is_better else -1
    strongest = max(baselines, key=lambda one: _standing(measured[one.name][metric.value]["estimate"], better)).name
    apart = difference(metric, truth, scores[winner.name], scores[strongest])
    evidence = Evidence(
        metric=metric.value,
        period=(fold.start.isoformat(), fold.end.isoformat()),
        candidate={"name": winner.name, **measured[winner.name]},
        baselines={one.name: measured[one.name] for one in baselines},
        difference={"over": strongest, "better": better, **asdict(apart)},
        null_labels=rows.null_labels,
        clusters=_counts(clusters, settings.days_of_block(project.label)),
    )
    return evidence, scores[winner.name]


def _standing(estimate: float | None, better: int) -> float:
    return -np.inf if estimate is None else better * estimate


def _scores(
    rows: TrainingRows, fold: Fold, candidate: Candidate, project: Project, settings: Search
) -> npt.NDArray[np.float64]:
    predictor = fitted(rows, fold.train, fold.start, candidate, project, settings)
    return predictor.predict(rows.features.take(fold.test))


def _counts(clusters: Clusters, block_days: int) -> dict[str, int]:
    return {"entities": clusters.entities, "blocks": clusters.blocks, "block_days": block_days}


def _as_data(figures: Mapping[str, Interval]) -> dict[str, Any]:
    return {name: asdict(interval) for name, interval in figures.items()}
