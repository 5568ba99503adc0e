"""The table `inputs`: what the features held that a night was scored on, one row for each."""

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import SparkSession

from nightjar.evaluation.histograms import Bins
from nightjar.evaluation.summaries import Summary, merge, summarise
from nightjar.registry import events
from nightjar.tables import arrow, scan
from nightjar.tables.execution import FEW_ROWS
from nightjar.tables.file_splits import read_partition
from nightjar.tables.monitoring_definitions import REFERENCES
from nightjar.tables.predictions import CHAMPION_ROLE, RULE
from nightjar.tables.rows import in_tasks
from nightjar.tables.runs import Outcome
from nightjar.tables.serving_definitions import INPUTS
from nightjar.tables.warehouse import Warehouse

log = logging.getLogger("nightjar.score")
MESSAGE = pa.schema({"column": pa.string(), "summary": pa.string()})


def store(
    session: Callable[[], SparkSession], warehouse: Warehouse, run_date: date, version: int, run_id: str
) -> Outcome:
    """Replace the summaries of a night by those of the features that its served scores were made of.

    Args:
        session: gives Spark's; a night of few rows does without.
        warehouse: where the tables lie.
        run_date: the night.
        version: of the table `features` that was scored.
        run_id: of the run that has scored it.
    """
    scored_by = _model_version(warehouse, run_date)
    trained = _trained(warehouse, run_date, scored_by)
    bins = {} if trained is None else _bins(warehouse, trained, arrow.schema(warehouse, "features", version).names)
    summaries = _summaries(session, warehouse, run_date, version, bins) if bins else {}
    rows = [_row(name, summary, bins[name].kind) for name, summary in summaries.items()]
    stamps = {"run_date": run_date, "role": CHAMPION_ROLE, "model_version": scored_by, "run_id": run_id}
    stored = arrow.replace(warehouse, INPUTS, [row | stamps for row in rows], {"run_date": run_date}, run_id)
    log.info("inputs: %d features summed up", len(rows))
    return Outcome(outputs={INPUTS.name: stored})


def _model_version(warehouse: Warehouse, run_date: date) -> str | None:
    """The version whose scores of the night are the champion's; None: it has none."""
    of_night = (pc.field("run_date") == run_date) & (pc.field("role") == CHAMPION_ROLE)
    of_rows = scan.batches(scan.snapshot(warehouse, "scores"), ["model_version"], of_night)  # of which one is enough
    return next((str(batch.column(0)[0].as_py()) for batch in of_rows if batch.num_rows), None)


def _trained(warehouse: Warehouse, run_date: date, scored_by: str | None) -> str | None:
    """The version by whose bins the night is summed up: where a rule scored it the champion's."""
    if scored_by != RULE:
        return scored_by
    champion = events.find_champion(warehouse, run_date)
    return None if champion is None else champion.number


def _bins(warehouse: Warehouse, model_version: str, stored: list[str]) -> dict[str, Bins]:
    """Column of the features -> the bins of its reference, for all that the version was trained on."""
    if not arrow.exists(warehouse, REFERENCES.name):
        return {}
    of_training = (
        (pc.field("model_version") == model_version) & pc.field("night").is_null() & pc.field("bins").is_valid()
    )
    rows = arrow.read(warehouse, REFERENCES.name, ["column", "bins"], of_training).to_pylist()
    return {row["column"]: Bins.from_json(row["bins"]) for row in rows if row["column"] in stored}


def _summaries(
    session: Callable[[], SparkSession], warehouse: Warehouse, run_date: date, version: int, bins: Mapping[str, Bins]
) -> dict[str, Summary]:
    night, columns = pc.field("run_date") == run_date, list(bins)
    files = scan.snapshot(warehouse, "features", version).where(lambda file: file.partition["run_date"] == run_date)
    if files.rows <= FEW_ROWS:
        rows = arrow.read(warehouse, "features", columns, night, version)
        return {name: summarise(bins[name], rows[name]) for name in columns}
    parts = read_partition(session(), warehouse, "features", version, columns, {"run_date": run_date})
    messages = in_tasks(parts.task_input, partial(_in_task, parts.make, dict(bins)), MESSAGE).collect()
    by_column: dict[str, list[Summary]] = {}
    for message in messages:
        plain = json.loads(message["summary"])
        by_column.setdefault(message["column"], []).append(Summary(**plain | {"counts": tuple(plain["counts"])}))
    return {name: merge(by_column[name]) for name in columns if name in by_column}


def _in_task(make: Any, bins: Mapping[str, Bins], batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """A task's share, summed up table by table, so that no more than one is in memory."""
    whole: dict[str, Summary] = {}
    for table in make(batches):
        for name, of_column in bins.items():
            part = summarise(of_column, table[name])
            whole[name] = merge([whole[name], part]) if name in whole else part
    texts = [json.dumps(summary.plain()) for summary in whole.values()]
    yield pa.record_batch([pa.array(list(whole), pa.string()), pa.array(texts, pa.string())], schema=MESSAGE)


def _row(name: str, summary: Summary, kind: str) -> dict[str, Any]:
    return {
        "column": name,
        "kind": kind,
        "rows": summary.rows,
        "nulls": summary.nulls,
        "infinite": summary.infinite,
        "nan": summary.nan,
        "mean": summary.mean,
        "std": summary.std,
        "least": summary.least,
        "greatest": summary.greatest,
        "counts": list(summary.counts),
    }
