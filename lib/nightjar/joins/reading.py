"""What a task reads of the facts: its columns of the rows that its share of the spine can ask about."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from nightjar.asof import Facts
from nightjar.joins.planner import Planned
from nightjar.joins.stored import StoredFacts
from nightjar.tables import scan
from nightjar.tables.layouts import EVENT_TIME, KNOWN_AT, RETRACTION
from nightjar.tables.scan import DataFile, Snapshot


def whole(planned: Sequence[Planned]) -> list[tuple[StoredFacts, Facts]]:
    """Each table once, all of its rows: versions are resolved over the whole source."""
    tables = {one.files.table: one.files for one in planned}
    read = {table: scan.read(files, _columns(planned, table)) for table, files in tables.items()}
    return [(one.facts, one.facts.asked(read[one.files.table])) for one in planned]


def laid_out(
    planned: Sequence[Planned],
    spine: pa.Table,
    files: Mapping[str, Snapshot],
    prediction_time: str,
    known_by: str | None,
) -> list[tuple[StoredFacts, Facts]]:
    """Each layout once, the rows that can matter to these spine rows.

    A row that happened or became known after the last of them changes nothing: a fact that moved has left a
    retraction at its old place. Neither does a row that is older than the history of all that is asked of it.

    Args:
        planned: what is asked.
        spine: the task's rows.
        files: layout -> the files of the task's bucket.
        prediction_time: see `nightjar.asof.join`.
        known_by: see `nightjar.asof.join`.
    """
    times: Any = pc.min_max(spine.column(prediction_time))
    known = pc.max(spine.column(known_by)) if known_by else times["max"]
    tables = {}
    for table, chosen in files.items():
        asked = [one.facts for one in planned if one.files.table == table]
        oldest = _oldest(asked, times["min"])
        needed = chosen.where(_of_times(oldest.as_py() if oldest is not None else None, times["max"].as_py()))
        happened = (pc.field(EVENT_TIME) <= times["max"]) & (pc.field(KNOWN_AT) <= known)
        condition = happened if oldest is None else happened & (pc.field(EVENT_TIME) >= oldest)
        rows = scan.read(needed, [*_columns(planned, table), RETRACTION], condition)
        tables[table] = rows if oldest is None else rows.filter(condition)
    return [(one.facts, one.facts.asked(tables[one.files.table], RETRACTION)) for one in planned]


def _of_times(since: datetime | None, until: datetime) -> Callable[[DataFile], bool]:
    return lambda file: file.may_hold(EVENT_TIME, since, until)


def _oldest(asked: Sequence[StoredFacts], earliest: Any) -> Any:
    """The event_time before which no row is looked at; None: all are."""
    histories = [facts.history for facts in asked]
    bounded = [history for history in histories if history is not None]
    if len(bounded) < len(histories) or not earliest.is_valid:
        return None
    return pc.subtract(earliest, pa.scalar(max(bounded, default=timedelta(0)), pa.duration("us")))


def _columns(planned: Sequence[Planned], table: str) -> list[str]:
    return sorted(set[str]().union(*(one.facts.columns() for one in planned if one.files.table == table)))
