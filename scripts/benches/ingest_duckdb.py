"""Loads of the bench `ingest` by DuckDB: reads the CSV, counts what fails each check, stores the rest as Parquet."""

# ruff: noqa: S608  (the names in these queries are the bench's own)

import json
import sys
import time

import duckdb
from ingest_data import DOUBLES, LONGS, TEXTS

TYPES = {"id": "BIGINT", "at": "TIMESTAMP"}
TYPES |= dict.fromkeys(DOUBLES, "DOUBLE") | dict.fromkeys(LONGS, "BIGINT") | dict.fromkeys(TEXTS, "VARCHAR")
ROW_CHECKS = (
    "d0 BETWEEN 0 AND 1",
    "t0 IN ('red', 'green', 'blue', 'white', 'black')",
    "d1 IS NOT NULL",
    "n0 IS NOT NULL",
    "t1 IS NOT NULL",
    "d2 BETWEEN -10 AND 10",
    "n1 BETWEEN 0 AND 1000000",
    "n2 BETWEEN 0 AND 1000000",
    "regexp_full_match(t2, '[0-9]{6}')",
    "d3 <= d4 + 2",
)


def main(folder: str, cores: str) -> None:
    connection = duckdb.connect()
    connection.execute(f"SET threads = {cores}; SET temp_directory = '{folder}/duckdb'; SET TimeZone = 'UTC'")
    print(json.dumps({"lib": ""}), flush=True)
    for line in sys.stdin:
        path, day = line.split()
        started = time.monotonic()
        connection.execute(
            f"CREATE OR REPLACE TABLE rows AS SELECT * FROM read_csv('{path}', header = true, columns = {TYPES})"
        )
        failed = ", ".join(f"count(*) FILTER (NOT ({check}))" for check in ROW_CHECKS)
        connection.execute(f"SELECT {failed}, count(*) - count(d5), avg(d6) FROM rows").fetchall()
        kept = " AND ".join(f"coalesce({check}, true)" for check in ROW_CHECKS)
        connection.execute(f"COPY (SELECT * FROM rows WHERE {kept}) TO '{folder}/{day}.parquet' (FORMAT parquet)")
        seconds = time.monotonic() - started
        stored = connection.execute(f"SELECT count(*) FROM '{folder}/{day}.parquet'").fetchone()[0]
        print(json.dumps({"seconds": seconds, "stored": stored}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
