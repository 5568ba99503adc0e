"""Many files of one table become one: for tables that people write row by row, between two runs of `maintain`."""

from deltalake import DeltaTable

from nightjar.tables import datafiles, scan, transaction
from nightjar.tables.transaction import Change, Note
from nightjar.tables.warehouse import Warehouse


def merge_files(warehouse: Warehouse, table: str, run_id: str) -> int:
    """Store all rows of a table without partitions in one file, in place of many; the new version.

    Readers of changes see nothing, and what others append at the same time stays.

    Raises:
        TableError: a file is damaged or missing, or the table uses a feature that is not supported here.
    """

    def change(delta_table: DeltaTable) -> Change:
        snapshot = scan.snapshot_of(delta_table, warehouse, table)
        rows = scan.read(snapshot, snapshot.schema.names)
        return Change(datafiles.write(rows, snapshot.folder, ()), snapshot.files, rearranged=True)

    return transaction.commit(warehouse, table, change, Note(run_id))
