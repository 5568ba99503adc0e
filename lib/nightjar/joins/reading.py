"""Read the facts that a task needs: some columns of the rows that its share of the spine can see."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from nightjar.asof import Clocks, Facts, Windowed
from nightjar.asof.values import EARLIEST, column_of, instants, present
from nightjar.durations import duration_of, microseconds
from nightjar.joins.planner import JoinPlan
from nightjar.joins.stored_facts import StoredFacts
from nightjar.tables import scan
from nightjar.tables.entries import DataFile
from nightjar.tables.layouts import EVENT_TIME, KNOWN_AT, RETRACTION
from nightjar.tables.scan import Snapshot
from nightjar.tables.table import INSTANT
from nightjar.timeline import YEAR_1, YEAR_10000

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CALENDAR = (YEAR_1 * 1_000_000, YEAR_10000 * 1_000_000 - 1)
"""The first and the last microsecond of Python's datetime."""


def read_whole(plans: Sequence[JoinPlan], spine: pa.Table | None = None) -> list[tuple[StoredFacts, Facts]]:
    """All rows of the facts, each table read once: versions are resolved over the whole source.

    Given the rows of the spine, a table with facts for one join may lack those that cannot be theirs (`of_keys`).
    """
    uses = Counter(plan.files.table for plan in plans)
    read = dict[str, pa.Table]()
    for plan in plans:
        facts, files = plan.facts, plan.files
        if files.table in read:
            continue
        chosen = FactRows(files)
        if spine is not None and uses[files.table] == 1:
            chosen = of_keys(files, facts.keys, facts.fact_id, spine)
        read[files.table] = chosen.read(_columns(plans, files.table))
    return [(plan.facts, plan.facts.to_facts(read[plan.files.table])) for plan in plans]


@dataclass(frozen=True)
class FactRows:
    """Rows of a table with facts.

    Attributes:
        files: with all of them.
        condition: that they meet; None: they are all rows of the files.
    """

    files: Snapshot
    condition: ds.Expression | None = None

    def read(self, columns: Sequence[str]) -> pa.Table:
        """Columns of the rows."""
        rows = scan.read(self.files, columns, self.condition)
        return rows if self.condition is None else rows.filter(self.condition)


def of_keys(files: Snapshot, keys: Mapping[str, str], fact_id: Sequence[str], rows: pa.Table) -> FactRows:
    """The facts without some that have no key of the rows: all versions of any other fact are among them.

    Versions of a fact share what identifies it, so only keys that are part of that leave facts out; all keys do where
    facts have no versions. Keys of another type than the rows' leave out none, nor do floating ones, of which many are
    equal.

    Args:
        files: of the facts.
        keys: column of the rows -> column of the facts.
        fact_id: the columns that identify a fact.
        rows: that the facts are for.
    """
    condition: ds.Expression | None = None
    for column, of_fact in keys.items():
        values = rows.column(column).combine_chunks().drop_null().unique()
        kind = files.schema.field(of_fact).type
        if values.type != kind or pa.types.is_floating(kind) or (fact_id and of_fact not in fact_id):
            continue
        has_key = pc.field(of_fact).isin(values)
        condition = has_key if condition is None else condition & has_key
        if kind == INSTANT:
            bounds: Any = pc.min_max(values.cast(pa.int64()))
            begin, end = (_on_the_calendar(bounds[end].as_py()) for end in ("min", "max"))
            files = files.where(partial(DataFile.may_hold, column=of_fact, since=begin, until=end))
    return FactRows(files, condition)


@dataclass(frozen=True)
class Share:
    """The part of layouts that one task reads.

    Attributes:
        files: layout -> the files of the task's bucket.
        start: the first prediction time of its slice of the bucket, in microseconds; None: it is the first slice.
    """

    files: Mapping[str, Snapshot]
    start: int | None = None


