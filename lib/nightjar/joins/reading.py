"""What a task reads of the facts: its columns of the rows that its share of the spine can ask about."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from nightjar.asof import Clocks, Facts, Windowed
from nightjar.asof.values import EARLIEST, column_of, instants, present
from nightjar.durations import duration_of, microseconds
from nightjar.joins.planner import Planned
from nightjar.joins.stored import StoredFacts
from nightjar.tables import scan
from nightjar.tables.layouts import EVENT_TIME, KNOWN_AT, RETRACTION
from nightjar.tables.scan import Snapshot
from nightjar.tables.table import INSTANT

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CALENDAR = (-62_135_596_800_000_000, 253_402_300_799_999_999)
"""The first and the last microsecond that Python's instants have."""


def whole(planned: Sequence[Planned]) -> list[tuple[StoredFacts, Facts]]:
    """Each table once, all of its rows: versions are resolved over the whole source."""
    tables = {one.files.table: one.files for one in planned}
    read = {table: scan.read(files, _columns(planned, table)) for table, files in tables.items()}
    return [(one.facts, one.facts.asked(read[one.files.table])) for one in planned]


@dataclass(frozen=True)
class Share:
    """What one task reads of laid out facts.

    Attributes:
        files: layout -> the files of the task's bucket.
        start: the first prediction time of its slice of the bucket, in microseconds; None: it has no earlier slice.
    """

    files: Mapping[str, Snapshot]
    start: int | None = None


def laid_out(
    planned: Sequence[Planned],
    spine: pa.Table,
    share: Share,
    carried: Mapping[str, pa.Table],
    clocks: Clocks,
) -> list[tuple[StoredFacts, Facts]]:
    """Each layout once, the rows that can matter to these spine rows.

    A row that happened or became known after the last of them changes nothing: a fact that moved has left a
    retraction at its old place. Neither does a row that is older than the history of all that is asked of it, or one
    older than the longest window before a slice, unless it is carried in.

    Where some facts are asked without `history`, no file is left out for its age alone, but in later slices of a heavy
    bucket. Every join gives the clocks of the latest fact, however old, and a file's statistics do not tell whether it
    holds the latest one of some key: only reading it does. For slices it is read once and what matters is carried on;
    for a whole bucket that would be the same reading, and then the join's.

    Args:
        planned: what is asked.
        spine: the task's rows.
        share: what the task may read.
        carried: layout -> rows from before the share's start that it needs.
        clocks: of the spine.
    """
    first, last = _bounds(spine, clocks.prediction_time)
    known = _bounds(spine, clocks.known_by)[1] if clocks.known_by else last
    happened = (pc.field(EVENT_TIME) <= instant(last)) & (pc.field(KNOWN_AT) <= instant(known))
    tables = {}
    for table, files in share.files.items():
        here = [one for one in planned if one.files.table == table]
        oldest = _oldest([one.facts for one in here], first, share.start)
        condition = happened if oldest is None else happened & (pc.field(EVENT_TIME) >= instant(oldest))
        rows = rows_of(here, files, oldest, last, condition, exactly=oldest is not None)
        if oldest is not None and table in carried:
            older = carried[table].filter(pc.field(EVENT_TIME) < instant(oldest))
            rows = pa.concat_tables([older, rows])
        tables[table] = rows
    return [(one.facts, asked(one, tables[one.files.table])) for one in planned]


def asked(planned: Planned, rows: pa.Table) -> Facts:
    """What is asked, over rows of a layout."""
    return planned.facts.asked(rows, RETRACTION)


def rows_of(
    planned: Sequence[Planned],
    files: Snapshot,
    since: int | None,
    until: int | None,
    condition: ds.Expression,
    *,
    exactly: bool = True,
) -> pa.Table:
    """The columns that are asked of one layout, of the rows that meet a condition on event times since and until.

    Both are in microseconds; a file's bounds lie on Python's calendar, years 1 to 9999, and are compared there.
    Not exactly: of the row groups that may hold such rows, where few others are to be expected.
    """
    begin, end = _on_the_calendar(since), _on_the_calendar(until)
    of_times = files.where(lambda file: file.may_hold(EVENT_TIME, begin, end))
    rows = scan.read(of_times, [*_columns(planned, files.table), RETRACTION], condition)
    return rows.filter(condition) if exactly else rows


def instant(moment: int | None) -> Any:
    """Microseconds since 1970 as Arrow compares them with a clock. Python's own instants end with the year 9999."""
    return pa.scalar(moment, pa.int64()).cast(INSTANT)


def _bounds(spine: pa.Table, clock: str) -> tuple[int | None, int | None]:
    """The first and the last instant of a column in microseconds; None where it has none."""
    column = column_of(spine, clock)
    found: Any = pc.min_max(pa.array(instants(column, f"spine, column {clock!r}"), mask=~present(column)))
    return found["min"].as_py(), found["max"].as_py()


def _oldest(asked: Sequence[StoredFacts], earliest: int | None, start: int | None) -> int | None:
    """The event_time before which no row is read; None: all are."""
    histories = [duration_of(facts.history).at_most() for facts in asked if facts.history is not None]
    if len(histories) == len(asked):
        return _earlier(earliest, max(histories, default=timedelta(0)))
    windows = [feature.window for facts in asked for feature in facts.features if isinstance(feature, Windowed)]
    return _earlier(start, max((duration_of(window).at_most() for window in windows), default=timedelta(0)))


def _earlier(moment: int | None, by: timedelta) -> int | None:
    """The moment moved back, None where that is before the first one there is."""
    back = None if moment is None else moment - microseconds(by)
    return None if back is None or back < EARLIEST else back


def _on_the_calendar(moment: int | None) -> datetime | None:
    """The instant, or the first or last one that Python has."""
    first, last = CALENDAR
    return None if moment is None else EPOCH + timedelta(microseconds=min(max(moment, first), last))


def _columns(planned: Sequence[Planned], table: str) -> list[str]:
    return sorted(set[str]().union(*(one.facts.columns() for one in planned if one.files.table == table)))
