"""The table `scores_latest`: for each entity the prediction that is served now, changed only where that has changed."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nightjar.errors import BusyError, TableError
from nightjar.scoring.newest import ENTITY, Mask, Places, Served, is_older, may_serve, newest_of, places
from nightjar.settings.project import Project
from nightjar.tables import arrow, changes, opening, scan, sink, swapping
from nightjar.tables.predictions import FALLBACK
from nightjar.tables.runs import Outcome
from nightjar.tables.scan import Snapshot
from nightjar.tables.serving_definitions import latest_table
from nightjar.tables.transaction import MovedError, Note
from nightjar.tables.warehouse import Warehouse

log = logging.getLogger("nightjar.score")
LATEST = "scores_latest"
MARK = "scores"
"""In the table: the version of `scores` that it shows."""
NEW, RESCORED, CORRECTED, RESTORED = "new", "rescored", "corrected", "restored"
CHANGE, RUN_ID = "change", "run_id"
SCORER = ("model_version", "role", FALLBACK)
ATTEMPTS = 20


@dataclass(frozen=True)
class Stored:
    """The table as it is.

    Attributes:
        files: of its version.
        rows: all of them, file after file.
    """

    files: Snapshot
    rows: pa.Table

    def by_file(self, going: Mask) -> dict[str, Mask]:
        """Path of a file -> which of its rows go."""
        ends = np.cumsum([file.rows for file in self.files.files], dtype=np.int64)
        return {file.path: going[end - file.rows : end] for file, end in zip(self.files.files, ends, strict=True)}


def refresh(warehouse: Warehouse, project: Project, run_id: str) -> Outcome:
    """Let `scores_latest` show what `scores` serves at its latest version, whoever has changed that, in one commit.

    It holds the rows of the nights that have changed in memory, and those of the table itself.

    Raises:
        BusyError: others never stop committing. Nothing has changed.
        TableError: a table uses a feature that is not supported here, or is damaged. Nothing has changed.
    """
    if not arrow.exists(warehouse, "scores"):
        return Outcome()
    for _ in range(ATTEMPTS):
        try:
            return _refresh(warehouse, project, run_id)
        except MovedError:
            log.info("another run has changed %s meanwhile: it is looked at again", LATEST)
    raise BusyError(f"Table {LATEST} at {warehouse.path(LATEST)}: too many others are writing to it. Run it again.")


def _refresh(warehouse: Warehouse, project: Project, run_id: str) -> Outcome:
    scores = scan.snapshot(warehouse, "scores")
    table = latest_table(project, pa.schema([scores.schema.field(name) for name in project.spine.key]))
    arrow.ensure(warehouse, table)
    delta_table = opening.open_table(warehouse, table.name)
    shown = sink.mark(delta_table, MARK)
    outcome = Outcome(inputs={"scores": scores.version}, outputs={LATEST: int(delta_table.version())})
    if shown == scores.version:
        return outcome
    served = Served(project.name, project.spine.key, scores, sink.target(warehouse, table))
    stored = _stored(scan.snapshot_of(delta_table, warehouse, LATEST), served)
    changed = _changed_nights(warehouse, scores, shown)
    nights = served.nights() if changed is None else changed
    going, coming = _difference(served, stored.rows, nights, of_all=changed is None)
    note = Note(run_id, {"scores": scores.version}, {MARK: scores.version})
    new = coming.drop_columns([ENTITY])
    outcome.outputs[LATEST] = swapping.swap(warehouse, table, stored.files, stored.by_file(going), new, note)
    counts = f"{going.sum():,}", f"{len(coming):,}"
    log.info("%s: %s rows gone, %s rows come, as scores at version %s serves", LATEST, *counts, scores.version)
    return outcome


def _stored(files: Snapshot, served: Served) -> Stored:
    parts = [scan.read_file(files, file.path) for file in files.files]
    rows = pa.concat_tables(parts) if parts else files.schema.empty_table()
    return Stored(files, served.with_entities(rows))


def _changed_nights(warehouse: Warehouse, scores: Snapshot, shown: int | None) -> set[date] | None:
    """The nights that have other rows in `scores` than in the version that the table shows; None: it cannot be told."""
    if shown is None or shown > scores.version:
        return None
    try:
        added, removed = changes.changed_files(warehouse, "scores", shown, scores.version, may_serve)
    except (TableError, ValueError):
        return None
    return {file.partition["run_date"] for file in (*added, *removed)}


def _difference(served: Served, rows: pa.Table, nights: set[date], *, of_all: bool) -> tuple[Mask, pa.Table]:
    """Which rows of the table go, and the rows that come in their place or anew.

    A row that was the newest still is, unless its own night has changed, or one that has changed has a newer one.

    Args:
        served: what is served now.
        rows: of the table.
        nights: those that have changed.
        of_all: whether these are all nights.
    """
    newest = served.newest(nights)
    stale = np.full(len(rows), of_all) | _is_in(rows["run_date"], nights)
    at = places(rows, newest)
    remains_newest = np.zeros(len(rows), np.bool_)
    remains_newest[at >= 0] = is_older(_take(newest, at[at >= 0]), rows.filter(pa.array(at >= 0)))
    lost = rows.filter(pa.array(stale & ((at < 0) | remains_newest)))[ENTITY].combine_chunks()
    earlier = served.newest_of_some(served.nights() - nights, lost)
    unchanged = rows.filter(pa.array((at >= 0) & ~stale))
    now = newest_of([newest, unchanged, earlier]) if len(unchanged) or len(earlier) else newest
    return _compare(rows, now, stale | (at >= 0))


def _compare(rows: pa.Table, now: pa.Table, looked_at: Mask) -> tuple[Mask, pa.Table]:
    """Which rows of the table go, and what comes, given the newest rows of all entities that were looked at."""
    at = places(rows, now)
    both = looked_at & (at >= 0)
    differing = np.zeros(len(rows), np.bool_)
    before, after = rows.filter(pa.array(both)), _take(now, at[both])
    differing[both] = _differ(before, after, [name for name in rows.column_names if name not in (CHANGE, RUN_ID)])
    is_new = places(now, rows) < 0
    changed = _take(now, at[differing])
    added = now.filter(pa.array(is_new))
    coming = pa.concat_tables(
        [_marked(added, [NEW] * len(added)), _marked(changed, _kinds(rows.filter(pa.array(differing)), changed))]
    )
    return (looked_at & (at < 0)) | differing, coming


def _kinds(before: pa.Table, after: pa.Table) -> list[str]:
    """What has happened to each entity that had a row, and has another one."""
    is_same = ~_differ(before, after, ["prediction_id"])
    by_another, older = _differ(before, after, SCORER), is_older(after, before)
    columns = (column.tolist() for column in (is_same, by_another, older))
    return [
        (RESCORED if another else CORRECTED) if same else (RESTORED if is_earlier else NEW)
        for same, another, is_earlier in zip(*columns, strict=True)
    ]


def _take(rows: pa.Table, numbers: Places) -> pa.Table:
    chosen: pa.Array[Any] = pa.array(numbers)
    return rows.take(chosen)


def _marked(rows: pa.Table, kinds: list[str]) -> pa.Table:
    return rows.set_column(rows.column_names.index(CHANGE), CHANGE, pa.array(kinds, pa.string()))


def _differ(before: pa.Table, after: pa.Table, names: Sequence[str]) -> Mask:
    """Whether rows differ in some column from those in their places; nulls are alike, and so is NaN."""
    differ = np.zeros(len(before), np.bool_)
    for name in names:
        differ |= _values_differ(before[name], after[name])
    return differ


def _values_differ(before: "pa.ChunkedArray[Any]", after: "pa.ChunkedArray[Any]") -> Mask:
    if pa.types.is_nested(before.type):
        pairs = zip(before.to_pylist(), after.to_pylist(), strict=True)
        return np.array([one != other for one, other in pairs], np.bool_)
    compared: Any = pc.equal(before, after)
    alike: Any = pc.fill_null(compared, False)
    same: Any = pc.or_(alike, pc.and_(pc.is_null(before), pc.is_null(after)))
    if pa.types.is_floating(before.type):
        both_nan: Any = pc.and_(pc.is_nan(before), pc.is_nan(after))
        same = pc.or_(same, pc.fill_null(both_nan, False))
    differ: Mask = ~same.to_numpy()
    return differ


def _is_in(nights: "pa.ChunkedArray[Any]", some: set[date]) -> Mask:
    is_in: Mask = pc.is_in(nights, value_set=pa.array(sorted(some), pa.date32())).to_numpy()
    return is_in
