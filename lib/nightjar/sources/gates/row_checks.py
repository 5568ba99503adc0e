"""Checks of the values of single rows, as conditions under which a row fails."""

import math
from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

from py4j.protocol import Py4JJavaError
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql.types import (
    BooleanType,
    DataType,
    DateType,
    DoubleType,
    FloatType,
    FractionalType,
    IntegralType,
    NumericType,
    StringType,
    TimestampType,
)

from nightjar.errors import UsageError
from nightjar.expressions import guard
from nightjar.settings.gates import OF_VALUES, Gate, GateCheck, GateSeverity
from nightjar.settings.sources import ColumnType, Source
from nightjar.settings.texts import parse

FLAGS = "_gates"
"""Names of the gates that a row fails and that do not refuse it; null: none."""
_KINDS: list[tuple[type[DataType], ColumnType]] = [
    (StringType, ColumnType.STRING),
    (BooleanType, ColumnType.BOOLEAN),
    (IntegralType, ColumnType.LONG),
    (FractionalType, ColumnType.DOUBLE),
    (DateType, ColumnType.DATE),
    (TimestampType, ColumnType.TIMESTAMP),
]


def conditions(rows: DataFrame, name: str, source: Source) -> dict[str, Column]:
    """Gate -> condition under which a row fails it, for the gates that look at the values of one row.

    A condition may be null, which is no failure.

    Args:
        rows: with all columns of the source.
        name: of the source.
        source: its settings.

    Raises:
        UsageError: a gate does not fit the type of its column.
    """
    gates = {gate_name: gate for gate_name, gate in source.gates.items() if gate.check in OF_VALUES}
    return {gate_name: _condition(rows, path_of(name, gate_name), gate) for gate_name, gate in gates.items()}


def path_of(source: str, gate: str) -> str:
    """The key path of a gate."""
    return f"project.sources.{source}.gates.{gate}"


def refusals(source: Source, failing: Mapping[str, Column]) -> list[tuple[Column, str]]:
    """Conditions and reasons of the gates that refuse rows."""
    gates = source.gates
    return [
        (condition, reason(name, gates[name]))
        for name, condition in failing.items()
        if gates[name].severity is GateSeverity.REFUSE
    ]


def refusals_beside(source: Source, failing: Mapping[str, Column], reasons: Column) -> list[tuple[Column, str]]:
    """The same for rows that have reasons already: those that the faulty columns, null by now, did not make.

    Args:
        source: its settings.
        failing: gate -> condition.
        reasons: text of the reasons, a line each, beginning with the faulty column's name.
    """
    of_raw = {name: one for name, one in failing.items() if source.gates[name].column in source.columns}
    lines = F.concat(F.lit("\n"), reasons)
    is_faulty = {name: F.contains(lines, F.lit(f"\n{source.gates[name].column}: ")) for name in of_raw}
    return refusals(source, {name: one & ~is_faulty[name] for name, one in of_raw.items()})


def flags(source: Source, failing: Mapping[str, Column]) -> Column:
    """The column `FLAGS`."""
    others = [name for name in failing if source.gates[name].severity is not GateSeverity.REFUSE]
    if not others:
        return F.lit(None).cast("array<string>")
    names = F.array_compact(F.array(*(F.when(failing[name], F.lit(name)) for name in others)))
    any_fails = reduce(Column.__or__, (F.coalesce(failing[name], F.lit(False)) for name in others))
    return F.when(any_fails, names)  # of most rows no list is made


def reason(name: str, gate: Gate) -> str:
    """Why a row is refused, and what is amiss with rows of a night."""
    return " ".join(f"gate {name}: {_REASONS[gate.check](gate)}".split())  # reasons of a row are parted by line breaks


def missing(column: str, kind: DataType) -> Column:
    """Whether there is no value: null, NaN or infinite."""
    value = F.col(column)
    if isinstance(kind, DoubleType | FloatType):
        return value.isNull() | F.isnan(value) | (F.abs(value) == F.lit(math.inf))
    return value.isNull()


