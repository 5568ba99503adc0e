"""What a night's scores say of levels that the model has not seen in training."""

import logging
from collections import Counter
from datetime import date
from typing import Any

import pyarrow.compute as pc

from nightjar.tables import scan
from nightjar.tables.warehouse import Warehouse

log = logging.getLogger("nightjar.score")


def log_unseen(warehouse: Warehouse, version: int, run_date: date, role: str) -> None:
    """Warn of each column with such levels, and how many scores of the night have one."""
    night = (pc.field("run_date") == run_date) & (pc.field("role") == role) & pc.field("unseen_levels").is_valid()
    counts = Counter[str]()
    for batch in scan.batches(scan.snapshot(warehouse, "scores", version), ["unseen_levels"], night):
        texts: Any = pc.value_counts(batch["unseen_levels"])
        for one in texts.to_pylist():
            counts.update(dict.fromkeys(one["values"].split(", "), one["counts"]))
    for name, rows in counts.most_common():
        log.warning("%s scores: the model has not seen their level of %s, and takes it for missing", f"{rows:,}", name)
