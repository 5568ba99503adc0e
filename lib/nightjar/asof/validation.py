"""Checks of a join's arguments before any work: names, columns, types, durations."""

from collections.abc import Callable, Collection, Sequence
from datetime import timedelta

import pyarrow as pa
from pyarrow import types

from nightjar.asof.definitions import Facts, Latest, Windowed
from nightjar.asof.values import is_orderable, logical_type
from nightjar.durations import Duration, duration_of
from nightjar.errors import JoinError, UsageError
from nightjar.timeline import require_zone


def _is_number(kind: pa.DataType) -> bool:
    return types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind)


def _is_anything(_: pa.DataType) -> bool:
    return True


_TAKES: dict[str, tuple[str, Callable[[pa.DataType], bool]]] = {
    "count": ("any column", _is_anything),
    "sum": ("numbers", _is_number),
    "mean": ("numbers", _is_number),
    "std": ("numbers", _is_number),
    "min": ("values that have an order", is_orderable),
    "max": ("values that have an order", is_orderable),
    "first": ("any column", _is_anything),
    "last": ("any column", _is_anything),
    "distinct": ("values that have an order", is_orderable),
    "rate": ("booleans", types.is_boolean),
}


_CONVERSIONS = {
    "pandas.DataFrame": "pyarrow.Table.from_pandas(frame, preserve_index=False), after frame.reset_index() where the "
    "index holds a key or a clock",
    "polars.DataFrame": "frame.to_arrow()",
    "pyspark.DataFrame": "frame.toArrow()",
    "pyarrow.RecordBatch": "pyarrow.Table.from_batches([batch])",
    "list": "pyarrow.Table.from_pylist(rows)",
    "dict": "pyarrow.table(columns)",
}
"""Type that is often passed in place of an Arrow table -> how to convert it."""


def validate(spine: pa.Table, facts: Sequence[Facts], clocks: Sequence[str], zone: str) -> None:
    """Check the arguments of a join; errors name the facts and the column.

    Args:
        spine: the rows to predict for.
        facts: the sources with their features.
        clocks: columns of the spine that must be instants.
        zone: the zone whose calendar days are counted.

    Raises:
        JoinError: see the messages below.
    """
    try:
        require_zone(zone)
    except UsageError as error:
        raise JoinError(str(error)) from error
    _check_table(spine, "spine")
    for name in clocks:
        _check_clock(spine, name, "spine")
    _check_each(facts, Facts, "facts", "[Facts(...)]")
    for source in facts:
        _check_source(source)
        for key in source.key_columns:
            _column_type(spine, key, f"spine, key of facts {source.name!r}")
    _check_outputs(spine, facts)


def output_names(source: Facts) -> list[str]:
    """The columns that ``join`` adds for these facts: the features as declared, then the two matched clocks."""
    labels = [feature.label for feature in source.features]
    return [f"{source.name}__{label}" for label in [*labels, "event_time", "known_at"]]


def _check_table(table: object, where: str) -> None:
    if not isinstance(table, pa.Table):
        kind = _kind(table)
        how = _CONVERSIONS.get(kind, "pyarrow.table(...), of whatever has columns or Arrow's stream interface")
        raise JoinError(f"{where}: found a {kind}, expected a pyarrow.Table; make one by {how}")


def _check_each(values: object, kinds: type | tuple[type, ...], where: str, expected: str) -> None:
    """Refuse one value where several are asked for, and an iterator, which would be empty the second time."""
    if not isinstance(values, Collection):
        raise JoinError(f"{where}: found a {_kind(values)}, expected a list, {expected}")
    for value in values:
        if not isinstance(value, kinds):
            raise JoinError(f"{where}: found a {_kind(value)} in the list, expected {expected}")


def _kind(value: object) -> str:
    package, name = type(value).__module__.partition(".")[0], type(value).__name__
    return name if package == "builtins" else f"{package}.{name}"


