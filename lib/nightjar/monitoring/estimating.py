"""What is expected of nights whose labels are still open, and how far off that may be."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nightjar.evaluation.criteria import standard_of
from nightjar.evaluation.estimate_intervals import FEWEST, Outcome, Reach, reach
from nightjar.evaluation.estimates import Estimator, Method
from nightjar.evaluation.followed import ALL
from nightjar.evaluation.intervals import Interval
from nightjar.evaluation.metric_report import headline
from nightjar.evaluation.part_metrics import part_estimates
from nightjar.evaluation.rehearsal import FEWEST_NIGHTS, LEARNED_FROM
from nightjar.monitoring.figures import Figure
from nightjar.monitoring.history import ESTIMATE, ESTIMATED, History, Row
from nightjar.monitoring.judged_rows import scored_of, truth_of
from nightjar.monitoring.night_rows import Judging, measured
from nightjar.monitoring.part_figures import parts_of_night
from nightjar.monitoring.promises import Promise
from nightjar.settings.task import Metric
from nightjar.tables import groups
from nightjar.timeline import cutoff, moment

_SHARES = {metric.value for metric in Metric if metric.greater_is_better and metric is not Metric.R2}
_SHARES |= {Metric.BRIER.value, "positive_rate"}


def subject_of(method: Method) -> str:
    """Under which subject the figures of a method are stored, so that later nights can see how far off they were."""
    return f"{ESTIMATE}_{method.word}"


@dataclass(frozen=True)
class Expected:
    """What is known of a version's estimates by a run date.

    Attributes:
        estimator: learned from its nights with final labels, or those of its training.
        reach: of a slice, a measure and a method: how far off an estimate may be.
    """

    estimator: Estimator
    reach: Callable[[str, str, Method], Reach]


def estimated_rows(
    scores: pa.Table, nights: list[date], judging: Judging, history: History, tonight: list[Row]
) -> Iterator[dict[str, Any]]:
    """Rows of `performance` about nights without final labels: the estimate by each method, and the better one's
    interval.

    The better one is that whose interval is narrower, by what became of earlier estimates. The main metric of watched
    parts is estimated once, at first sight of a night: what is said of many small parts changes little until labels
    come, and the rows would be many.

    Args:
        scores: of these nights, and of the ones before from which estimates are learned, with the labels.
        nights: that are estimated.
        judging: as of when.
        history: of earlier run dates.
        tonight: the realised figures that this run date adds.
    """
    versions: dict[str, Expected] = {}
    for day in nights:
        rows = scores.filter(pc.field("run_date") == day)
        version = rows["model_version"][0].as_py()
        if version not in versions:
            versions[version] = expected_of(scores, version, judging, history, tonight)
        coverage = 1 - rows["label_known_at"].null_count / len(rows)
        about = judging.about(day, rows, coverage, provisional=True) | {"basis": ESTIMATED}
        promise = judging.promises.get(version, Promise())
        for subject, figure, reached in _figures(rows, day, judging, versions[version], history):
            beside = promise.beside(figure.of, figure.measure)
            yield about | measured(figure) | beside | {"subject": subject, "interval_coverage": reached}


def expected_of(scores: pa.Table, version: str, judging: Judging, history: History, tonight: list[Row]) -> Expected:
    """What a version's past says of its estimates."""
    promise = judging.promises.get(version, Promise())
    realised, delay = history.figures(version, tonight), _nights_until_final(judging)

    @cache
    def reach_of(of: str, measure: str, method: Method) -> Reach:
        past = history.estimates.get((subject_of(method), of, measure), {})
        outcomes = promise.rehearsal.outcomes(of, measure, method)
        for night, figures in realised.items():
            was, came = past.get(night), figures.get((of, measure))
            if was is not None and came is not None and came["value"] is not None:
                outcomes.append(Outcome(was, came["value"]))
        return reach(outcomes, delay)

    return Expected(_learned(scores.filter(pc.field("model_version") == version), judging, promise), reach_of)


_Estimated = Iterator[tuple[str, Figure, float | None]]


def _figures(rows: pa.Table, day: date, judging: Judging, expected: Expected, history: History) -> _Estimated:
    """Subject, figure, and how often such intervals have held."""
    one = scored_of(rows, judging.project)
    estimator = replace(expected.estimator, standard=one.standard)
    estimates = estimator.estimate(one.score, one.weight, one.lists)
    if not estimates:
        reason = "UNKNOWN: no earlier scores of this version have labels to learn from"
        yield ESTIMATE, Figure(ALL, headline(estimator.task).value, Interval(None, None, None, len(rows), reason)), None
    for measure, by_method in estimates.items():
        yield from _of_measure(ALL, measure, by_method, len(rows), expected)
    seen = {of for (_, of, _), nights in history.estimates.items() if day in nights}
    parts = {of: member for of, member in parts_of_night(rows, judging.project).items() if of not in seen}
    for of, measure, by_method in part_estimates(estimator, one.score, one.weight, parts):
        yield from _of_measure(of, measure, by_method, int(parts[of].sum()), expected)


def _of_measure(of: str, measure: str, by_method: Mapping[Method, float], rows: int, expected: Expected) -> _Estimated:
    for method, value in by_method.items():
        yield subject_of(method), Figure(of, measure, Interval(value, None, None, rows)), None
    reaches = {method: expected.reach(of, measure, method) for method in by_method}
    best = min(reaches, key=lambda method: np.inf if (half := reaches[method].half) is None else half)
    interval = _bounded(measure, reaches[best].line.at(by_method[best]), reaches[best], rows)
    yield ESTIMATE, Figure(of, measure, interval), reaches[best].coverage


def _bounded(measure: str, value: float, of: Reach, rows: int) -> Interval:
    if of.half is None:
        reason = f"UNKNOWN: of {of.nights} nights both estimate and outcome are there, {FEWEST} are needed"
        return Interval(value, None, None, rows, reason)
    low, high = value - of.half, value + of.half
    if measure != Metric.R2.value:
        low = max(low, 0.0)
    return Interval(value, low, min(high, 1.0) if measure in _SHARES else high, rows)


def _learned(own: pa.Table, judging: Judging, promise: Promise) -> Estimator:
    """From the version's own nights with final labels where they are enough, else from those of its training."""
    project = judging.project
    days: list[Any] = own["run_date"].unique().to_pylist()
    finals = [day for day in sorted(days) if judging.is_final(own, day)]
    if len(finals) >= FEWEST_NIGHTS:
        rows = judging.usable(own.filter(pc.field("run_date").isin(finals[-LEARNED_FROM:])))
        if len(rows):
            truth, score = truth_of(rows, project)
            lists = groups.codes(rows, [*project.label.query, "run_date"]) if project.label.query else None
            return Estimator.fit(replace(truth, query=lists), score)
    stored, nothing = promise.rehearsal.estimator, Estimator.unlearned(project.label.task, standard_of(project))
    if stored is None or len(stored["shift"]) != len(nothing.shift):  # since then classes may have been declared
        return nothing
    return Estimator.from_json(stored, project.label.task, nothing.standard)


def _nights_until_final(judging: Judging) -> int:
    """After how many nights the labels of one are final."""
    start = moment(cutoff(judging.run_date, judging.project.zone))
    final = judging.project.label.final_at(np.array([start]), judging.project.zone)[0]
    return max(1, -(-int(final - start) // 86_400_000_000))
