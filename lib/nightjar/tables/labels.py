"""Labels as of a cutoff: of each row's versions in `labels`, the latest one known by the reader's own cutoff."""

from collections.abc import Sequence
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from nightjar.tables import arrow
from nightjar.tables.table import INSTANT
from nightjar.tables.warehouse import Warehouse


def as_of(
    warehouse: Warehouse, key: Sequence[str], cutoff: datetime, version: int, where: ds.Expression | None = None
) -> pa.Table:
    """The key, `label` (null: settled without an outcome) and `label_known_at` of each label known by the cutoff.

    Args:
        warehouse: where the table lies.
        key: the columns that name a labelled row, its prediction time among them.
        cutoff: versions that became known after this instant are ignored.
        version: Delta version of the table.
        where: a further condition on the rows.
    """
    by_cutoff = pc.field("label_known_at") <= pa.scalar(cutoff, INSTANT)
    condition = by_cutoff if where is None else by_cutoff & where
    labels = arrow.read(warehouse, "labels", [*key, "label", "label_known_at"], condition, version)
    latest = labels.group_by(list(key)).aggregate([("label_known_at", "max")])
    latest = latest.rename_columns([*key, "label_known_at"])
    return labels.join(latest, [*key, "label_known_at"], join_type="inner")