def _check_source(source: Facts) -> None:
    where = f"facts {source.name!r}"
    _check_table(source.table, where)
    _check_each(source.features, (Latest, Windowed), f"{where}, features", "[Latest(...), Windowed(...)]")
    for role in ("keys", "fact_id", "sequence"):
        if isinstance(getattr(source, role), str):
            raise JoinError(f"{where}: {role} is the text {getattr(source, role)!r}; write a list of column names")
    if not source.key_columns:
        raise JoinError(f"{where}: no keys; name at least one column that spine and facts share")
    for key in source.key_columns.values():
        _check_orderable(source.table, key, f"{where}, key")
    for name in [source.event_time] if source.known_at is None else [source.event_time, source.known_at]:
        _check_clock(source.table, name, where)
    for name in (*source.fact_id, *source.sequence):
        _check_orderable(source.table, name, where)
    _check_deletions(source, where)
    for feature in source.features:
        _check_feature(source.table, feature, where)


def _check_deletions(source: Facts, where: str) -> None:
    if source.deleted is None:
        return
    kind = _column_type(source.table, source.deleted, where)
    if not types.is_boolean(kind):
        raise JoinError(f"{where}, column {source.deleted!r}: deleted is {kind}, expected a boolean")
    if not source.fact_id:
        raise JoinError(f"{where}, column {source.deleted!r}: a deletion needs fact_id to say what it deletes")


def _check_feature(table: pa.Table, feature: Latest | Windowed, where: str) -> None:
    kind = logical_type(_column_type(table, feature.column, where))
    where = f"{where}, column {feature.column!r}"
    if isinstance(feature, Latest):
        if feature.lookback is not None:
            _parse_length(feature.lookback, "lookback", where)
        return
    if feature.aggregate not in _TAKES:
        raise JoinError(f"{where}: unknown aggregate {feature.aggregate!r}; expected one of {', '.join(_TAKES)}")
    if not _parse_length(feature.window, "window", where):
        raise JoinError(f"{where}: window {feature.window} is not longer than zero")
    expected, accepts = _TAKES[feature.aggregate]
    if not accepts(kind):
        raise JoinError(f"{feature.aggregate} of a {kind}: {where}; {feature.aggregate} takes {expected}")


def _parse_length(duration: object, role: str, where: str) -> Duration:
    if not isinstance(duration, (Duration, timedelta, str)):
        raise JoinError(f"{where}: {role} is {duration!r}; expected a timedelta or a text like '7d'")
    negative = duration < timedelta() if isinstance(duration, timedelta) else str(duration).startswith("-")
    if negative:
        raise JoinError(f"{where}: {role} {duration} is negative; expected zero or more")
    try:
        return duration_of(duration)
    except UsageError as error:
        raise JoinError(f"{where}: {role}: {error}") from error


def _check_clock(table: pa.Table, name: str, where: str) -> None:
    kind = _column_type(table, name, where)
    if not isinstance(kind, pa.TimestampType):
        raise JoinError(f"{where}, column {name!r}: a clock must be a timestamp with a time zone, this is {kind}")
    if kind.tz is None:
        raise JoinError(
            f"{where}, column {name!r}: the clock has no time zone; say which one it was written in, "
            "with pyarrow.compute.assume_timezone(column, 'UTC') for instance"
        )


def _check_orderable(table: pa.Table, name: str, where: str) -> None:
    kind = _column_type(table, name, where)
    if not (is_orderable(logical_type(kind)) or types.is_null(kind)):
        raise JoinError(f"{where}, column {name!r}: values of {kind} have no order; expected a plain value")


def _column_type(table: pa.Table, name: str, where: str) -> pa.DataType:
    count = table.column_names.count(name)
    if count == 0:
        raise JoinError(f"{where}, column {name!r}: no such column; there are {', '.join(table.column_names)}")
    if count > 1:
        raise JoinError(f"{where}, column {name!r}: {count} columns have this name; rename all but one")
    kind: pa.DataType = table.schema.field(name).type
    return kind


def _check_outputs(spine: pa.Table, facts: Sequence[Facts]) -> None:
    origin: dict[str, str] = dict.fromkeys(spine.column_names, "the spine")
    for source in facts:
        for name, column in zip(output_names(source), _origins(source), strict=True):
            if name in origin:
                raise JoinError(
                    f"facts {source.name!r}, column {column!r}: {name!r} is made already by {origin[name]}; "
                    "give the feature or the facts another name"
                )
            origin[name] = f"facts {source.name!r}, column {column!r}"


def _origins(source: Facts) -> list[str]:
    return [*(feature.column for feature in source.features), source.event_time, source.known_at or source.event_time]
