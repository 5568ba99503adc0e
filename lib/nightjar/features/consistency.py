"""Checks that the stored features of past nights equal a rebuild from today's tables."""

import logging
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

from nightjar.errors import TableError
from nightjar.features.at import with_features
from nightjar.features.definitions import definitions_hash
from nightjar.features.spine import require_unique_rows, spine_rows
from nightjar.masking.values import in_words
from nightjar.settings.project import Project
from nightjar.tables import arrow, delta
from nightjar.tables.rows import of_frame
from nightjar.tables.runs import Outcome
from nightjar.tables.source_definitions import QUALITY, source_table_name
from nightjar.tables.warehouse import Warehouse

log = logging.getLogger("nightjar.maintain")
FEATURES = "features"
WHOLE_ROW = "the whole row"
_HASH = "_hash"
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Difference:
    """A stored value and its rebuild, which differ; for a whole row, whether each of them exists."""

    key: tuple[Any, ...]
    column: str
    stored: Any
    rebuilt: Any


def check(
    spark: SparkSession, warehouse: Warehouse, project: Project, run_date: date, run_id: str, nights: int, rows: int
) -> Outcome:
    """Rebuild a sample of the last nights' features from today's tables, and compare every column.

    The sample holds the rows whose keys have the smallest hashes, so that every check takes the same rows. Nights that
    were built with other definitions than today's are counted, not compared. The result is written to `quality`.

    Args:
        spark: the session.
        warehouse: where tables lie.
        project: whose features.
        run_date: the last night to check.
        run_id: of this run.
        nights: how many nights with features, up to the run date.
        rows: size of the sample.

    Raises:
        TableError: some value differs. It has been recorded.
    """
    if not arrow.exists(warehouse, FEATURES):
        log.info("check of features: none have been built yet")
        return Outcome()
    sources = sorted({project.spine.source, *(group.source for group in project.features.values())})
    versions = arrow.pin(warehouse, [FEATURES, *map(source_table_name, sources)])
    days, outdated = _nights(warehouse, definitions_hash(project), run_date, nights, versions[FEATURES])
    stored: list[Row] = []
    differences: list[Difference] = []
    if days:
        stored, greatest = _sample(spark, warehouse, project, days, rows, versions[FEATURES])
        differences = compare_rows(_key(project), stored, _rebuild(spark, warehouse, project, days, greatest, versions))
    log.info("check of features: %s rows of %s nights rebuilt", f"{len(stored):,}", len(days))
    if outdated:
        log.warning("check of features: %s rows of other definitions than today's not compared", f"{outdated:,}")
    outcome = Outcome(
        inputs=versions, rows={"features rebuilt": len(stored), "features of other definitions": outdated}
    )
    outcome.outputs[QUALITY.name] = _record(warehouse, differences, len(stored), outdated, run_date, run_id)
    if differences:
        raise TableError(_message(project, differences, len(stored), days))
    return outcome


def compare_rows(key: Sequence[str], stored: Sequence[Row], rebuilt: Sequence[Row]) -> list[Difference]:
    """The values that differ between the stored and the rebuilt rows, by key and column; NaN equals NaN."""
    before, after = ({tuple(row[name] for name in key): row for row in rows} for rows in (stored, rebuilt))
    differences = [
        Difference(row_key, WHOLE_ROW, row_key in before, row_key in after) for row_key in before.keys() ^ after.keys()
    ]
    differences += [
        Difference(row_key, column, before[row_key].get(column), value)
        for row_key in before.keys() & after.keys()
        for column, value in after[row_key].items()
        if not _same(before[row_key].get(column), value)
    ]
    return sorted(differences, key=lambda difference: (str(difference.key), difference.column))


def _same(stored: Any, rebuilt: Any) -> bool:
    are_numbers = isinstance(stored, float) and isinstance(rebuilt, float)
    return bool(stored == rebuilt) or (are_numbers and math.isnan(stored) and math.isnan(rebuilt))


def _key(project: Project) -> list[str]:
    return [*project.spine.key, "prediction_time"]


