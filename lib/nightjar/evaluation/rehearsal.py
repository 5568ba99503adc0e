"""What monitoring would have measured on the nights of a training: the reference of streams and of estimates.

Scores of folds are by fits that had not seen their rows, as the scores of the nights to come will be. Of each night the
followed figures are kept with their errors, and what would have been estimated of them before its labels were known.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt

from nightjar.evaluation.binary import Booleans
from nightjar.evaluation.estimate_intervals import Outcome
from nightjar.evaluation.estimates import Estimator, Method
from nightjar.evaluation.followed import ALL, Followed, metric_figures, shift_figures
from nightjar.evaluation.intervals import Interval
from nightjar.evaluation.metric_report import Truth
from nightjar.evaluation.part_metrics import part_estimates, part_metrics
from nightjar.evaluation.rows import Floats, RowNumbers

LEARNED_FROM = 28
"""Dates before a night, those with final labels, from whose rows its estimate is learned."""
FEWEST_NIGHTS = 7
"""Of these dates with rows, without which nothing is estimated."""
MOST_ROWS = 50_000
"""From more rows than these an estimate is learned by every second, third, ... one."""
LAST = 180
"""Nights that are kept, the last ones."""
_WIDTH = 2 * 1.959964
_DIGITS = 6
Series = Mapping[tuple[str, str], tuple[Floats, Floats]]
"""Slice and measure -> of each night its value, NaN where undefined, and its standard error, NaN without bounds."""
_Estimated = dict[tuple[str, str], Mapping[Method, float]]
Days = npt.NDArray[np.datetime64]


@dataclass(frozen=True, eq=False)
class Rehearsal:
    """The nights of a training as monitoring would have followed them.

    Attributes:
        nights: their dates, ascending.
        figures: what was realised on each.
        estimates: slice and measure -> method -> what was expected of each, NaN where nothing was; of parts the main
            metric alone.
        estimator: as `Estimator.to_json` gives it: learned from the last of them; None: they are too few.
    """

    nights: tuple[date, ...] = ()
    figures: Series = field(default_factory=dict)
    estimates: Mapping[tuple[str, str], Mapping[Method, Floats]] = field(default_factory=dict)
    estimator: Mapping[str, Any] | None = None

    def to_json(self) -> dict[str, Any]:
        """As the evidence of a version holds it, with six digits; what is undefined is null."""
        slices: dict[str, dict[str, Any]] = {}
        for (of, measure), (values, errors) in self.figures.items():
            slices.setdefault(of, {})[measure] = {"values": _rounded(values), "errors": _rounded(errors)}
        estimates: dict[str, dict[str, Any]] = {ALL: {}}
        for (of, measure), by_method in self.estimates.items():
            values_of = {method.word: _rounded(values) for method, values in by_method.items()}
            estimates.setdefault(of, {})[measure] = values_of
        return {
            "nights": [day.isoformat() for day in self.nights],
            "slices": slices,
            "estimates": estimates.pop(ALL),
            "slice_estimates": estimates,
            "estimator": self.estimator,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any] | None) -> "Rehearsal":
        """What `to_json` has given; of an older version, which lacks it, no night, or no estimates of parts."""
        if not stored:
            return cls()
        figures = {
            (of, measure): (_floats(one["values"]), _floats(one["errors"]))
            for of, measures in stored["slices"].items()
            for measure, one in measures.items()
        }
        estimates = {
            (of, measure): {Method[method.upper()]: _floats(values) for method, values in by_method.items()}
            for of, measures in ({ALL: stored["estimates"]} | stored.get("slice_estimates", {})).items()
            for measure, by_method in measures.items()
        }
        nights = tuple(map(date.fromisoformat, stored["nights"]))
        return cls(nights, figures, estimates, stored["estimator"])

    def outcomes(self, of: str, measure: str, method: Method) -> list[Outcome]:
        """What became of the estimates of a slice's measure, oldest first."""
        estimated = self.estimates.get((of, measure), {}).get(method)
        realised = self.figures.get((of, measure))
        if estimated is None or realised is None:
            return []
        both = np.isfinite(estimated) & np.isfinite(realised[0])
        return [Outcome(*map(float, pair)) for pair in zip(estimated[both], realised[0][both], strict=True)]


