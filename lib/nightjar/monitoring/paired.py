"""Two models' scores of the same rows, compared by a metric, as often as somebody looks."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from nightjar.evaluation.clusters import Clusters, blocks_of, overlap
from nightjar.evaluation.intervals import Interval
from nightjar.evaluation.metric_report import Truth, headline, metric_difference
from nightjar.evaluation.sequential import confidence_at
from nightjar.evaluation.sequential_verdicts import Verdict
from nightjar.monitoring.experiment_figures import Figure
from nightjar.monitoring.judged_rows import truth_of, with_labels
from nightjar.settings.project import Project
from nightjar.settings.serving.experiment import Experiment
from nightjar.settings.task import Metric
from nightjar.tables.predictions import CHAMPION_ROLE
from nightjar.tables.warehouse import Warehouse
from nightjar.timeline import cutoff, moment


@dataclass(frozen=True)
class Rows:
    """The rows that both models have scored.

    Attributes:
        role: of the version beside the champion.
        number: of that version.
        champion: the number of the champion.
        since: the first night.
        run_date: labels count that are known, and final, at its midnight.
        versions: Delta versions of scores, labels and features.
    """

    warehouse: Warehouse
    project: Project
    role: str
    number: str
    champion: str
    since: date
    run_date: date
    versions: Mapping[str, int]


def compare(rows: Rows, experiment: Experiment, decided: tuple[str, date] | None) -> Figure:
    """The version's metric minus the champion's on the nights whose labels are final.

    The interval is that of `metric_report.metric_difference`, whose rows share entities and blocks of time, at the
    confidence that holds at all nights together.

    Args:
        rows: which.
        experiment: its settings.
        decided: the verdict of an earlier run date, and that date.

    Raises:
        TableError: see `judged_rows.with_labels`.
    """
    metric = metric_of(experiment, rows.project)
    nights = _final_nights(rows)
    both = _scored_by_both(rows, nights) if nights else None
    if both is None:
        return _figure(
            metric, None, Interval(None, None, None, 0, "no night with final labels yet"), experiment, decided
        )
    of_version, of_champion = both
    truth, own = truth_of(of_version, rows.project)
    _, other = truth_of(of_champion, rows.project)
    days = of_version["run_date"].to_numpy().astype("datetime64[D]")
    seen = len(np.unique(days))
    confidence = confidence_at(seen / experiment.nights, experiment.level)
    gap = metric_difference(metric, _in_blocks(truth, days, rows.project), own, other, confidence)
    return _figure(metric, days.max().item(), gap, experiment, decided, rows.run_date, seen >= experiment.nights)


def metric_of(experiment: Experiment, project: Project) -> Metric:
    """The metric by which two models are compared: the experiment's, or the headline of the task."""
    return experiment.metric or headline(project.label.task)


def _final_nights(rows: Rows) -> list[date]:
    """The nights since the first one whose labels are final by the run date."""
    label, zone, now = rows.project.label, rows.project.zone, moment(cutoff(rows.run_date, rows.project.zone))
    nights = [rows.since + timedelta(days=one) for one in range((rows.run_date - rows.since).days)]
    ends = np.array([moment(cutoff(night + timedelta(days=1), zone)) for night in nights], np.int64)
    return [night for night, final in zip(nights, label.final_at(ends, zone), strict=True) if final <= now]


def _scored_by_both(rows: Rows, nights: list[date]) -> tuple[pa.Table, pa.Table] | None:
    """Rows with an outcome that both have scored, in one order; None: there is none."""
    key = [*rows.project.spine.key, "prediction_time"]
    tables = [
        with_labels(rows.warehouse, rows.project, rows.run_date, nights, rows.versions, role)
        for role in (rows.role, CHAMPION_ROLE)
    ]
    usable = [
        one.filter(pc.is_valid(pc.field("label")) & (pc.field("model_version") == number))
        for one, number in zip(tables, (rows.number, rows.champion), strict=True)
    ]
    order: list[Any] = [(name, "ascending") for name in ("prediction_time", *rows.project.spine.key)]
    of_version, of_champion = (
        one.join(other.select(key), key, join_type="left semi").sort_by(order) for one, other in (usable, usable[::-1])
    )
    return (of_version, of_champion) if len(of_version) else None


def _in_blocks(truth: Truth, days: npt.NDArray[np.datetime64], project: Project) -> Truth:
    first, last, length = days.min().item(), days.max().item(), project.label.shared_days()
    between = overlap((last - first).days + 1, length, len(np.unique(days)))
    return replace(truth, clusters=Clusters(truth.clusters.entity, blocks_of(days, first, last, length), between))


def _figure(
    metric: Metric,
    last_night: date | None,
    gap: Interval,
    experiment: Experiment,
    decided: tuple[str, date] | None,
    run_date: date = date.min,
    is_over: bool = False,  # noqa: FBT001, FBT002
) -> Figure:
    verdict, decided_on = _verdict(metric, gap, experiment, decided, run_date, is_over=is_over)
    return Figure(
        name=metric.value,
        last_night=last_night,
        entities=(gap.rows, gap.rows),
        waiting=None,
        changed=None,
        means=(None, None),
        difference=gap.estimate,
        low=gap.low,
        high=gap.high,
        level=experiment.level,
        deviation=None,
        planned_power=None,
        verdict=verdict,
        decided_on=decided_on,
        reason=gap.reason,
    )


def _verdict(
    metric: Metric,
    gap: Interval,
    experiment: Experiment,
    decided: tuple[str, date] | None,
    run_date: date,
    *,
    is_over: bool,
) -> tuple[Verdict, date | None]:
    """What an earlier run date has decided holds; but for `not worse`, which may turn out to be better, or worse."""
    if decided is not None and Verdict(decided[0]) is not Verdict.NOT_WORSE:
        return Verdict(decided[0]), decided[1]
    low, high = gap.low, gap.high
    if low is not None and high is not None:
        least, most = (low, high) if metric.greater_is_better else (-high, -low)
        if least > 0:
            return Verdict.BETTER, run_date
        if most < 0:
            return Verdict.WORSE, run_date
        if decided is None and experiment.not_worse_by is not None and least > -experiment.not_worse_by:
            return Verdict.NOT_WORSE, run_date
    if decided is not None:
        return Verdict(decided[0]), decided[1]
    return (Verdict.UNDECIDED if is_over else Verdict.OPEN), None
