"""Lookups: columns from a static file, brought to a source's rows by one key."""

from pathlib import Path

import pyarrow as pa
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql.types import StructField

from nightjar.errors import SourceError
from nightjar.settings.files import Dialect
from nightjar.settings.sources import ColumnType, Lookup, Source
from nightjar.sources import values
from nightjar.sources.formats import files, raw

UNREAD = "_unread"


def join(rows: DataFrame, name: str, lookup: Lookup, key_type: ColumnType, cache: Path) -> DataFrame:
    """Rows with the new columns of a lookup.

    Args:
        rows: of the source.
        name: of the lookup, for messages.
        lookup: its settings.
        key_type: the type that its key has in the source, and in the file.
        cache: folder for unpacked archives.

    Raises:
        SourceError: the file cannot be read as declared. Its rows are those that `require_sound` has seen.
    """
    return rows.join(F.broadcast(_table(rows.sparkSession, name, lookup, key_type, cache)), lookup.key, "left")


def require_sound(spark: SparkSession, name: str, source: Source, cache: Path) -> None:
    """Read the static files of a source through.

    Args:
        spark: the session.
        name: of the source.
        source: its settings.
        cache: folder for unpacked archives.

    Raises:
        SourceError: one cannot be read as declared, has no row, or one key twice.
    """
    types = {column: one.type for column, one in source.columns.items()}
    for lookup_name, lookup in source.lookups.items():
        path = f"{name}.lookups.{lookup_name}"
        _check(_typed(spark, path, lookup, types[lookup.key], cache), path, lookup)
        types |= lookup.types


def _table(spark: SparkSession, name: str, lookup: Lookup, key_type: ColumnType, cache: Path) -> DataFrame:
    """Key and new columns of a static file, with the rows that the project declares for missing keys."""
    columns, types = [lookup.key, *lookup.columns], {lookup.key: key_type, **lookup.types}
    table = _typed(spark, name, lookup, key_type, cache).select(*columns).where(F.col(lookup.key).isNotNull())
    if not lookup.missing:
        return table
    declared = [{lookup.key: key, **texts} for key, texts in lookup.missing.items()]
    texts = spark.createDataFrame(pa.Table.from_pylist(declared, pa.schema([(one, pa.string()) for one in columns])))
    extra = texts.select(*(values.value(texts.schema[one], types[one]).alias(one) for one in columns))
    return table.unionByName(extra.join(table, lookup.key, "left_anti"))


def _typed(spark: SparkSession, name: str, lookup: Lookup, key_type: ColumnType, cache: Path) -> DataFrame:
    """Key and new columns of a static file, with what is wrong with a row."""
    path, dialect = files.the_file(lookup.file, name), lookup.file.dialect
    rows = raw.read(spark, lookup.file, [path], lookup.file_columns(), name, cache).rows
    columns = {lookup.key: lookup.file_key, **lookup.columns}
    types = {lookup.key: key_type, **lookup.types}
    for new_name, column in columns.items():
        values.require_fit(rows, name, lookup.file.path, {column: types[new_name]})
    fields = {new_name: rows.schema[column] for new_name, column in columns.items()}
    unread = F.coalesce(*(_unread(field, types[new_name], dialect) for new_name, field in fields.items()))
    typed = [values.value(field, types[new_name], dialect).alias(new_name) for new_name, field in fields.items()]
    return rows.select(*typed, unread.alias(UNREAD), raw.MALFORMED)


def _unread(field: StructField, kind: ColumnType, dialect: Dialect) -> Column:
    """A value of a static file that is not of its declared type, in words; null where it is."""
    return F.when(
        F.col(field.name).isNotNull() & values.value(field, kind, dialect).isNull(),
        F.concat(F.lit(f"{field.name} "), F.col(field.name).cast("string"), F.lit(f" is not a {kind.value}")),
    )


def _check(table: DataFrame, name: str, lookup: Lookup) -> None:
    """Raise SourceError for a file without rows, malformed rows, values of other types, or a repeated key."""
    malformed, key = F.col(raw.MALFORMED), F.col(lookup.key)
    counts = [F.count("*").alias("rows"), F.count(malformed).alias("broken"), F.min(malformed).alias("example")]
    counts.append(F.min(UNREAD).alias("unread"))
    is_wrong = (F.col("broken") > 0) | F.col("unread").isNotNull() | ((F.col("rows") > 1) & key.isNotNull())
    by_key = table.groupBy(key).agg(*counts).withColumn("is_wrong", is_wrong)
    bad_key = by_key.orderBy(F.col("is_wrong").desc_nulls_last(), F.col("broken").desc()).first()
    if bad_key is None:
        raise SourceError(
            f"Source {name}: {lookup.file.path} holds no row, so every {lookup.key} would go without "
            f"{', '.join(lookup.columns)}. Fetch it again. Nothing was written."
        )
    if not bad_key["is_wrong"]:
        return
    raw.refuse_malformed(bad_key["broken"], bad_key["example"], name, lookup.file.path)
    if bad_key["unread"] is not None:
        at_key = "" if bad_key[0] is None else f"at {lookup.file_key} {bad_key[0]!r} "
        raise SourceError(
            f"Source {name}: {at_key}in {lookup.file.path}, {bad_key['unread']}. Correct the file, or the lookup's "
            "types. Nothing was written."
        )
    raise SourceError(
        f"Source {name}: {lookup.file_key} {bad_key[0]!r} of {lookup.file.path} has {bad_key['rows']} rows, expected "
        "one. Nothing was written."
    )