def number(rows: DataFrame, path: str, column: str, *, truth: bool = False) -> Column:
    """The column as a double; NaN and infinities are null.

    Args:
        rows: the rows.
        path: of the gate.
        column: of the rows.
        truth: whether a boolean is a number: 1 where it is true.

    Raises:
        UsageError: it is no column of numbers.
    """
    kinds = (NumericType, BooleanType) if truth else (NumericType,)
    kind = require_kind(rows, path, column, kinds)
    return F.when(~missing(column, kind), F.col(column).cast("double"))


def require_kind(rows: DataFrame, path: str, column: str, kinds: tuple[type[DataType], ...]) -> DataType:
    """The type of a column.

    Raises:
        UsageError: it is none of these.
    """
    kind = rows.schema[column].dataType
    if not isinstance(kind, kinds):
        names = ", ".join(one.__name__.removesuffix("Type").lower() for one in kinds)
        raise UsageError(
            f"{path}: the column {column} is a {kind.simpleString()}, expected one of: {names}. Derive such a column, "
            "or check it by an expression. Nothing was written."
        )
    return kind


def values_of(rows: DataFrame, path: str, column: str, texts: list[str]) -> list[Any]:
    """Texts of settings as values of a column.

    Raises:
        UsageError: a text is no value of the column's type.
    """
    kind = require_kind(rows, path, column, tuple(one for one, _ in _KINDS))
    of_type = next(word for one, word in _KINDS if isinstance(kind, one))
    try:
        return [parse(text, of_type) for text in texts]
    except (ValueError, OverflowError) as error:
        raise UsageError(f"{path}: {error}, as the column {column} is. Nothing was written.") from error


def _condition(rows: DataFrame, path: str, gate: Gate) -> Column:
    if gate.check is GateCheck.EXPRESSION:
        return ~guard.column(rows, f"{path}.expression", gate.expression or "", (BooleanType,))
    column = gate.column or ""
    if gate.check is GateCheck.NOT_NULL:
        return missing(column, rows.schema[column].dataType)
    if gate.check is GateCheck.ACCEPTED_VALUES:
        return ~F.col(column).isin(values_of(rows, path, column, gate.values))
    if gate.check is GateCheck.MATCHES:
        require_kind(rows, path, column, (StringType,))
        _require_pattern(rows, path, gate.pattern or "")
        return ~F.col(column).rlike(gate.pattern or "")
    kind = require_kind(rows, path, column, (NumericType,))
    bounds = [F.col(column) < gate.minimum] if gate.minimum is not None else []
    bounds += [F.col(column) > gate.maximum] if gate.maximum is not None else []
    outside = bounds[0] | bounds[-1]
    return F.col(column).isNotNull() & (missing(column, kind) | outside)


def _require_pattern(rows: DataFrame, path: str, pattern: str) -> None:
    java: Any = rows.sparkSession._jvm  # noqa: SLF001  (only Java knows what its regular expressions may hold)
    try:
        java.java.util.regex.Pattern.compile(pattern)
    except Py4JJavaError as error:
        problem = str(error.java_exception.getMessage()).splitlines()[0]
        raise UsageError(
            f"{path}.pattern: {pattern!r} is no regular expression of Java: {problem}. Nothing was written."
        ) from error


def _range(gate: Gate) -> str:
    if gate.minimum is None:
        return f"above {gate.maximum:g}"
    return f"below {gate.minimum:g}" if gate.maximum is None else f"not from {gate.minimum:g} to {gate.maximum:g}"


_REASONS: dict[GateCheck, Callable[[Gate], str]] = {
    GateCheck.NOT_NULL: lambda gate: f"{gate.column} has no value",
    GateCheck.ACCEPTED_VALUES: lambda gate: f"{gate.column} is not one of {', '.join(gate.values)}",
    GateCheck.BETWEEN: lambda gate: f"{gate.column} is {_range(gate)}",
    GateCheck.MATCHES: lambda gate: f"{gate.column} does not match {gate.pattern}",
    GateCheck.EXPRESSION: lambda gate: f"not {gate.expression}",
    GateCheck.UNIQUE: lambda gate: f"another fact has the same {', '.join(gate.columns)}",
    GateCheck.RELATIONSHIPS: lambda gate: f"no fact of {gate.to} has this {', '.join(gate.fields_there())}",
    GateCheck.OUTLIERS: lambda gate: f"{gate.column} is far from its history ({gate.method})",
}
