"""The table `scores_latest`: for each entity the prediction that is served now, changed only where that has changed."""

import logging
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa

from nightjar.errors import BusyError, TableError
from nightjar.scoring.comparison import PLACE, Comparison
from nightjar.scoring.newest import ENTITY, Mask, Places, Served, may_serve
from nightjar.settings.project import Project
from nightjar.tables import arrow, changes, opening, row_groups, scan, sink, swapping
from nightjar.tables.datafiles import NewFile
from nightjar.tables.hashed_parts import HashedParts
from nightjar.tables.rows import merge_tables
from nightjar.tables.runs import Outcome
from nightjar.tables.scan import Snapshot
from nightjar.tables.serving_definitions import latest_table
from nightjar.tables.transaction import MovedError, Note
from nightjar.tables.warehouse import Warehouse

log = logging.getLogger("nightjar.score")
LATEST = "scores_latest"
MARK = "scores"
"""In the table: the version of `scores` that it shows."""
ATTEMPTS = 20
MOST = 2_000_000
"""Rows of the table and of nights together that are compared at once; with more, both are parted by their entities."""


def refresh(warehouse: Warehouse, project: Project, run_id: str) -> Outcome:
    """Let `scores_latest` show what `scores` serves at its latest version, whoever has changed that, in one commit.

    However many rows there are, few are in memory at once: a byte of each, and all columns of about `MOST`.

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
    stored = scan.snapshot_of(delta_table, warehouse, LATEST)
    nights = _changed_nights(warehouse, scores, shown)
    going, added = np.zeros(stored.rows, np.bool_), list[NewFile]()

    def coming(folder: str) -> Iterator[pa.Table]:
        for places, rows in _differences(served, stored, nights, Path(folder)):
            going[places] = True
            yield rows

    with TemporaryDirectory(prefix="latest-") as folder:
        for rows in merge_tables(coming(folder)):
            added += sink.write(rows, served.into)
    note = Note(run_id, {"scores": scores.version}, {MARK: scores.version})
    outcome.outputs[LATEST] = swapping.swap(warehouse, table, stored, _by_file(stored, going), added, note)
    counts = f"{going.sum():,}", f"{sum(file.rows for file in added):,}"
    log.info("%s: %s rows gone, %s rows come, as scores at version %s serves", LATEST, *counts, scores.version)
    return outcome


def _changed_nights(warehouse: Warehouse, scores: Snapshot, shown: int | None) -> set[date] | None:
    """The nights that have other rows in `scores` than in the version that the table shows; None: it cannot be told."""
    if shown is None or shown > scores.version:
        return None
    try:
        added, removed = changes.changed_files(warehouse, "scores", shown, scores.version, may_serve)
    except (TableError, ValueError):
        return None
    return {file.partition["run_date"] for file in (*added, *removed)}


def _differences(
    served: Served, stored: Snapshot, changed: set[date] | None, folder: Path
) -> Iterator[tuple[Places, pa.Table]]:
    """Part by part the places of rows of the table that go, and the rows that come in their place or anew.

    Args:
        served: what is served now.
        stored: the table.
        changed: nights; None: all may have.
        folder: for rows that are too many for memory.
    """
    nights = served.nights() if changed is None else changed
    count = -(-(stored.rows + served.of_nights(nights).rows) // MOST) or 1
    schema = served.schema()

    def parts(name: str, of: pa.Schema) -> HashedParts:
        return HashedParts(count, ENTITY, of, folder / name)

    rows = parts("stored", schema.append(pa.field(PLACE, pa.int64())))
    for some in _with_places(stored, served):
        rows.add(some)
    newest = served.newest(nights, parts("newest", schema))

    def comparison(number: int) -> Comparison:
        return Comparison(rows.part(number), newest.part(number), nights, of_all=changed is None)

    lost = parts("lost", pa.schema([schema.field(ENTITY)]))
    for number in range(count):
        part = comparison(number)
        lost.put(number, part.lost())
        if not lost.sizes[number]:
            yield part.differences(schema.empty_table())
    if not len(lost):
        return
    earlier = served.newest_of_some(served.nights() - nights, lost, parts("earlier", schema), MOST)
    for number in range(count):
        if lost.sizes[number]:
            yield comparison(number).differences(earlier.part(number))


def _with_places(stored: Snapshot, served: Served) -> Iterator[pa.Table]:
    """All rows of the table, about a million at a time."""
    place = 0
    for file in stored.files:
        for table in row_groups.read_file(stored, file.path):
            numbers: pa.Array[Any] = pa.array(np.arange(place, place + len(table)))
            yield served.with_entities(table).append_column(PLACE, numbers)
            place += len(table)


def _by_file(stored: Snapshot, going: Mask) -> dict[str, Mask]:
    """Path of a file -> which of its rows go."""
    ends = np.cumsum([file.rows for file in stored.files], dtype=np.int64)
    return {file.path: going[end - file.rows : end] for file, end in zip(stored.files, ends, strict=True)}
