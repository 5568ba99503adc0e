"""From raw rows to facts: cast, check and derive columns; each refused row gets its reasons."""

import math
from collections.abc import Iterable, Mapping
from functools import reduce
from pathlib import Path

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql.types import BooleanType, StringType, TimestampType

from nightjar.errors import SourceError
from nightjar.expressions import guard
from nightjar.expressions.references import columns_in
from nightjar.settings import sources
from nightjar.settings.texts import parse
from nightjar.sources import lookups, raw_columns, repairs, values
from nightjar.sources.formats import raw
from nightjar.sources.formats.parquet import MOMENTS
from nightjar.sources.gates import row_checks
from nightjar.sources.raw_columns import RawColumn
from nightjar.sources.repairs import CHANGES

REASONS = "_reasons"
ROW = "_row"
STATE = "_state"
RAW = "_raw"
TYPED = "_typed"
"""What has become of a raw row so far, for staged rows: the columns that its state depends on, `_reasons`, and `_row`,
unless it is the raw columns beside it."""
SEPARATOR = "\n"
KEEP_NULLS = {"ignoreNullFields": "false"}
Fault = tuple[Column, str]  # a condition under which a row is refused, and the reason


def with_absent(stored: DataFrame, columns: Iterable[str], like: DataFrame) -> DataFrame:
    """Stored facts with those of the columns empty that the table lacks, as the settings have only now added them.

    Args:
        stored: facts, or versions of them.
        columns: that are needed.
        like: rows that have these columns in their types.
    """
    absent = [name for name in columns if name not in stored.columns]
    return stored.withColumns({name: F.lit(None).cast(like.schema[name].dataType) for name in absent})


def candidates(rows: DataFrame, name: str, source: sources.Source, cache: Path, zone: str) -> DataFrame:
    """Raw rows with their stored columns, `event_time`, `stated_known_at`, `intake` (their item), and their state.

    `_reasons` lists the checks a row failed (null: none), `_row` holds its raw columns as texts, and `_state` is
    `fact`, `refused` or `not_a_fact`; `_gates` are the gates that a row fails and that do not refuse it. Where columns
    are repaired, `_repairs` are the values that this has changed. A null `known_at` is the `event_time`.

    Args:
        rows: the raw columns, as `raw.read` gives them, or `TYPED` in their stead or beside them. A column `_raw` stays
            as it is, and `TYPED` is put beside it.
        name: of the source.
        source: its settings.
        cache: folder for unpacked archives.
        zone: the project's time zone, for advice.

    Raises:
        SourceError: a column cannot be read as declared, a clock is no instant, or `deleted` is no boolean.
        UsageError: an expression holds what it may not, or does not fit the columns.
    """
    if TYPED in rows.columns:
        row = [F.struct(*source.columns).alias(ROW)] if source.columns.keys() <= set(rows.columns) else []
        rows = rows.select(f"{TYPED}.*", *row, *(one for one in _passed(rows) if one != TYPED))
    else:
        is_text = all(isinstance(rows.schema[column].dataType, StringType) for column in source.columns)
        rows = _with_values(rows, name, source, cache)
        if RAW in rows.columns:
            of_state = [*decisive_columns(source), REASONS, *([] if is_text else [ROW]), CHANGES]
            rows = rows.withColumn(TYPED, F.struct(*(column for column in of_state if column in rows.columns)))
    _require_types(rows, name, source, zone)
    return _set_state(rows, name, source)


def decisive_columns(source: sources.Source) -> list[str]:
    """The columns that are stored, or that decide whether a row is: all, where an expression does not say which."""
    columns, names = source.column_names(), {*source.stored_columns(), source.event_time, source.known_at}
    for path, sql in source.sql().items():
        used = () if path.startswith("derived.") else columns_in(sql)
        if used is None:
            return columns
        names |= {column.casefold() for column in used}
    names |= {column for gate in source.gates.values() for column in gate.source_columns()}
    return [column for column in columns if column in names or column.casefold() in names]


