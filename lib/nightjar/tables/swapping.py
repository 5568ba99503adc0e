"""Single rows of a table replaced so that its change feed shows these alone.

Files come and go whole, and a feed takes every row of a file for changed. So the rows to go are first put into files of
their own, by a commit that changes no rows, of which the feed has nothing; then these files go, and new ones come.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from deltalake import DeltaTable

from nightjar.tables import datafiles, row_groups, scan, transaction
from nightjar.tables.datafiles import NewFile
from nightjar.tables.rows import ROWS_AT_ONCE
from nightjar.tables.scan import Snapshot
from nightjar.tables.table import Table
from nightjar.tables.transaction import Change, Note
from nightjar.tables.warehouse import Warehouse

Mask = npt.NDArray[np.bool_]


def swap(
    warehouse: Warehouse,
    table: Table,
    before: Snapshot,
    going: Mapping[str, Mask],
    coming: Sequence[NewFile],
    note: Note,
) -> int:
    """Replace single rows of a table without partitions; the new version. Few rows are in memory at once.

    A run that dies between the two commits leaves the table's rows as they were.

    Args:
        warehouse: where the table lies.
        table: its definition.
        before: the table as it is; nobody may commit to it meanwhile.
        going: path of a file -> which of its rows go; of files that are not named, all stay.
        coming: the new rows, in files that are not committed yet.
        note: of the commit that changes rows.

    Raises:
        MovedError: somebody has committed to the table since. No row has changed.
        LeaseError: another run has taken over one of the leases. No row has changed.
        TableError: the table uses a feature that is not supported here. No row has changed.
    """
    whole = {path for path, mask in going.items() if mask.all()}
    parted = {path: mask for path, mask in going.items() if mask.any() and path not in whole}
    version = before.version
    if parted:
        own, rest = _part(before, parted)
        apart = {file.path for file in own}
        rearranged = Change([*own, *rest], rearranged=True)
        version = _commit(warehouse, table, rearranged, set(parted), Note(note.run_id), version)
        whole |= apart
    return _commit(warehouse, table, Change(coming), whole, note, version)


class _Pile:
    """Rows that become data files of about a million each."""

    def __init__(self, folder: str) -> None:
        self._folder, self._rows = folder, list[pa.Table]()
        self.files = list[NewFile]()

    def add(self, rows: pa.Table) -> None:
        self._rows.append(rows)
        if sum(map(len, self._rows)) >= ROWS_AT_ONCE:
            self.end()

    def end(self) -> None:
        """Store what is not stored yet."""
        if self._rows:
            self.files += datafiles.write(pa.concat_tables(self._rows), self._folder, ())
            self._rows.clear()


def _part(before: Snapshot, going: Mapping[str, Mask]) -> tuple[list[NewFile], list[NewFile]]:
    """The rows of some files in files of their own: those that go, and those that stay."""
    own, rest = _Pile(before.folder), _Pile(before.folder)
    for path, mask in going.items():
        start = 0
        for rows in row_groups.read_file(before, path):
            chosen = mask[start : start + len(rows)]
            own.add(rows.filter(pa.array(chosen)))
            rest.add(rows.filter(pa.array(~chosen)))
            start += len(rows)
    for pile in (own, rest):
        pile.end()
    return own.files, rest.files


def _commit(warehouse: Warehouse, table: Table, change: Change, removed: set[str], note: Note, version: int) -> int:
    def make(opened: DeltaTable) -> Change:
        live = scan.snapshot_of(opened, warehouse, table.name)
        return replace(change, removed=live.where(lambda file: file.path in removed).files)

    return transaction.commit(warehouse, table.name, make, note, version)
