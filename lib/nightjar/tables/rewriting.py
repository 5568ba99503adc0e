"""Remove rows of a few data files. Files are never changed: the remaining rows of one are stored again."""

from collections.abc import Mapping
from dataclasses import replace
from functools import reduce
from operator import and_
from typing import Any

import pyarrow.compute as pc

from nightjar.tables import datafiles, scan
from nightjar.tables.entries import DataFile
from nightjar.tables.scan import Snapshot
from nightjar.tables.transaction import Change


def remove_rows(snapshot: Snapshot, where: Mapping[str, Any], partition_by: tuple[str, ...]) -> Change:
    """The change that removes the rows with some values.

    Args:
        snapshot: the live files.
        where: column -> value of the rows to remove; empty: all.
        partition_by: the table's partition columns.
    """
    condition = reduce(and_, (pc.field(name) == value for name, value in where.items()), pc.scalar(True))
    removed, rewritten = [], []
    for file in snapshot.files:
        if not _may_hold(file, where):
            continue
        if not set(where) <= set(file.partition):
            rows = scan.read(replace(snapshot, files=(file,)), snapshot.schema.names)
            remaining = rows.filter(condition.is_null() | ~condition)
            if len(remaining) == len(rows):
                continue
            rewritten += datafiles.write(remaining, snapshot.folder, partition_by)
        removed.append(file)
    return Change(rewritten, removed)


def _may_hold(file: DataFile, where: Mapping[str, Any]) -> bool:
    of_partition = all(file.partition[name] == value for name, value in where.items() if name in file.partition)
    return of_partition and all(file.may_hold(name, value, value) for name, value in where.items())
