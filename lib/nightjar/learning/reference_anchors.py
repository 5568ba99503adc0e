"""The anchor: what an earlier version was trained on, in bins that later versions go on with while they fit."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nightjar.errors import LearningError
from nightjar.evaluation.histograms import Bins, count, is_number
from nightjar.tables import arrow
from nightjar.tables.monitoring_definitions import REFERENCES
from nightjar.tables.warehouse import Warehouse

MOST_OUTSIDE, MOST_MOVED = 0.01, 0.25
"""Shares of rows outside all bins, or in other bins than the anchor's, up to which bins fit: beyond, some bins hold too
much to tell changes within them."""


@dataclass(frozen=True)
class Anchor:
    """Of a column the bins of a version, and the counts of the first version that had these bins.

    Attributes:
        version: that first version.
    """

    version: str
    bins: Bins
    counts: list[int]


def read_anchors(warehouse: Warehouse) -> Mapping[str, Anchor]:
    """Column -> the anchor of the newest version that has a reference of it."""
    if not arrow.exists(warehouse, REFERENCES.name):
        return {}
    stored = set(arrow.schema(warehouse, REFERENCES.name).names)
    where = pc.field("night").is_null() & pc.field("bins").is_valid()
    names = ["model_version", "column", "bins", "counts", *({"anchor_version", "anchor_counts"} & stored)]
    rows = arrow.read(warehouse, REFERENCES.name, names, where).to_pylist()
    newest: dict[str, dict[str, Any]] = {}
    for row in sorted(rows, key=lambda row: int(row["model_version"])):
        newest[row["column"]] = row
    return {
        name: Anchor(
            row.get("anchor_version") or row["model_version"],
            Bins.from_json(row["bins"]),
            row.get("anchor_counts") or row["counts"],
        )
        for name, row in newest.items()
    }


def anchored(values: "pa.ChunkedArray[Any]", anchor: Anchor | None) -> Anchor | None:
    """The anchor where its bins fit the values still, so that figures of versions compare; else None."""
    if anchor is None or is_number(values.type) != (anchor.bins.kind == "numeric"):
        return None
    try:
        counts = count(anchor.bins, values)
    except LearningError:
        return None
    present, expected = counts[1:], np.array(anchor.counts[1:], np.int64)
    if not present.sum() or not expected.sum():
        return None
    outside = present[-1] + (present[0] if anchor.bins.kind == "numeric" else 0)
    moved = np.abs(present / present.sum() - expected / expected.sum()).sum() / 2
    fits = outside <= max(MOST_OUTSIDE * present.sum(), expected[-1] / expected.sum() * present.sum())
    return anchor if fits and moved <= MOST_MOVED else None
