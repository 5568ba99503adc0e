"""Checks of rows beside other rows: unique values, and values that another source has too.

Each gives the values that fail, with the number of new rows that have them; few, as a rule.
"""

from collections.abc import Mapping
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812

from nightjar.errors import UsageError
from nightjar.settings.gates import Gate
from nightjar.settings.sources import Source
from nightjar.sources import facts

ROWS = "_rows"


def repeated(new: DataFrame, stored: DataFrame | None, gate: Gate, source: Source) -> DataFrame:
    """The values of the gate's columns that more than one fact has, and new rows with them; see `Gate`.

    Args:
        new: the night's facts.
        stored: the versions that were known by the night; None: there are none.
        gate: of check `unique`.
        source: whose.
    """
    columns, fact = gate.columns, F.struct(*source.key)
    of_versions = set(source.key) <= set(columns)
    first, last = F.min(fact).alias("_first"), F.max(fact).alias("_last")
    values = new.where(_complete(columns)).groupBy(*columns).agg(F.count("*").alias(ROWS), first, last)
    is_repeated = F.col(ROWS) > 1 if of_versions else F.col("_first") != F.col("_last")
    if stored is not None and not of_versions:
        whole = facts.with_absent(stored, [*columns, *source.key], new)
        others = whole.select(*(F.col(name).alias(f"_stored_{name}") for name in columns), fact.alias("_fact"))
        same = _equal({name: f"_stored_{name}" for name in columns})
        earlier = values.join(others, same & (F.col("_fact") != F.col("_first")), "left_semi")
        values = values.where(is_repeated).unionByName(earlier.where(~is_repeated))
    else:
        values = values.where(is_repeated)
    return values.select(*columns, ROWS)


def unrelated(new: DataFrame, others: DataFrame, gate: Gate, path: str) -> DataFrame:
    """The values of the gate's columns that no fact of the other source has, and new rows with them.

    Args:
        new: the night's rows.
        others: the facts of the other source, with the gate's fields.
        gate: of check `relationships`.
        path: of the gate.

    Raises:
        UsageError: a column has another type than the field that it refers to.
    """
    fields = {column: f"_other_{column}" for column in gate.columns}
    for column, name in zip(gate.columns, gate.fields_there(), strict=True):
        kind, other = new.schema[column].dataType, others.schema[name].dataType
        if kind != other:
            raise UsageError(
                f"{path}: the column {column} is a {kind.simpleString()} and {name} of {gate.to} a "
                f"{other.simpleString()}, expected one type. Declare or derive them alike. Nothing was written."
            )
    pairs = zip(gate.fields_there(), fields.values(), strict=True)
    there = others.select(*(F.col(name).alias(alias) for name, alias in pairs)).distinct()
    values = new.where(_complete(gate.columns)).groupBy(*gate.columns).agg(F.count("*").alias(ROWS))
    return values.join(there, _equal(fields), "left_anti").select(*gate.columns, ROWS)


def current(new: DataFrame, stored: DataFrame | None, source: Source, fields: list[str]) -> DataFrame:
    """The fields of the facts that there are: of the latest version of each, unless it is a deletion.

    Args:
        new: versions of facts that are not stored, with `known_at`.
        stored: those that are; None: there are none.
        source: whose.
        fields: its columns.
    """
    deleted = [source.deleted] if source.deleted else []
    columns = [*dict.fromkeys([*source.key, *source.sequence, *fields, *deleted]), "known_at"]
    versions = new.select(*columns)
    if stored is not None:
        versions = versions.unionByName(facts.with_absent(stored, columns, versions).select(*columns))
    if source.deleted is None and set(fields) <= set(source.key):
        return versions.select(*fields)
    values = F.struct(*fields, *(F.col(name).alias("_deleted") for name in deleted))
    latest = F.max_by(values, F.struct("known_at", *source.sequence)).alias("_latest")
    there = versions.groupBy(*source.key).agg(latest).select("_latest.*")
    return there.where(~F.coalesce("_deleted", F.lit(False))).drop("_deleted") if source.deleted else there


def _complete(columns: list[str]) -> Column:
    return reduce(Column.__and__, (F.col(name).isNotNull() for name in columns))


def _equal(names: Mapping[str, str]) -> Column:
    return reduce(Column.__and__, (F.col(name) == F.col(other) for name, other in names.items()))
