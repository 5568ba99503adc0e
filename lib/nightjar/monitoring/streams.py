"""Daily figures as streams: whether one has changed since the nights of the training that they are held to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import numpy as np

from nightjar.evaluation.change_detection import FEWEST, Detection, detect
from nightjar.evaluation.followed import AGAINST_REST, ALL, EXCESS_LOSS, LABEL_SHIFT
from nightjar.evaluation.intervals import Interval
from nightjar.evaluation.rehearsal import Rehearsal, error_of
from nightjar.evaluation.rows import Floats
from nightjar.monitoring.history import Key, Row
from nightjar.monitoring.part_figures import COST, CRITERIA
from nightjar.monitoring.signals import Kind
from nightjar.settings.monitoring.detection import Detector
from nightjar.settings.task import METRICS, Metric, Task

RECENT = 28
"""Nights of which the mean is told."""
Worse = Literal["lower", "higher", "either"]
_OF_GROUPS = {f"{name}{AGAINST_REST}" for name in CRITERIA}


@dataclass(frozen=True, eq=False)
class Stream:
    """One figure, night by night, each by final labels.

    Attributes:
        of: the slice.
        measure: its name.
        kind: what has changed where it has.
        nights: dates, ascending: those of the training first.
        values: the figure of each, NaN where it is undefined.
        errors: its standard errors, NaN where it has none: such a night is left out.
        judged_from: the first night after the training.
    """

    of: str
    measure: str
    kind: Kind
    nights: tuple[date, ...]
    values: Floats
    errors: Floats
    judged_from: date

    @property
    def subject(self) -> str:
        """How a signal calls it."""
        return self.measure if self.of == ALL else f"{self.measure} of {self.of}"

    def recent(self) -> tuple[float, int] | None:
        """The mean of the last judged nights, and how many these are; None: there is none."""
        own = [value for night, value in zip(self.nights, self.values, strict=True) if night >= self.judged_from]
        values = np.array(own)[np.isfinite(own)][-RECENT:] if own else np.array([])
        return (float(values.mean()), len(values)) if len(values) else None

    def since(self, first: date) -> float | None:
        """The mean of the nights from one on; None: there is none."""
        values = self.values[[night >= first for night in self.nights]]
        values = values[np.isfinite(values)]
        return float(values.mean()) if len(values) else None


def streams_of(figures: Mapping[date, Mapping[Key, Row]], past: Rehearsal, task: Task) -> list[Stream]:
    """All figures that are followed, of one version.

    Where the training has no such nights, or fewer than 28, the first nights of the version are what later ones are
    held to.

    Args:
        figures: its nights with final labels, ascending.
        past: the nights of its training.
        task: of the label.
    """
    keys = {key for rows in figures.values() for key in rows} | set(past.figures)
    kinds = {key: _kind(*key, task) for key in sorted(keys)}
    return [_stream(key, kind, figures, past) for key, kind in kinds.items() if kind is not None]


def detections(streams: Sequence[Stream], detector: Detector) -> list[Detection]:
    """What each stream says on its last night: of all of them together one in 50 nights is a false alarm at most.

    Figures of all rows have half of that chance, however many parts are watched: they are what is asked about first.
    """
    of_all = sum(one.of == ALL for one in streams)
    shares = 2 if 0 < of_all < len(streams) else 1
    numbers = {True: shares * of_all, False: shares * (len(streams) - of_all)}
    return [
        detect(
            one.values,
            one.errors,
            one.nights,
            judged_from=one.judged_from,
            worse=worse_of(one.measure),
            streams=numbers[one.of == ALL],
            detector=detector,
        )
        for one in streams
    ]


def worse_of(measure: str) -> Worse:
    """In which direction a change is looked for."""
    if measure in {metric.value for metric in Metric}:
        return "lower" if Metric(measure).greater_is_better else "higher"
    return "higher" if measure in (EXCESS_LOSS, COST) else "either"


def _kind(of: str, measure: str, task: Task) -> Kind | None:
    """What a change of the figure is called; None: the figure is not followed."""
    if of == ALL:
        if measure in {metric.value for metric in METRICS[task]} | {COST}:
            return Kind.PERFORMANCE
        if measure.startswith(LABEL_SHIFT):
            return Kind.PRIOR
        return Kind.CONCEPT if measure == EXCESS_LOSS else None
    if measure in _OF_GROUPS:
        return Kind.FAIRNESS
    compares = measure.startswith(f"{LABEL_SHIFT}{AGAINST_REST}") or measure == EXCESS_LOSS
    return Kind.CONCEPT if compares else None


def _stream(key: Key, kind: Kind, figures: Mapping[date, Mapping[Key, Row]], past: Rehearsal) -> Stream:
    own = {night: rows[key] for night, rows in figures.items() if key in rows}
    first = min(figures, default=date.max)
    values, errors = past.figures.get(key, (np.array([]), np.array([])))
    before = [night for night in past.nights if night < first] if len(values) else []
    values, errors = values[: len(before)], errors[: len(before)]
    nights = (*before, *own)
    lacking = max(0, FEWEST - int((np.isfinite(values) & np.isfinite(errors)).sum()))
    judged_from = first if not lacking else _after(sorted(own), lacking, first)
    of_own = [_value(row) for row in own.values()]
    return Stream(
        *key,
        kind,
        nights,
        np.concatenate([values, [value for value, _ in of_own]]),
        np.concatenate([errors, [error for _, error in of_own]]),
        judged_from,
    )


def _after(own: Sequence[date], lacking: int, first: date) -> date:
    """The night after so many of the version's own."""
    if len(own) > lacking:
        return own[lacking]
    return (own[-1] if own else first) + timedelta(days=1) if own else first


def _value(row: Row) -> tuple[float, float]:
    value = row["value"]
    error = error_of(Interval(value, row.get("low"), row.get("high"), 0))
    return (np.nan, 0.0) if value is None else (float(value), error)
