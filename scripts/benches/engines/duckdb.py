"""DuckDB in one process: its ASOF JOIN, and for windows its range frames."""

# ruff: noqa: S608  (the names in these queries are the benches' own)

import duckdb
from cases import Case, Facts

FUNCTIONS = {"count": "count", "sum": "sum", "mean": "avg", "std": "stddev_samp", "min": "min", "max": "max"}
_connection = duckdb.connect()


def prepare(case: Case) -> None:
    _connection.execute(
        f"SET threads = {case.cores}; SET memory_limit = '{case.memory_gb}GB'; SET TimeZone = 'UTC';"
        f"SET temp_directory = '{case.folder}/duckdb'; SET preserve_insertion_order = false"
    )
    _connection.execute(f"CREATE OR REPLACE VIEW spine AS SELECT * FROM read_parquet({list(case.spine)})")
    for facts in case.facts:
        _connection.execute(f"CREATE OR REPLACE VIEW {facts.name} AS SELECT * FROM read_parquet({list(facts.files)})")


def consume(case: Case) -> None:
    _connection.sql(_query(case)).to_arrow_table()


def store(case: Case, target: str) -> None:
    _connection.execute(f"COPY ({_query(case)}) TO '{target}' (FORMAT parquet, PER_THREAD_OUTPUT)")


def _query(case: Case) -> str:
    if case.windows:
        return _windowed(case, case.facts[0])
    spine = ", ".join(f"spine.{name}" for name in case.spine_columns)
    values = ", ".join(f"{facts.name}.{v} AS {facts.name}__{v}" for facts in case.facts for v in ("v1", "v2"))
    joins = " ".join(
        f"ASOF LEFT JOIN {facts.name} ON spine.{facts.key} = {facts.name}.{facts.key}"
        f" AND spine.prediction_time >= {facts.name}.event_time"
        for facts in case.facts
    )
    return f"SELECT {spine}, {values} FROM spine {joins}"


def _windowed(case: Case, facts: Facts) -> str:
    frames = ", ".join(
        f"w{label} AS (PARTITION BY {facts.key} ORDER BY epoch_us(time)"
        f" RANGE BETWEEN {length - 1} PRECEDING AND CURRENT ROW)"
        for label, length in case.windows.items()
    )
    aggregates = ", ".join(
        f"{function}(v1) OVER w{label} AS {facts.name}__v1_{name}_{label}"
        for label in case.windows
        for name, function in FUNCTIONS.items()
    )
    union = (
        f"SELECT {facts.key}, event_time AS time, v1, NULL AS spine_id FROM {facts.name} UNION ALL "
        f"SELECT {facts.key}, prediction_time, NULL, spine_id FROM spine"
    )
    columns = f"spine_id, {facts.key}, time AS prediction_time"
    return f"SELECT * FROM (SELECT {columns}, {aggregates} FROM ({union}) WINDOW {frames}) WHERE spine_id IS NOT NULL"
