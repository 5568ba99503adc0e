"""Stored labels: those known by the reader's own cutoff, the latest version of each row, and what defines them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from nightjar.errors import TableError
from nightjar.tables import arrow, scan
from nightjar.tables.table import INSTANT
from nightjar.tables.warehouse import Warehouse

HASH = "label_hash"
ACTED = "acted"
"""Whether somebody has acted on the row's score; only where the project says how that is known."""


def as_of(
    warehouse: Warehouse, key: Sequence[str], cutoff: datetime, version: int, where: ds.Expression | None = None
) -> pa.Table:
    """The key, `label` (null: settled without an outcome) and `label_known_at` of each label known by the cutoff, and
    `acted` where it is stored.

    Args:
        warehouse: where the table lies.
        key: the columns that name a labelled row, its prediction time among them.
        cutoff: versions that became known after this instant are ignored.
        version: Delta version of the table.
        where: a further condition on the rows.
    """
    by_cutoff = pc.field("label_known_at") <= pa.scalar(cutoff, INSTANT)
    condition = by_cutoff if where is None else by_cutoff & where
    acted = [name for name in arrow.schema(warehouse, "labels", version).names if name == ACTED]
    labels = arrow.read(warehouse, "labels", [*key, "label", "label_known_at", *acted], condition, version)
    latest = labels.group_by(list(key)).aggregate([("label_known_at", "max")])
    latest = latest.rename_columns([*key, "label_known_at"])
    return labels.join(latest, [*key, "label_known_at"], join_type="inner")


def is_usable(labels: pa.Table) -> "pa.ChunkedArray[Any]":
    """Of each label whether it is an outcome that nobody has changed by acting on the score."""
    columns: Any = labels
    usable: pa.ChunkedArray[Any] = pc.and_not(pc.is_valid(columns["label"]), is_acted_on(labels))
    return usable


def is_acted_on(labels: pa.Table) -> "pa.ChunkedArray[Any]":
    """Of each label whether somebody has acted on its row; no where that is not recorded."""
    columns: Any = labels
    if ACTED not in labels.column_names:
        return pa.chunked_array([pa.repeat(False, len(labels))])
    no: Any = False
    acted_on: pa.ChunkedArray[Any] = pc.fill_null(columns[ACTED], no)
    return acted_on


def hashes(warehouse: Warehouse, version: int | None = None) -> set[str]:
    """The hashes of the definitions of stored labels; of those that were written before there were hashes, none.

    A file whose statistics bound the hash by one value is not opened: it need not be whole.
    """
    if version is None and not arrow.exists(warehouse, "labels"):
        return set()
    snapshot = scan.snapshot(warehouse, "labels", version)
    if HASH not in snapshot.schema.names:
        return set()
    stored: set[str | None] = set()
    for file in snapshot.files:
        bounds = {file.least.get(HASH), file.greatest.get(HASH)}
        is_one = len(bounds) == 1 and None not in bounds
        rows: Any = None if is_one else scan.read(replace(snapshot, files=(file,)), [HASH])[HASH]
        stored |= bounds if is_one else set(rows.unique().to_pylist())
    return {one for one in stored if one is not None}


def single_hash(warehouse: Warehouse, version: int | None = None) -> str | None:
    """The hash of the definition of all stored labels; None where none has one.

    Raises:
        TableError: there are several definitions: the same column does not mean the same in all rows.
    """
    stored = sorted(hashes(warehouse, version))
    if len(stored) > 1:
        raise TableError(
            f"Table labels at {warehouse.path('labels')} mixes labels of {len(stored)} definitions "
            f"({', '.join(one[:12] for one in stored)}). Build them again: jobs/build_features.py"
        )
    return stored[0] if stored else None
