"""Nightjar's own side: an engine like the peers', run in the project's own environment.

The contract:

- `prepare(case)` builds the layout tables from the shape's raw files in `case.folder` (one folder of Parquet files for
  each fact table, in order of arrival, beside `spine/`), and opens what `consume` and `store` need. It returns
  `{"layout_seconds": seconds, "files": {table: [path, ...]}}`: what building took, and the layout's Parquet files,
  which all peers then read. `case.facts` name the tables and keys; their `files` are empty.
- `consume(case)` computes every column of the result for every row, and drops it.
- `store(case, target)` writes the result as a Delta table somewhere under the folder `target`, which does not exist
  yet, and returns `{"path": path of the table}`. It has at least the columns `case.spine_columns` and `case.features`.
"""

import shutil
import time
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
from cases import AGGREGATES, VALUES, Case, Facts
from pyspark.sql import SparkSession
from pyspark.sql import functions as sf

from nightjar.asof import Clocks, Latest, Windowed
from nightjar.joins.join import as_of_join
from nightjar.joins.stored_facts import StoredFacts
from nightjar.runtime import spark
from nightjar.settings.environment import Environment, Placement
from nightjar.tables import arrow, delta, footers, layouts, sink
from nightjar.tables.file_splits import read_by_tasks
from nightjar.tables.rows import Rows
from nightjar.tables.source_definitions import layout_table, source_table
from nightjar.tables.table import Column, Table
from nightjar.tables.warehouse import Warehouse

BUCKETS = 16
LOADED = {"ingested_on": date(2025, 1, 1), "run_id": "bench"}


def prepare(case: Case) -> dict[str, Any]:
    """Load the facts as ingest would, then lay them out; the latter is what is told as the layout's seconds."""
    session = _session(case)
    shutil.rmtree(_warehouse(case.folder).path(""), ignore_errors=True)  # of an earlier run: its log would grow
    sources = {facts: _load(session, case, facts) for facts in case.facts}
    started = time.perf_counter()
    files = {facts.name: _lay_out(session, case, facts, version) for facts, version in sources.items()}
    return {"layout_seconds": time.perf_counter() - started, "files": files}


def consume(case: Case) -> None:
    _joined(case).frame().write.format("noop").mode("overwrite").save()


def store(case: Case, target: str) -> dict[str, Any]:
    warehouse, joined = _warehouse(target), _joined(case)
    columns = tuple(Column(field.name, field.type, field.name) for field in joined.schema)
    table = Table("features", "A benchmark's result.", ("spine_id",), (), "bench", columns)
    into = sink.target(warehouse, table)
    sink.commit(warehouse, into, sink.collect(joined.task_input, joined.make, into), lambda _: True, "bench")
    return {"path": warehouse.path("features")}


def _session(case: Case) -> SparkSession:
    return spark.start(
        Environment(
            warehouse=case.folder,
            home=case.folder,
            spark_master=f"local[{case.cores}]",
            driver_memory=f"{case.memory_gb}g",
            shuffle_partitions=case.cores,
            cpus=case.cores,
        ),
        "bench",
    )


def _warehouse(folder: str) -> Warehouse:
    return Warehouse(folder, "ours")


def _source(facts: Facts) -> Table:
    return source_table(
        facts.name, [facts.key], pa.schema({facts.key: pa.int64()} | dict.fromkeys(VALUES, pa.float64()))
    )


def _load(session: SparkSession, case: Case, facts: Facts) -> int:
    rows = session.read.parquet(str(Path(case.folder) / facts.name))
    into = sink.target(_warehouse(case.folder), _source(facts), **LOADED)
    files = sink.collect(rows.withColumn("stated_known_at", sf.col("known_at")), sink.in_one_piece, into)
    return sink.commit(_warehouse(case.folder), into, files, lambda _: True, "bench")


def _lay_out(session: SparkSession, case: Case, facts: Facts, version: int) -> list[str]:
    warehouse, source = _warehouse(case.folder), _source(facts)
    into = sink.target(warehouse, layout_table(source, [facts.key]))
    rows = delta.read(session, warehouse, source.name, version)
    facts_only = layouts.with_retractions(rows, _fact_id(facts), (), [facts.key], sf.lit(True))
    files = layouts.collect(facts_only, [facts.key], BUCKETS, into)
    sink.commit(warehouse, into, files, lambda _: True, "bench", marks=layouts.marks(version, BUCKETS))
    return [f"{into.folder}/{file.path}" for file in files]


def _fact_id(facts: Facts) -> tuple[str, ...]:
    return (facts.key, "event_time")


def _joined(case: Case) -> Rows:
    files = footers.parquet_files(str(Path(case.spine[0]).parent))
    spine = read_by_tasks(SparkSession.active(), files, case.spine_columns)
    warehouse = _warehouse(case.folder)
    versions = arrow.pin(warehouse, [_source(facts).name for facts in case.facts])
    stored = [
        StoredFacts(
            name=facts.name,
            table=_source(facts).name,
            version=versions[_source(facts).name],
            keys={facts.key: facts.key},
            fact_id=_fact_id(facts),
            features=_asked(case),
            layout=(facts.key,),
        )
        for facts in case.facts
    ]
    told = {facts.name: Placement.CO_BUCKETED for facts in case.facts}
    return as_of_join(spine, warehouse, stored, Clocks("prediction_time"), placements=told)


def _asked(case: Case) -> tuple[Latest | Windowed, ...]:
    if case.windows:
        return tuple(Windowed("v1", aggregate, window) for window in case.windows for aggregate in AGGREGATES)
    return tuple(Latest(value) for value in VALUES)
