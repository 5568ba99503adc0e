"""Store the rows that a night has refused, and the values that it has repaired. Each table is written in one commit."""

from collections.abc import Mapping, Sequence
from functools import reduce

import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from nightjar.settings.sources import Source
from nightjar.sources import facts
from nightjar.sources.repairs import CHANGES, TRIM
from nightjar.sources.storing import ROWS_PER_FILE, CheckedSource, Night
from nightjar.tables import arrow, sink
from nightjar.tables.source_definitions import QUARANTINE, REPAIRS
from nightjar.tables.table import Table
from nightjar.tables.warehouse import Warehouse


def store_quarantine(checked_sources: list[CheckedSource], warehouse: Warehouse, night: Night) -> int:
    """Replace the run date's refused rows; the table's version. Nothing is written if there are and were none."""
    arrow.ensure(warehouse, QUARANTINE)
    is_refused = any(source.counts["refused"] for source in checked_sources)
    if not is_refused and not _has_rows(warehouse, QUARANTINE, night):
        return arrow.version(warehouse, QUARANTINE.name)
    parts = [
        source.rows.where(F.col(facts.STATE) == "refused").select(
            F.lit(source.name).alias("source"),
            F.col("_hash").alias("row_hash"),
            F.col(facts.REASONS).alias("reasons"),
            facts.row_as_json().alias("row"),
            F.lit(night.run_date).alias("run_date"),
            F.lit(night.run_id).alias("run_id"),
        )
        for source in checked_sources
    ]
    rows = reduce(DataFrame.unionByName, parts).dropDuplicates(["source", "row_hash"])
    return _replace(QUARANTINE, rows.coalesce(1), warehouse, night)


def store_repairs(
    checked_sources: Sequence[CheckedSource], settings: Mapping[str, Source], warehouse: Warehouse, night: Night
) -> dict[str, int]:
    """Replace the run date's repaired values; the table's name and version, where there is one.

    Nothing is written if there are and were none.
    """
    of_source = {
        source.name: sum(count for (_, repair), count in source.repaired.items() if repair != TRIM)
        for source in checked_sources
    }
    if not any(of_source.values()) and not _has_rows(warehouse, REPAIRS, night):
        return arrow.versions(warehouse, [REPAIRS.name])
    parts = [
        _repaired_values(source, settings[source.name].key, night)
        for source in checked_sources
        if of_source[source.name]
    ]
    if not parts:
        return {REPAIRS.name: arrow.replace(warehouse, REPAIRS, [], {"run_date": night.run_date}, night.run_id)}
    rows = reduce(DataFrame.unionByName, parts).dropDuplicates(["source", "row_hash", "column"])
    files = 1 + sum(of_source.values()) // ROWS_PER_FILE
    return {REPAIRS.name: _replace(REPAIRS, rows.coalesce(files), warehouse, night)}


def _repaired_values(source: CheckedSource, key: list[str], night: Night) -> DataFrame:
    """The rows of one source for the table `repairs`."""
    changed = source.rows.where(F.col(facts.STATE).isin("fact", "refused")).select(
        F.lit(source.name).alias("source"),
        F.col("_hash").alias("row_hash"),
        F.inline(CHANGES),
        facts.as_json(key).alias("key"),
        F.lit(night.run_date).alias("run_date"),
        F.lit(night.run_id).alias("run_id"),
    )
    return changed.where(~((F.size("repairs") == 1) & F.array_contains("repairs", TRIM)))


def _has_rows(warehouse: Warehouse, table: Table, night: Night) -> bool:
    """Whether there are rows of the run date in a table, which may not exist."""
    of_night = pc.field("run_date") == night.run_date
    return arrow.exists(warehouse, table.name) and len(arrow.read(warehouse, table.name, ["source"], of_night)) > 0


def _replace(table: Table, rows: DataFrame, warehouse: Warehouse, night: Night) -> int:
    """Replace the run date's rows of a table; the new version."""
    into = sink.target(warehouse, table)
    written = sink.collect(rows, sink.in_one_piece, into)
    return sink.commit(
        warehouse, into, written, lambda file: file.partition["run_date"] == night.run_date, night.run_id
    )
