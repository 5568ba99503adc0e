"""DuckDB in one process: its ASOF JOIN, and for windows a range join."""

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
    """A range join over the longest window, and shorter windows as filters: its window frames took two to four times
    as long on dense entities.
    """
    aggregates = ", ".join(
        f"{function}(v1) FILTER (event_time > {_since(length)}) AS {facts.name}__v1_{name}_{label}"
        for label, length in case.windows.items()
        for name, function in FUNCTIONS.items()
    )
    spine = ", ".join(f"spine.{name}" for name in case.spine_columns)
    same_key = f"spine.{facts.key} = {facts.name}.{facts.key}"
    return (
        f"SELECT {spine}, {aggregates} FROM spine LEFT JOIN {facts.name} ON {same_key}"
        f" AND event_time <= prediction_time AND event_time > {_since(max(case.windows.values()))} GROUP BY {spine}"
    )


def _since(length: int) -> str:
    return f"prediction_time - INTERVAL {length} MICROSECONDS"