def read_layouts(
    plans: Sequence[JoinPlan],
    spine: pa.Table,
    share: Share,
    carried: Mapping[str, pa.Table],
    clocks: Clocks,
) -> list[tuple[StoredFacts, Facts]]:
    """The rows of facts that can matter to these spine rows, each layout read once.

    Not needed are rows that happened or became known after the last spine row (a fact that moved has left a retraction
    at its old place), rows older than the history of all facts that use the layout, and those older than the longest
    window before a slice, unless they are carried in.

    Where some facts have no `history`, no file is skipped for its age, except in later slices of a heavy bucket: every
    join returns the clocks of the latest fact, however old, and a file's statistics do not show whether it has the
    latest one of some key. For slices, earlier files are read once and the needed rows are carried; for a whole bucket
    that would only read the files twice.

    Args:
        plans: of the joins.
        spine: the task's rows.
        share: what the task reads.
        carried: layout -> rows from before the share's start that it needs.
        clocks: of the spine.
    """
    first, last = _bounds(spine, clocks.prediction_time)
    known_until = _bounds(spine, clocks.known_by)[1] if clocks.known_by else last
    is_visible = (pc.field(EVENT_TIME) <= instant(last)) & (pc.field(KNOWN_AT) <= instant(known_until))
    tables = {}
    for table, files in share.files.items():
        sharing = [plan for plan in plans if plan.files.table == table]
        oldest = _oldest([plan.facts for plan in sharing], first, share.start)
        condition = is_visible if oldest is None else is_visible & (pc.field(EVENT_TIME) >= instant(oldest))
        rows = read_rows(sharing, files, oldest, last, condition, exactly=oldest is not None)
        if oldest is not None and table in carried:
            older = carried[table].filter(pc.field(EVENT_TIME) < instant(oldest))
            rows = pa.concat_tables([older, rows])
        tables[table] = rows
    return [(plan.facts, layout_facts(plan, tables[plan.files.table])) for plan in plans]


def layout_facts(plan: JoinPlan, rows: pa.Table) -> Facts:
    """The kernel's facts, over rows of a layout."""
    return plan.facts.to_facts(rows, RETRACTION)


def read_rows(
    plans: Sequence[JoinPlan],
    files: Snapshot,
    since: int | None,
    until: int | None,
    condition: ds.Expression,
    *,
    exactly: bool = True,
) -> pa.Table:
    """The needed columns of one layout, of the rows that meet a condition on event times since and until.

    Both are in microseconds, and are clamped to years 1 to 9999, the range of the bounds of files.
    Not exactly: all rows of the row groups that may have such rows, for callers that tolerate a few others.
    """
    begin, end = _on_the_calendar(since), _on_the_calendar(until)
    of_times = files.where(lambda file: file.may_hold(EVENT_TIME, begin, end))
    rows = scan.read(of_times, [*_columns(plans, files.table), RETRACTION], condition)
    return rows.filter(condition) if exactly else rows


def instant(moment: int | None) -> Any:
    """Microseconds since 1970 as an Arrow timestamp. Python's own instants end with the year 9999."""
    return pa.scalar(moment, pa.int64()).cast(INSTANT)


def _bounds(spine: pa.Table, clock: str) -> tuple[int | None, int | None]:
    """The first and the last instant of a column in microseconds; None where it has no value."""
    column = column_of(spine, clock)
    extremes: Any = pc.min_max(pa.array(instants(column, f"spine, column {clock!r}"), mask=~present(column)))
    return extremes["min"].as_py(), extremes["max"].as_py()


def _oldest(stored_facts: Sequence[StoredFacts], earliest: int | None, start: int | None) -> int | None:
    """The event_time before which no row is read; None: all rows are."""
    histories = [duration_of(facts.history).at_most() for facts in stored_facts if facts.history is not None]
    if len(histories) == len(stored_facts):
        return _earlier(earliest, max(histories, default=timedelta(0)))
    windows = [feature.window for facts in stored_facts for feature in facts.features if isinstance(feature, Windowed)]
    return _earlier(start, max((duration_of(window).at_most() for window in windows), default=timedelta(0)))


def _earlier(moment: int | None, by: timedelta) -> int | None:
    """The moment moved back; None where that is before the earliest instant."""
    earlier = None if moment is None else moment - microseconds(by)
    return None if earlier is None or earlier < EARLIEST else earlier


def _on_the_calendar(moment: int | None) -> datetime | None:
    """The instant, clamped to the range of Python's datetime."""
    first, last = CALENDAR
    return None if moment is None else EPOCH + timedelta(microseconds=min(max(moment, first), last))


def _columns(plans: Sequence[JoinPlan], table: str) -> list[str]:
    return sorted(set[str]().union(*(plan.facts.columns() for plan in plans if plan.files.table == table)))