def _with_values(rows: DataFrame, name: str, source: sources.Source, cache: Path) -> DataFrame:
    """Raw rows with the values of all columns, also those of lookups and derived ones."""
    types = {column: one.type for column, one in source.columns.items()}
    values.require_fit(rows, name, source.origin.place, types)
    columns = raw_columns.raw_columns(rows, source)
    raw_columns.require_fit(columns, name, source)
    rows = _cast_columns(rows, columns)
    for lookup_name, lookup in source.lookups.items():
        rows = lookups.join(rows, f"{name}.lookups.{lookup_name}", lookup, types[lookup.key], cache)
        types |= lookup.types
    return guard.add_columns(rows, f"project.sources.{name}.derived", source.derived)


def _require_types(rows: DataFrame, name: str, source: sources.Source, zone: str) -> None:
    """Refuse clocks that are no instants: a date or a local time is a different instant in every zone."""
    clocks = {"event_time": source.event_time, "known_at": source.known_at or source.event_time}
    for role, column in clocks.items():
        kind = rows.schema[column].dataType
        if not isinstance(kind, TimestampType):
            raise SourceError(
                f"Source {name}: its {role}, column {column}, is a {kind.simpleString().upper()}, which names no "
                "instant; expected TIMESTAMP. Derive one: if its times are of "
                f"{zone}, to_utc_timestamp(CAST({column} AS TIMESTAMP), '{zone}'). Nothing was written."
            )
    if source.deleted and not isinstance(rows.schema[source.deleted].dataType, BooleanType):
        raise SourceError(
            f"Source {name}: its deleted, column {source.deleted}, is a "
            f"{rows.schema[source.deleted].dataType.simpleString().upper()}, expected BOOLEAN. Derive one, such as "
            f"{source.deleted} = 'D'. Nothing was written."
        )


def _cast_columns(rows: DataFrame, columns: Mapping[str, RawColumn]) -> DataFrame:
    """Cast each text to its declared type; a value that cannot be cast, or is out of range, is a reason."""
    passed = _passed(rows)
    # Three projections: each text is cast once, and each value judged once, however often the results are used.
    values_and_texts = raw_columns.repaired(rows, columns, passed)
    faults = {name: _column_fault(raw_column) for name, raw_column in columns.items()}
    judged = values_and_texts.select("*", *(fault.alias(_fault(name)) for name, fault in faults.items()))
    valid = {name: F.col(_fault(name)).isNull() for name in faults}
    if any(raw_column.column.repair.names() for raw_column in columns.values()):
        judged, passed = judged.withColumn(CHANGES, repairs.changes(columns.values(), valid)), [*passed, CHANGES]
    reasons = F.concat_ws(SEPARATOR, *(_fault(name) for name in faults)).alias(REASONS)
    row = F.struct(*(_readable(raw_column).alias(name) for name, raw_column in columns.items())).alias(ROW)
    # A value with a fault is null: an expression such as make_date must not get a month of 13.
    valid_values = [F.when(valid[name], raw_column.winsorised()).alias(name) for name, raw_column in columns.items()]
    return judged.select(*valid_values, reasons, row, *passed)


def _readable(raw_column: RawColumn) -> Column:
    """The raw text; or a text that is read as the same value where the raw value is none, and is one of its column."""
    text = F.col(raw_column.text)
    if isinstance(raw_column.field.dataType, StringType):
        return text
    if raw_column.repair.zone:  # of a time that is in no zone yet
        return text.cast("string")
    return F.coalesce(F.col(raw_column.name).cast("string"), text.cast("string"))


def _any(faults: list[Fault]) -> Column:
    return reduce(Column.__or__, (F.coalesce(condition, F.lit(False)) for condition, _ in faults))


def _reasons(faults: list[Fault]) -> Column:
    """The reasons of all faults as one text, one a line; empty where there is none."""
    return F.when(_any(faults), F.concat_ws(SEPARATOR, *(F.when(*fault) for fault in faults))).otherwise("")


def _fault(name: str) -> str:
    return f"_fault_{name}"


def row_as_json() -> Column:
    """The raw columns of a row as JSON of texts, nulls included."""
    return F.to_json(ROW, KEEP_NULLS)


def as_json(columns: list[str]) -> Column:
    """The columns of a row as JSON, nulls included."""
    return F.to_json(F.struct(*columns), KEEP_NULLS)


