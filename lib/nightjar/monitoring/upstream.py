"""The systems that facts come from: whether they still bring new ones, and whether their units are those of before."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import unquote

from nightjar.monitoring.drift_references import Reference
from nightjar.monitoring.signals import Kind, Signal, State
from nightjar.settings.project import Project
from nightjar.tables import scan
from nightjar.tables.warehouse import Warehouse
from nightjar.timeline import cutoff

WATCHED_NIGHTS = 28
"""Nights before whose newest facts say how old facts usually are."""
LEAST_NIGHTS = 7
CLOCK = "event_time"


@dataclass(frozen=True)
class Freshness:
    """How old the newest fact of a source is at a night's midnight.

    Attributes:
        age: tonight; None: no row of the night has any fact.
        usual: the greatest age of the nights before; None: there are fewer than seven.
        is_frozen: nothing newer has come than the night before had.
    """

    source: str
    age: timedelta | None
    usual: timedelta | None
    is_frozen: bool

    @property
    def is_late(self) -> bool:
        """Whether it is older than on any of the nights before, by more than an hour."""
        return self.usual is not None and (self.age is None or self.age > self.usual + timedelta(hours=1))


def freshness(warehouse: Warehouse, project: Project, run_date: date, version: int) -> Iterator[Freshness]:
    """How fresh each source of features is, by the statistics of the night's files and of those of the nights before.

    A source without clocks in the features, or whose files have no statistics, is not looked at.
    """
    files = scan.snapshot(warehouse, "features", version)
    if files.unreadable is not None:
        return
    first = run_date - timedelta(days=WATCHED_NIGHTS)
    recent = files.where(lambda file: first <= file.partition["run_date"] <= run_date)
    clocks: dict[str, list[str]] = {}
    for name, group in project.features.items():
        if f"{name}__{CLOCK}" in files.schema.names:
            clocks.setdefault(group.source, []).append(f"{name}__{CLOCK}")
    newest = _newest(recent, [name for names in clocks.values() for name in names])
    for source, names in clocks.items():
        by_night = {
            night: max((one[name] for name in names if name in one), default=None) for night, one in newest.items()
        }
        if run_date in by_night:
            yield _freshness(source, by_night, run_date, project.zone)


def _freshness(source: str, by_night: Mapping[date, datetime | None], run_date: date, zone: str) -> Freshness:
    ages = {night: cutoff(night, zone) - one for night, one in by_night.items() if one is not None}
    before = sorted(night for night in ages if night < run_date)
    usual = max(ages[night] for night in before) if len(before) >= LEAST_NIGHTS else None
    tonight = by_night[run_date]
    last = by_night[before[-1]] if before else None
    return Freshness(source, ages.get(run_date), usual, tonight is None or (last is not None and tonight <= last))


def _newest(files: scan.Snapshot, clocks: Sequence[str]) -> dict[date, dict[str, datetime]]:
    """Night -> clock -> its newest instant, by the footers of the night's files."""
    newest: dict[date, dict[str, datetime]] = {}
    with scan.translate_read_errors(files):
        fragments = {fragment.path: fragment for fragment in scan.dataset(files).get_fragments()}
    for file in files.files:
        night = newest.setdefault(file.partition["run_date"], {})
        for name, instant in _greatest(fragments[unquote(file.path)], clocks):
            night[name] = max(instant, night.get(name, instant))
    return newest


def _greatest(fragment: Any, clocks: Sequence[str]) -> Iterator[tuple[str, datetime]]:
    for group in fragment.row_groups:
        statistics = group.statistics or {}
        for name in clocks:
            if statistics.get(name, {}).get("max") is not None:
                yield name, statistics[name]["max"]


UNITS = {
    "miles became kilometres": 1.609344,
    "kilometres became miles": 1 / 1.609344,
    "feet became metres": 0.3048,
    "metres became feet": 1 / 0.3048,
    "inches became centimetres": 2.54,
    "pounds became kilograms": 0.45359237,
    "kilograms became pounds": 1 / 0.45359237,
    "gallons became litres": 3.785411784,
    "hours became minutes": 60.0,
    "minutes became hours": 1 / 60,
    "days became hours": 24.0,
    "hours became days": 1 / 24,
    "shares became percents": 100.0,
    "percents became shares": 0.01,
    "thousands became ones": 1000.0,
    "ones became thousands": 0.001,
}
"""In words -> by what values are multiplied."""
ALIKE = 0.05
"""Mean and deviation have to lie so near to the factor, as a share of it."""


def changed_unit(reference: Reference, mean: float, std: float) -> str | None:
    """The change of a unit that would explain tonight's mean and deviation, which both went by its factor; or None.

    Example:
        >>> from nightjar.evaluation.histograms import Bins
        >>> import numpy as np
        >>> miles = Reference(Bins("numeric", (0.0, 1.0)), np.zeros(4, np.int64), mean=1000.0, std=700.0)
        >>> changed_unit(miles, 1612.0, 1120.0), changed_unit(miles, 1612.0, 700.0)
        ('miles became kilometres', None)
    """
    if not reference.mean or not reference.std or not std or mean * reference.mean <= 0:
        return None
    ratios = mean / reference.mean, std / reference.std
    fits = {
        words: max(abs(math.log(ratio / factor)) for ratio in ratios)
        for words, factor in UNITS.items()
        if all(abs(ratio / factor - 1) <= ALIKE for ratio in ratios)
    }
    return min(fits, key=lambda words: fits[words], default=None)


def source_signals(fresh: Iterable[Freshness], project: str, run_date: date) -> Iterator[Signal]:
    """A signal for each source whose facts are older than usual; where none is, one for all."""
    every = list(fresh)
    late = [one for one in every if one.is_late]
    for one in late:
        usual = _hours(one.usual)
        age = f"its newest fact is {_hours(one.age)} old" if one.age is not None else "the night has none of its facts"
        since = "; nothing newer has come since the night before" if one.is_frozen else ""
        yield Signal(
            Kind.UPSTREAM,
            f"source {one.source}",
            State.ACT if one.is_frozen else State.WATCH,
            f"Source {one.source} is late: {age}, and was {usual} at most on the nights before{since}. Features of it "
            "are those of the past.",
            f"python jobs/ingest.py project={project} run_date={run_date}",
            None,
            {"age_hours": _number(one.age), "usual_hours": _number(one.usual)},
        )
    judged = [one for one in every if one.usual is not None]
    if judged and not late:
        names = ", ".join(one.source for one in judged)
        yield Signal(Kind.UPSTREAM, "all sources", State.OK, f"The newest facts are as fresh as usual: {names}.")


def _number(age: timedelta | None) -> float | None:
    return None if age is None else age / timedelta(hours=1)


def _hours(age: timedelta | None) -> str:
    return "unknown" if age is None else f"{age / timedelta(hours=1):.0f} hours"
