"""A step of the bench `latest`, in a process of its own: scores change, or `scores_latest` is brought up to them.

    latest_worker.py FOLDER ROWS night|rerun|retract|refresh

`refresh` says what it took and what the table then holds.
"""

import nightjar  # noqa: F401  (before any library that starts threads: it says how they wait)

# isort: split
import json
import sys
import time
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from score_case import KEY, PIECE, SEED, project

from nightjar.runtime import memory
from nightjar.scoring import latest, served
from nightjar.scoring.identity import id_column
from nightjar.tables import scan, sink
from nightjar.tables.score_definitions import scores_table
from nightjar.tables.warehouse import Warehouse

PROJECT = project("latest")
FIRST = date(2025, 1, 1)
OTHER_SCORES = 100
"""One row of so many has another score in a rerun."""


def main(folder: str, rows: int, step: str) -> None:
    warehouse = Warehouse(folder, PROJECT.name)
    warehouse.check_writable()
    if step == "refresh":
        print(json.dumps(_refresh(warehouse)))
    elif step == "retract":
        _retract(warehouse)
    else:
        _score(warehouse, rows, is_rerun=step == "rerun")


def _score(warehouse: Warehouse, rows: int, *, is_rerun: bool) -> None:
    """The next night, of the entities of all nights in another order, or the last one again, by another seed."""
    number = _nights(warehouse) - is_rerun
    night = FIRST + timedelta(days=number)
    table = scores_table(PROJECT, pa.schema([(KEY, pa.int64())]))
    stamps = {"run_date": night, "role": "champion", "model_version": "1", "model_name": "boosting", "served": True}
    into = sink.target(warehouse, table, run_id=f"{night}-{is_rerun}", **stamps)
    entities, files = np.random.default_rng([SEED, number]).permutation(rows), []
    for start in range(0, rows, PIECE):
        own = entities[start : start + PIECE]
        scores = np.random.default_rng([SEED, number, start]).random(len(own))
        if is_rerun:
            scores = np.where(own % OTHER_SCORES == 0, 1 - scores, scores)
        midnight = int(datetime.combine(night, time_of_day(), UTC).timestamp() * 1_000_000)
        times = pa.array(np.full(len(own), midnight)).cast(pa.timestamp("us", "UTC"))
        keys = pa.table({KEY: own * 7919, "prediction_time": times})
        piece = keys.append_column("prediction_id", id_column(PROJECT.name, keys))
        files += sink.write(piece.append_column("score", pa.array(scores)), into)
    sink.commit(warehouse, into, files, lambda file: file.partition["run_date"] == night, "bench")


def _nights(warehouse: Warehouse) -> int:
    if not Path(warehouse.path("scores")).exists():
        return 0
    return len({file.partition["run_date"] for file in scan.snapshot(warehouse, "scores").files})


def _retract(warehouse: Warehouse) -> None:
    """No row of the last night is served any more."""
    night = FIRST + timedelta(days=_nights(warehouse) - 1)
    own = scan.snapshot(warehouse, "scores").where(lambda file: file.partition["run_date"] == night)
    served.change_served(warehouse, PROJECT, own, lambda _file, _rows, before: np.zeros(len(before), np.bool_), "bench")


def _refresh(warehouse: Warehouse) -> dict[str, Any]:
    began, processors = time.perf_counter(), time.process_time()
    latest.refresh(warehouse, PROJECT, "bench")
    took = {"seconds": time.perf_counter() - began, "cpu_seconds": time.process_time() - processors}
    took["peak"] = memory.peak() or 0
    changes, total = Counter[str](), 0.0
    for batch in scan.batches(scan.snapshot(warehouse, latest.LATEST), ["change", "score"], pc.scalar(True)):
        counts: Any = pc.value_counts(batch["change"])
        changes.update({one["values"]: one["counts"] for one in counts.to_pylist()})
        total += pc.sum(batch["score"]).as_py() or 0.0
    return {**took, "changes": changes, "total": round(total, 3)}


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
