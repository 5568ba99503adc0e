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

import time
from pathlib import Path
from typing import Any

import pyarrow as pa
from cases import AGGREGATES, VALUES, Case, Facts
from deltalake import DeltaTable
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as sf

from nightjar.asof import Latest, Windowed
from nightjar.joins import broadcast
from nightjar.runtime import spark
from nightjar.settings.environment import Environment
from nightjar.tables import delta
from nightjar.tables.definitions import RUN_DATE, Column, Table
from nightjar.tables.warehouse import Warehouse

BUCKETS = 16
NIGHT = "2025-01-01"


def prepare(case: Case) -> dict[str, Any]:
    session = _session(case)
    tables = _warehouse(case.folder)
    started = time.perf_counter()
    for facts in case.facts:
        _lay_out(session, case, facts)
    seconds = time.perf_counter() - started
    files = {facts.name: DeltaTable(tables.path(facts.name)).file_uris() for facts in case.facts}
    return {"layout_seconds": seconds, "files": files}


def consume(case: Case) -> None:
    _joined(case).write.format("noop").mode("overwrite").save()


def store(case: Case, target: str) -> dict[str, Any]:
    rows = _joined(case).withColumn("run_date", sf.lit(NIGHT).cast("date"))
    warehouse = _warehouse(target)
    delta.replace(rows, warehouse, _results(case), f"run_date = DATE'{NIGHT}'")
    return {"path": warehouse.path("features")}


def _session(case: Case) -> SparkSession:
    return spark.start(
        Environment(
            warehouse=case.folder,
            home=case.folder,
            spark_master=f"local[{case.cores}]",
            driver_memory=f"{case.memory_gb}g",
            shuffle_partitions=4 * case.cores,
            cpus=case.cores,
        ),
        "bench",
    )


def _warehouse(folder: str) -> Warehouse:
    return Warehouse(folder, "ours")


def _lay_out(session: SparkSession, case: Case, facts: Facts) -> None:
    rows = session.read.parquet(str(Path(case.folder) / facts.name))
    bucketed = rows.withColumn("bucket", sf.pmod(sf.xxhash64(facts.key), sf.lit(BUCKETS)).cast("int"))
    ordered = bucketed.repartition(BUCKETS, "bucket").sortWithinPartitions("bucket", facts.key, "event_time")
    path = _warehouse(case.folder).path(facts.name)
    ordered.write.format("delta").mode("overwrite").partitionBy("bucket").save(path)


def _joined(case: Case) -> DataFrame:
    spine = SparkSession.active().read.parquet(*case.spine).select(case.spine_columns)
    stored = [
        broadcast.StoredFacts(
            name=facts.name,
            table=facts.name,
            version=DeltaTable(_warehouse(case.folder).path(facts.name)).version(),
            keys={facts.key: facts.key},
            fact_id=(),
            features=_asked(case),
        )
        for facts in case.facts
    ]
    return broadcast.as_of_join(spine, _warehouse(case.folder), stored, prediction_time="prediction_time")


def _asked(case: Case) -> tuple[Latest | Windowed, ...]:
    if case.windows:
        return tuple(Windowed("v1", aggregate, window) for window in case.windows for aggregate in AGGREGATES)
    return tuple(Latest(value) for value in VALUES)


def _results(case: Case) -> Table:
    """The result as a table of the warehouse: one night, replaced as a whole."""
    types = {"prediction_time": pa.timestamp("us", tz="UTC")} | dict.fromkeys(["spine_id", *case.keys], pa.int64())
    counts = {name for name in case.features if "_count_" in name}
    features = {name: pa.int64() if name in counts else pa.float64() for name in case.features}
    columns = (*(Column(name, kind, name) for name, kind in (types | features).items()), RUN_DATE)
    return Table("features", "A benchmark's result.", ("spine_id",), ("run_date",), "bench", columns)
