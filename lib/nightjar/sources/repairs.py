"""What repairs have changed, for the table `repairs` and for counts of them."""

from collections.abc import Iterable, Iterator, Mapping
from functools import reduce
from itertools import pairwise

from pyspark.sql import Column
from pyspark.sql import functions as F  # noqa: N812

from nightjar.settings import sources
from nightjar.settings.sources import ColumnType
from nightjar.sources.raw_columns import RawColumn, without_blanks

CHANGES = "_repairs"
"""The values of a row that repairs have changed, in rows of sources with repairs; null: none."""
CHANGES_TYPE = "array<struct<column:string,repairs:array<string>,before:string,after:string>>"
TRIM, NEAR_DUPLICATES = "trim", "near_duplicates"


def changes(columns: Iterable[RawColumn], valid: Mapping[str, Column]) -> Column:
    """The column `CHANGES`.

    Args:
        columns: the source's, in rows that have all their rounds.
        valid: name -> whether the row is not refused for its value.
    """
    entries = [_change(one, valid[one.name]) for one in columns if one.repair.names()]
    of_row = F.concat(F.array().cast(CHANGES_TYPE), *entries)
    return F.when(F.size(of_row) > 0, of_row)


def _change(one: RawColumn, is_valid: Column) -> Column:
    """What repairs have changed in a column, an array of one entry or none."""
    steps = [(repair, F.coalesce(changed, F.lit(False))) for repair, changed in _steps(one, is_valid)]
    after = F.when(is_valid, one.winsorised()).otherwise(F.col(one.name)).cast("string")
    if one.column.type is ColumnType.TIMESTAMP:
        after = F.concat(after, F.lit("Z"))
    entry = F.struct(
        F.lit(one.name).alias("column"),
        F.concat(*(_if(changed, F.lit(repair), "array<string>") for repair, changed in steps)).alias("repairs"),
        F.col(one.text).cast("string").alias("before"),
        after.alias("after"),
    )
    return _if(reduce(Column.__or__, (changed for _, changed in steps)), entry, CHANGES_TYPE)


def _steps(one: RawColumn, is_valid: Column) -> Iterator[tuple[str, Column]]:
    """Each repair that is declared, and whether it has a part in what has changed the value."""
    value, read = F.col(one.name), F.col(one.at("read"))
    if one.column.type is ColumnType.STRING:
        for before, step in pairwise(["read", *one.repair.steps()]):
            yield step, ~value.eqNullSafe(read) & ~F.col(one.at(step)).eqNullSafe(F.col(one.at(before)))
        return
    is_read = value.isNotNull()
    if one.repair.synonyms:
        yield "synonyms", F.col(one.at("synonym")).isNotNull()
        is_read = is_read & F.col(one.at("synonym")).isNull()
    if one.repair.numbers:
        bare = without_blanks(one.text)
        yield "numbers", is_read & (F.translate(bare, one.repair.numbers.signs(), "") != bare)
    if one.repair.zone:
        yield "zone", is_read & (value != read)
    if one.repair.winsorise:
        yield "winsorise", is_valid & (one.winsorised() != value)


def _if(condition: Column, one: Column, kind: str) -> Column:
    """An array of one entry, or of none; of some type."""
    return F.when(condition, F.array(one)).otherwise(F.array()).cast(kind)


def declared(source: sources.Source) -> list[tuple[str, str]]:
    """Each repair of a source: what it repairs, see the table `repairs`, and its name."""
    pairs = [(name, one) for name, column in source.columns.items() for one in column.repair.names()]
    return [*pairs, (", ".join(source.near_duplicates), NEAR_DUPLICATES)] if source.near_duplicates else pairs


def count(column: str, repair: str) -> Column:
    """Aggregate: the rows in which a repair has changed a column."""
    return F.count_if(
        F.exists(CHANGES, lambda one: (one["column"] == column) & F.array_contains(one["repairs"], repair))
    )