def _column_fault(raw_column: RawColumn) -> Column:
    """Why a value is none of its column: all reasons, one a line; null where it is one."""
    name, column, is_missing = raw_column.name, raw_column.column, raw_column.is_missing()
    value = F.col(name)
    unparsed = ~is_missing & value.isNull()
    # Of these a value has one at most.
    faults = [(unparsed & condition, f"{name}: {reason}") for condition, reason in raw_column.special()]
    faults.append((unparsed, f"{name}: not a {column.type.value}"))
    if column.required:
        faults.append((is_missing, f"{name}: missing"))
    faults += _out_of_bounds(name, column)
    fault = reduce(lambda chain, one: chain.when(*one), faults[1:], F.when(*faults[0]))
    if not column.levels:
        return fault
    levels = [parse(level, column.type) for level in column.levels]
    of_levels = F.when(~value.isin(levels), f"{name}: not one of {', '.join(column.levels)}")
    return F.nullif(F.concat_ws(SEPARATOR, fault, of_levels), F.lit(""))


def _out_of_bounds(name: str, column: sources.Column) -> list[Fault]:
    """Faults of values beyond the column's bounds. NaN and infinities are faults of their own.

    Spark takes NaN for greater than every number, and an infinity exceeds at most one bound.
    """
    value, finite, faults = F.col(name), F.lit(True), list[Fault]()
    bounds = (column.minimum, column.maximum, column.repair.winsorise)
    is_bounded = any(bound is not None for bound in bounds)
    if column.type is sources.ColumnType.DOUBLE and (is_bounded or column.required):
        finite = F.abs(value) < F.lit(math.inf)
        faults = [
            (F.isnan(value), f"{name}: not a number"),
            (F.abs(value) == F.lit(math.inf), f"{name}: infinite"),
        ]
    if column.minimum is not None:
        faults.append((finite & (value < column.minimum), f"{name}: below {column.minimum:g}"))
    if column.maximum is not None:
        faults.append((finite & (value > column.maximum), f"{name}: above {column.maximum:g}"))
    return faults


def _set_state(rows: DataFrame, name: str, source: sources.Source) -> DataFrame:
    """Set each row's state: fact or not, and whether a fact has its key and clocks and meets the source's checks."""
    known_at = F.coalesce(source.known_at or source.event_time, source.event_time)
    needed = dict.fromkeys([*source.key, source.event_time])
    path, kinds = f"project.sources.{name}", (BooleanType,)
    checks = {check: guard.column(rows, f"{path}.checks.{check}", sql, kinds) for check, sql in source.checks.items()}
    used = {source.event_time, source.known_at, *source.stored_columns()}
    derived_moments = [one for one in source.derived if one in used and isinstance(rows.schema[one].dataType, MOMENTS)]
    faults = [
        *((F.col(column).isNull(), f"{column}: missing") for column in needed),
        *((values.is_outside(F.col(column)), f"{column}: {values.OUTSIDE}") for column in derived_moments),
        *((~F.coalesce(condition, F.lit(False)), f"check {check}") for check, condition in checks.items()),
    ]
    is_fact = guard.column(rows, f"{path}.where", source.where, kinds) if source.where else F.lit(True)
    failing = row_checks.conditions(rows, name, source)
    faults += row_checks.refusals(source, failing)
    beside = [F.when(*fault) for fault in row_checks.refusals_beside(source, failing, F.col(REASONS))]
    is_parsed = F.col(REASONS) == ""
    of_others = F.when(is_parsed, "").otherwise(F.concat_ws(SEPARATOR, REASONS, *beside))
    reasons_so_far = F.when(is_parsed & is_fact, _reasons(faults)).otherwise(of_others)
    checked = rows.withColumns({REASONS: reasons_so_far, row_checks.FLAGS: row_checks.flags(source, failing)})
    refused = F.col(REASONS) != ""
    state = F.when(refused, "refused").when(F.coalesce(is_fact, F.lit(False)), "fact").otherwise("not_a_fact")
    clocks = [F.col(source.event_time).alias("event_time"), known_at.alias("stated_known_at")]
    reasons = F.when(refused, F.split(REASONS, SEPARATOR)).alias(REASONS)
    item = F.col(raw.FILE).alias("intake")
    result = [reasons, F.col(ROW), state.alias(STATE)]
    return checked.select(*clocks, *source.stored_columns(), item, *result, row_checks.FLAGS, *_passed(rows))


def _passed(rows: DataFrame) -> list[str]:
    """The columns about a raw row that no step changes."""
    return [name for name in (raw.MALFORMED, raw.FILE, RAW, TYPED, CHANGES) if name in rows.columns]
