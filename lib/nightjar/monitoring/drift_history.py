"""What table drift says of the nights before: counts, studentised distances, and since when columns move."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow.compute as pc

from nightjar.evaluation.histograms import Counts
from nightjar.monitoring.signals import State
from nightjar.tables import arrow
from nightjar.tables.monitoring_definitions import DRIFT, REFERENCES
from nightjar.tables.warehouse import Warehouse

DAYS = 28
JUDGED, COUNTED = "jensen_shannon", "psi"
"""The measures whose rows have what was judged, and the counts."""
NAMES = ("subject", "measure", "run_date", "studentised", "state", "counts")
BAD = (State.WATCH.value, State.ACT.value)


@dataclass(frozen=True)
class History:
    """Nights before a run date that were compared with the references of one version.

    Attributes:
        studentised: subject -> night -> studentised distance.
        states: subject -> night -> state.
        counts: subject -> night -> counts in the reference's bins.
    """

    studentised: Mapping[str, Mapping[date, float]] = field(default_factory=dict)
    states: Mapping[str, Mapping[date, str]] = field(default_factory=dict)
    counts: Mapping[str, Mapping[date, Counts]] = field(default_factory=dict)

    def distances(self) -> dict[str, list[float]]:
        """Subject -> its studentised distances, the last night's last."""
        return {name: [one[night] for night in sorted(one)] for name, one in self.studentised.items()}

    def since(self, subjects: Sequence[str], run_date: date) -> date:
        """The first of the nights in turn, up to this one, on which one of some subjects was to be looked at."""
        bad = {night for name in subjects for night, state in self.states.get(name, {}).items() if state in BAD}
        nights = sorted({night for one in self.states.values() for night in one}, reverse=True)
        since = run_date
        for night in nights:
            if night not in bad:
                break
            since = night
        return since

    def window(self, subject: str, run_date: date, days: int) -> list[Counts]:
        """The counts of a subject on the nights of a window that ends before a run date's own."""
        first = run_date - timedelta(days=days - 1)
        return [one for night, one in self.counts.get(subject, {}).items() if first <= night < run_date]


def read_history(
    warehouse: Warehouse, model_version: str, run_date: date, longest: int, version: int | None
) -> History:
    """The nights before a run date that a version scored; none where the table is of an earlier Nightjar.

    Args:
        warehouse: where the table lies.
        model_version: whose references they were compared with.
        run_date: the night after them.
        longest: days that are looked back.
        version: of the table; None: there is none.
    """
    if version is None or not set(NAMES) <= set(arrow.schema(warehouse, DRIFT.name, version).names):
        return History()
    where = (pc.field("run_date") >= run_date - timedelta(days=longest)) & (pc.field("run_date") < run_date)
    where &= (pc.field("model_version") == model_version) & pc.field("window_days").is_null()
    where &= (pc.field("slice") == "all") & pc.field("reference").is_null()
    where &= pc.field("measure").isin([JUDGED, COUNTED])
    rows = arrow.read(warehouse, DRIFT.name, NAMES, where, version).sort_by("run_date").to_pylist()
    history = History({}, {}, {})
    for kind, name, value in _entries(rows):
        getattr(history, kind).setdefault(name[0], {})[name[1]] = value
    return history


def _entries(rows: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, tuple[str, date], Any]]:
    for row in rows:
        name = row["subject"], row["run_date"]
        if row["measure"] == COUNTED and row["counts"] is not None:
            yield "counts", name, np.array(row["counts"], np.int64)
        if row["measure"] == JUDGED and row["state"] is not None:
            yield "states", name, row["state"]
        if row["measure"] == JUDGED and row["studentised"] is not None:
            yield "studentised", name, row["studentised"]


def nights_of_training(
    warehouse: Warehouse, model_version: str, subjects: Sequence[str], version: int
) -> dict[str, Counts]:
    """Subject -> counts of the nights that a version was trained on, (nights, bins), in the order of their dates."""
    where = (pc.field("model_version") == model_version) & pc.field("night").is_valid()
    where &= pc.field("column").isin(list(subjects))
    rows = arrow.read(warehouse, REFERENCES.name, ["column", "night", "counts"], where, version).sort_by("night")
    by_subject: dict[str, list[list[int]]] = {}
    for row in rows.to_pylist():
        by_subject.setdefault(row["column"], []).append(row["counts"])
    return {name: np.array(counts, np.int64) for name, counts in by_subject.items()}