def _nights(
    warehouse: Warehouse, definitions: str, run_date: date, nights: int, version: int
) -> tuple[list[date], int]:
    """The nights that were built with today's definitions, and the number of rows built with others."""
    where = pc.field("run_date") <= run_date
    stored = arrow.read(warehouse, FEATURES, ["run_date", "definitions_hash"], where, version)
    counts: Any = stored.group_by(stored.column_names).aggregate([([], "count_all")]).to_pylist()
    last = sorted({row["run_date"] for row in counts})[-nights:]
    recent = [row for row in counts if row["run_date"] in last]
    outdated = sum(row["count_all"] for row in recent if row["definitions_hash"] != definitions)
    return sorted({row["run_date"] for row in recent if row["definitions_hash"] == definitions}), outdated


def _sample(
    spark: SparkSession, warehouse: Warehouse, project: Project, days: Sequence[date], rows: int, version: int
) -> tuple[list[Row], int]:
    """The stored rows with the smallest hashes, and the greatest hash among them."""
    stored = _with_hashes(delta.read(spark, warehouse, FEATURES, version), project, days)
    sample = stored.where(F.col("definitions_hash") == definitions_hash(project)).orderBy(_HASH).limit(rows)
    smallest: list[Row] = _collect(sample)
    return smallest, max(row[_HASH] for row in smallest)


def _rebuild(
    spark: SparkSession,
    warehouse: Warehouse,
    project: Project,
    days: Sequence[date],
    greatest: int,
    versions: Mapping[str, int],
) -> list[Row]:
    spine = _with_hashes(spine_rows(spark, warehouse, project, versions, days[0], days[-1]), project, days)
    require_unique_rows([spine], project)
    queries = spine.where(F.col(_HASH) <= greatest)
    return _collect(with_features(of_frame(queries), warehouse, project, versions).frame())


def _with_hashes(rows: DataFrame, project: Project, days: Sequence[date]) -> DataFrame:
    return rows.where(F.col("run_date").isin(*days)).withColumn(_HASH, F.xxhash64(*_key(project)))


def _collect(rows: DataFrame) -> list[Row]:
    table: pa.Table = rows.toArrow()
    return list(table.to_pylist())


def _record(
    warehouse: Warehouse, differences: Sequence[Difference], compared: int, outdated: int, run_date: date, run_id: str
) -> int:
    checks = {
        "rebuilt": (compared, compared + outdated),
        "not rebuilt: other definitions": (outdated, compared + outdated),
    }
    checks |= {
        f"rebuild differs: {column}": (rows, compared) for column, rows in sorted(_by_column(differences).items())
    }
    quality_rows = [
        {"source": FEATURES, "check": name, "rows": rows, "of": of, "run_date": run_date, "run_id": run_id}
        for name, (rows, of) in checks.items()
    ]
    return arrow.replace(warehouse, QUALITY, quality_rows, {"run_date": run_date, "source": FEATURES}, run_id)


def _by_column(differences: Sequence[Difference]) -> Counter[str]:
    return Counter(difference.column for difference in differences)


def _message(project: Project, differences: Sequence[Difference], compared: int, days: Sequence[date]) -> str:
    first = next((difference for difference in differences if difference.column != WHOLE_ROW), differences[0])
    key = in_words(dict(zip(_key(project), first.key, strict=True)))
    columns = ", ".join(f"{column} ({rows:,} rows)" for column, rows in sorted(_by_column(differences).items()))
    values = f"stored {first.column}={first.stored!r}, rebuilt {first.column}={first.rebuilt!r}"
    if first.column == WHOLE_ROW:
        values = "stored, but not rebuilt" if first.stored else "rebuilt, but not stored"
    return (
        f"Table features is not what its sources give today: of {compared:,} rows of {days[0]} to {days[-1]} that were "
        f"rebuilt, these columns differ: {columns}. For instance {first.column} of {key}: {values}. Were source tables "
        "changed by hand, or was other code used? What models have learned and scored may not be reproducible. "
        f"Once the cause is found: jobs/build_features.py since={days[0]} run_date={days[-1]}"
    )