def rehearse(
    day: Days, final_on: Days, truth: Truth, score: Floats, parts: Mapping[str, Booleans], last: int = LAST
) -> Rehearsal:
    """Follow the nights of labelled rows one after another, each with the labels that were final by then.

    Args:
        day: the local date of each row, ascending.
        final_on: the first run date at which each row's label is final.
        truth: of the rows, scored by fits that had not seen them.
        score: of each row, of several classes (rows, classes).
        parts: name of a slice -> whether each row is of it.
        last: how many nights are kept.

    Example:
        >>> from nightjar.evaluation.clusters import Clusters
        >>> from nightjar.settings.task import Task
        >>> day = np.repeat(np.arange("2024-01-01", "2024-02-10", dtype="datetime64[D]"), 50)
        >>> random, rows = np.random.default_rng(0), np.arange(2000)
        >>> score = random.uniform(0, 1, 2000)
        >>> truth = Truth(Task.CLASSIFICATION, random.random(2000) < score, Clusters(rows, rows))
        >>> past = rehearse(day, day + 1, truth, score, {})
        >>> len(past.nights), int(np.isnan(past.estimates["all", "brier"][Method.CONFIDENCE]).sum())
        (40, 7)
    """
    nights, starts = np.unique(day, return_index=True)
    ends = [*starts[1:], len(day)]
    followed, figures, estimates = nights[-last:], list[Followed](), list[_Estimated]()
    for night, start, end in list(zip(nights, starts, ends, strict=True))[-last:]:
        rows = np.arange(start, end)
        own, scores, of_night = select_rows(truth, rows), score[rows], _of(parts, rows)
        of_parts = [*shift_figures(own, scores, of_night), *part_metrics(own, scores, of_night)]
        figures.append(iter([*metric_figures(own, scores), *of_parts]))
        earlier = learned_rows(day[:start], final_on[:start], night)
        if len(np.unique(day[earlier])) < FEWEST_NIGHTS:
            estimates.append({})
            continue
        estimator = Estimator.fit(select_rows(truth, earlier), score[earlier])
        estimator = replace(estimator, standard=own.standard)
        of_all = estimator.estimate(scores, own.weight, own.query)
        expected = {(ALL, measure): by_method for measure, by_method in of_all.items()}
        of_each = part_estimates(estimator, scores, own.weight, of_night)
        estimates.append(expected | {(of, measure): by_method for of, measure, by_method in of_each})
    dates = tuple(date.fromisoformat(str(night)) for night in followed)
    return Rehearsal(dates, _series(figures), _estimates(estimates), _learned_last(day, truth, score))


def _learned_last(day: Days, truth: Truth, score: Floats) -> dict[str, Any] | None:
    rows = learned_rows(day, day, day[-1]) if len(day) else np.array([], np.intp)
    if len(np.unique(day[rows])) < FEWEST_NIGHTS:
        return None
    return Estimator.fit(select_rows(truth, rows), score[rows]).to_json()


def learned_rows(day: Days, final_on: Days, night: np.datetime64) -> RowNumbers:
    """The rows from which the estimate of a night is learned: of the last dates whose labels are final by then."""
    usable = np.flatnonzero(final_on <= night)
    if not len(usable):
        return usable
    recent = usable[day[usable] > day[usable].max() - np.timedelta64(LEARNED_FROM, "D")]
    thinned: RowNumbers = recent[:: -(-len(recent) // MOST_ROWS)]
    return thinned


def select_rows(truth: Truth, rows: RowNumbers) -> Truth:
    """Some of the rows, with the decisions about them where these are on record."""
    part, decisions = truth.take(rows), truth.standard.decisions
    return part if decisions is None else replace(part, standard=replace(part.standard, decisions=decisions[rows]))


def error_of(one: Interval) -> float:
    """The standard error of a figure by the width of its interval; NaN where it has none: too few rows tell of it."""
    return float("nan") if one.low is None or one.high is None else (one.high - one.low) / _WIDTH


def _of(parts: Mapping[str, Booleans], rows: RowNumbers) -> dict[str, Booleans]:
    return {name: member[rows] for name, member in parts.items()}


def _series(nights: list[Followed]) -> dict[tuple[str, str], tuple[Floats, Floats]]:
    series: dict[tuple[str, str], tuple[Floats, Floats]] = {}
    for number, figures in enumerate(nights):
        for of, measure, one in figures:
            empty = np.full(len(nights), np.nan), np.zeros(len(nights))
            values, errors = series.setdefault((of, measure), empty)
            if one.estimate is not None:
                values[number], errors[number] = one.estimate, error_of(one)
    return series


def _estimates(nights: list[_Estimated]) -> dict[tuple[str, str], dict[Method, Floats]]:
    result: dict[tuple[str, str], dict[Method, Floats]] = {}
    for number, estimates in enumerate(nights):
        for key, by_method in estimates.items():
            for method, value in by_method.items():
                of_method = result.setdefault(key, {}).setdefault(method, np.full(len(nights), np.nan))
                of_method[number] = value
    return result


def _rounded(values: Floats) -> list[float | None]:
    return [None if np.isnan(value) else float(f"{value:.{_DIGITS}g}") for value in values]


def _floats(values: list[float | None]) -> Floats:
    return np.array([np.nan if value is None else value for value in values], np.float64)
