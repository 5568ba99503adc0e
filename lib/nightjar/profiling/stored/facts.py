"""The facts that a source has stored, read a batch at a time: only the columns and files that are needed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from nightjar.asof.values import INSTANT, Ints
from nightjar.errors import TableError
from nightjar.profiling.stored.periods import DAY, Periods, day_number, day_numbers
from nightjar.settings.sources import STAMPS
from nightjar.tables import opening, requirements, scan
from nightjar.tables.layouts import EVENT_TIME, KNOWN_AT
from nightjar.tables.scan import Snapshot
from nightjar.tables.source_definitions import source_table_name
from nightjar.tables.warehouse import Warehouse
from nightjar.timeline import YEAR_1, YEAR_10000, instant

INGESTED_ON = "ingested_on"


@dataclass(frozen=True)
class StoredFacts:
    """The facts of a source at one version of its table.

    Attributes:
        snapshot: the live files.
        zone: whose days are counted.
        where: which facts.
    """

    snapshot: Snapshot
    zone: str
    where: ds.Expression

    @property
    def columns(self) -> list[str]:
        """What is looked at: the clock `known_at` and the source's own columns, not what `ingest` notes beside them."""
        return [name for name in self.snapshot.schema.names if name == KNOWN_AT or name not in STAMPS]

    def days(self) -> tuple[Ints, Ints]:
        """The local days that have facts, as days since 1970, ascending; and how many each has."""
        counts = dict[int, int]()
        for batch in scan.batches(self.snapshot, [EVENT_TIME], self.where):
            days, facts = np.unique(self._days_of(batch.column(0)), return_counts=True)
            for day, number in zip(days.tolist(), facts.tolist(), strict=True):
                counts[day] = counts.get(day, 0) + number
        ascending = sorted(counts)
        return np.array(ascending, np.int64), np.array([counts[day] for day in ascending], np.int64)

    def batches(self, periods: Periods, columns: Sequence[str]) -> Iterator[tuple[Ints, list["pa.Array[Any]"]]]:
        """The period of each fact in the periods, and its values, some facts at a time."""
        # Two days more on both sides: no zone is further from UTC.
        since, until = _midnight(periods.since, -2), _midnight(periods.until, 3)
        where = self.where & (pc.field(EVENT_TIME) >= pa.scalar(since, INSTANT))
        where &= pc.field(EVENT_TIME) <= pa.scalar(until, INSTANT)
        files = self.snapshot.where(lambda file: file.may_hold(EVENT_TIME, since, until))
        for batch in scan.batches(files, [EVENT_TIME, *columns], where):
            numbers = periods.numbers(self._days_of(batch.column(0)))
            is_inside: npt.NDArray[np.bool_] = (numbers >= 0) & (numbers < len(periods))
            inside = pa.array(is_inside)
            yield numbers[is_inside], [column.filter(inside) for column in batch.columns[1:]]

    def _days_of(self, event_times: "pa.Array[Any]") -> Ints:
        moments: Any = event_times.cast(INSTANT).cast(pa.int64())
        return day_numbers(moments.to_numpy(), self.zone)


def open_facts(warehouse: Warehouse, source: str, zone: str, run_date: date | None) -> StoredFacts:
    """The facts of a source that nights up to a date have stored; all of them without a date.

    Raises:
        TableError: none is stored yet, or the table cannot be read from its files.
    """
    table = source_table_name(source)
    delta_table = opening.find(warehouse, table)
    if delta_table is None:
        raise TableError(
            f"Source {source} has no stored facts yet: there is no table {table} at {warehouse.path(table)}. Run "
            f"jobs/ingest.py first, or look at the raw data: ingest --preview {source}."
        )
    requirements.check_readable(delta_table, table, warehouse.path(table))
    snapshot = scan.snapshot_of(delta_table, warehouse, table)
    where: ds.Expression = pc.scalar(True) if run_date is None else pc.field(INGESTED_ON) <= pa.scalar(run_date)
    return StoredFacts(snapshot, zone, where)


def _midnight(day: date, days: int) -> datetime:
    """Midnight in UTC some days before or after a day; the first or last instant there is where that is beyond it."""
    return instant(min(max((day_number(day) + days) * DAY, YEAR_1 * 1_000_000), YEAR_10000 * 1_000_000 - 1))
