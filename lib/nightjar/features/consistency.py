"""Whether the features that nights have stored are what the same tables give today."""

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
from nightjar.features.definitions import definitions_hash, source_table_name
from nightjar.features.spine import refuse_repeated, spine_rows
from nightjar.settings.project import Project
from nightjar.tables import arrow, delta
from nightjar.tables.definitions import QUALITY
from nightjar.tables.ledger import Outcome
from nightjar.tables.rows import of_frame
from nightjar.tables.warehouse import Warehouse

log = logging.getLogger("nightjar.maintain")
FEATURES = "features"
WHOLE_ROW = "the whole row"
_HASH = "_hash"
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Difference:
    """A value that was stored and its rebuild; of a whole row, whether there is one."""

    key: tuple[Any, ...]
    column: str
    stored: Any
    rebuilt: Any


def check(
    spark: SparkSession, warehouse: Warehouse, project: Project, run_date: date, run_id: str, nights: int, rows: int
) -> Outcome:
    """Rebuild a sample of the last nights' features from today's tables, and compare every column.

    The sample is of the rows whose keys have the least hashes: the same ones whenever they are asked for. Nights that
    were built with other definitions than today's are counted, not compared. What was found stands in `quality`.

    Args:
        spark: the session.
        warehouse: where tables lie.
        project: whose features.
        run_date: the last night that counts.
        run_id: of this run.
        nights: how many nights with features, up to the run date.
        rows: of the sample.

    Raises:
        TableError: some value differs. It has been recorded.
    """
    if not arrow.exists(warehouse, FEATURES):
        log.info("check of features: none have been built yet")
        return Outcome()
    sources = sorted({project.spine.source, *(group.source for group in project.features.values())})
    versions = arrow.pin(warehouse, [FEATURES, *map(source_table_name, sources)])
    days, others = _nights(warehouse, definitions_hash(project), run_date, nights, versions[FEATURES])
    stored: list[Row] = []
    found: list[Difference] = []
    if days:
        stored, greatest = _sample(spark, warehouse, project, days, rows, versions[FEATURES])
        found = differences(_key(project), stored, _rebuilt(spark, warehouse, project, days, greatest, versions))
    log.info("check of features: %s rows of %s nights rebuilt", f"{len(stored):,}", len(days))
    if others:
        log.warning("check of features: %s rows of other definitions than today's not compared", f"{others:,}")
    outcome = Outcome(inputs=versions, rows={"features rebuilt": len(stored), "features of other definitions": others})
    outcome.outputs[QUALITY.name] = _record(warehouse, found, len(stored), others, run_date, run_id)
    if found:
        raise TableError(_told(project, found, len(stored), days))
    return outcome


def differences(key: Sequence[str], stored: Sequence[Row], rebuilt: Sequence[Row]) -> list[Difference]:
    """Every value of a column that is not the same in both, by key and column; a NaN is the same as a NaN."""
    before, after = ({tuple(row[name] for name in key): row for row in rows} for rows in (stored, rebuilt))
    found = [Difference(one, WHOLE_ROW, one in before, one in after) for one in before.keys() ^ after.keys()]
    found += [
        Difference(one, column, before[one].get(column), value)
        for one in before.keys() & after.keys()
        for column, value in after[one].items()
        if not _same(before[one].get(column), value)
    ]
    return sorted(found, key=lambda difference: (str(difference.key), difference.column))


def _same(one: Any, other: Any) -> bool:
    are_numbers = isinstance(one, float) and isinstance(other, float)
    return bool(one == other) or (are_numbers and math.isnan(one) and math.isnan(other))


def _key(project: Project) -> list[str]:
    return [*project.spine.key, "prediction_time"]


def _nights(
    warehouse: Warehouse, definitions: str, run_date: date, nights: int, version: int
) -> tuple[list[date], int]:
    """The nights that were built with today's definitions, and the rows of the others."""
    where = pc.field("run_date") <= run_date
    built = arrow.read(warehouse, FEATURES, ["run_date", "definitions_hash"], where, version)
    counted: Any = built.group_by(built.column_names).aggregate([([], "count_all")]).to_pylist()
    last = sorted({row["run_date"] for row in counted})[-nights:]
    ours = [row for row in counted if row["run_date"] in last]
    others = sum(row["count_all"] for row in ours if row["definitions_hash"] != definitions)
    return sorted({row["run_date"] for row in ours if row["definitions_hash"] == definitions}), others


def _sample(
    spark: SparkSession, warehouse: Warehouse, project: Project, days: Sequence[date], rows: int, version: int
) -> tuple[list[Row], int]:
    """The stored rows with the least hashes, and the greatest of these."""
    stored = _hashed(delta.read(spark, warehouse, FEATURES, version), project, days)
    sample = stored.where(F.col("definitions_hash") == definitions_hash(project)).orderBy(_HASH).limit(rows)
    found: list[Row] = _plain(sample)
    return found, max(row[_HASH] for row in found)


def _rebuilt(
    spark: SparkSession,
    warehouse: Warehouse,
    project: Project,
    days: Sequence[date],
    greatest: int,
    versions: Mapping[str, int],
) -> list[Row]:
    spine = _hashed(spine_rows(spark, warehouse, project, versions, days[0], days[-1]), project, days)
    refuse_repeated(spine, project)
    asked = spine.where(F.col(_HASH) <= greatest)
    return _plain(with_features(of_frame(asked), warehouse, project, versions).frame())


def _hashed(rows: DataFrame, project: Project, days: Sequence[date]) -> DataFrame:
    return rows.where(F.col("run_date").isin(*days)).withColumn(_HASH, F.xxhash64(*_key(project)))


def _plain(rows: DataFrame) -> list[Row]:
    table: pa.Table = rows.toArrow()
    return list(table.to_pylist())


def _record(
    warehouse: Warehouse, found: Sequence[Difference], compared: int, others: int, run_date: date, run_id: str
) -> int:
    checks = {"rebuilt": (compared, compared + others), "not rebuilt: other definitions": (others, compared + others)}
    checks |= {f"rebuild differs: {column}": (rows, compared) for column, rows in sorted(_by_column(found).items())}
    recorded = [
        {"source": FEATURES, "check": name, "rows": rows, "of": of, "run_date": run_date, "run_id": run_id}
        for name, (rows, of) in checks.items()
    ]
    return arrow.replace(warehouse, QUALITY, recorded, {"run_date": run_date, "source": FEATURES}, run_id)


def _by_column(found: Sequence[Difference]) -> Counter[str]:
    return Counter(difference.column for difference in found)


def _told(project: Project, found: Sequence[Difference], compared: int, days: Sequence[date]) -> str:
    first = next((one for one in found if one.column != WHOLE_ROW), found[0])
    key = ", ".join(f"{name}={value}" for name, value in zip(_key(project), first.key, strict=True))
    columns = ", ".join(f"{column} ({rows:,} rows)" for column, rows in sorted(_by_column(found).items()))
    values = f"stored {first.stored!r}, rebuilt {first.rebuilt!r}"
    if first.column == WHOLE_ROW:
        values = "stored, but not rebuilt" if first.stored else "rebuilt, but not stored"
    return (
        f"Table features is not what its sources give today: of {compared:,} rows of {days[0]} to {days[-1]} that were "
        f"rebuilt, these columns differ: {columns}. For instance {first.column} of {key}: {values}. Were source tables "
        "changed by hand, or was other code used? What models have learned and scored may not be reproducible. "
        f"Once the cause is found: jobs/build_features.py since={days[0]} run_date={days[-1]}"
    )
