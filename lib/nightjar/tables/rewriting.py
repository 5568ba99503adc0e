"""Rows of a few data files taken away. Files are never changed: what stays of one is stored again."""

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


def without(stands: Snapshot, where: Mapping[str, Any], partition_by: tuple[str, ...]) -> Change:
    """Hide the rows that have some values.

    Args:
        stands: the live files.
        where: column -> value of the rows that go; empty: all.
        partition_by: the table's partition columns.
    """
    goes = reduce(and_, (pc.field(name) == value for name, value in where.items()), pc.scalar(True))
    removed, again = [], []
    for file in stands.files:
        if not _may_hold(file, where):
            continue
        if not set(where) <= set(file.partition):
            held = scan.read(replace(stands, files=(file,)), stands.schema.names)
            stay = held.filter(goes.is_null() | ~goes)
            if len(stay) == len(held):
                continue
            again += datafiles.write(stay, stands.folder, partition_by)
        removed.append(file)
    return Change(again, removed)


def _may_hold(file: DataFile, where: Mapping[str, Any]) -> bool:
    of_partition = all(file.partition[name] == value for name, value in where.items() if name in file.partition)
    return of_partition and all(file.may_hold(name, value, value) for name, value in where.items())
