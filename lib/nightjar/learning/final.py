"""Figures that can be believed: winner and baselines on a period that the search never saw."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nightjar.evaluation.intervals import Interval, block_bootstrap, paired_block_bootstrap
from nightjar.evaluation.metrics import log_loss, roc_auc
from nightjar.learning.candidates import Candidate
from nightjar.learning.rows import TrainingRows
from nightjar.learning.splits import Fold
from nightjar.models.estimators import fit
from nightjar.settings.learning import Metric

MEASURES = {Metric.ROC_AUC: roc_auc, Metric.LOG_LOSS: log_loss}


@dataclass(frozen=True)
class Evidence:
    """What decides about a model: figures of the final period, intervals by resampled days.

    Attributes:
        metric: what the search optimised.
        period: first and last local date, both inclusive.
        candidate: the winner's name and measures.
        baselines: baseline -> measures.
        difference: the winner minus the best baseline in the metric, paired by row; `over` names the baseline and
            `better` is the sign of an improvement.
    """

    metric: str
    period: tuple[str, str]
    candidate: Mapping[str, Any]
    baselines: Mapping[str, Any]
    difference: Mapping[str, Any]


def judge(
    rows: TrainingRows,
    fold: Fold,
    winner: Candidate,
    baselines: Sequence[Candidate],
    metric: Metric,
    seed: int,
) -> tuple[Evidence, npt.NDArray[np.float64]]:
    """Fit the winner and the baselines before the final period, and measure them on it.

    Returns:
        The evidence, and the winner's scores of the final period's rows, in their order.
    """
    scores = {candidate.name: _scores(rows, fold, candidate, seed) for candidate in [winner, *baselines]}
    label, day = rows.label[fold.test], rows.day[fold.test]
    measured = {name: _measured(label, score, day, seed) for name, score in scores.items()}
    better = -1 if metric is Metric.LOG_LOSS else 1
    strongest = max(baselines, key=lambda one: better * (measured[one.name][metric.value]["estimate"] or 0.0)).name
    difference = paired_block_bootstrap(label, scores[winner.name], scores[strongest], day, MEASURES[metric], seed=seed)
    evidence = Evidence(
        metric=metric.value,
        period=(fold.start.isoformat(), fold.end.isoformat()),
        candidate={"name": winner.name, **measured[winner.name]},
        baselines={one.name: measured[one.name] for one in baselines},
        difference={"over": strongest, "better": better, **asdict(difference)},
    )
    return evidence, scores[winner.name]


def _scores(rows: TrainingRows, fold: Fold, candidate: Candidate, seed: int) -> npt.NDArray[np.float64]:
    features, label = rows.take(fold.train)
    predictor = fit(candidate.model, features, label, features=rows.columns, seed=seed)
    return predictor.predict(rows.take(fold.test)[0])


def _measured(
    label: npt.NDArray[np.bool_], score: npt.NDArray[np.float64], day: npt.NDArray[Any], seed: int
) -> dict[str, Any]:
    intervals: dict[str, Interval] = {
        metric.value: block_bootstrap(label, score, day, measure, seed=seed) for metric, measure in MEASURES.items()
    }
    return {name: asdict(interval) for name, interval in intervals.items()}
