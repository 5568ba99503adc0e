"""Expressions as columns of rows, checked first by their text and then by their columns and types."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pyspark.errors import AnalysisException
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql.types import DataType

from nightjar.errors import UsageError
from nightjar.expressions.allowed import ALLOWED, LEAVES
from nightjar.expressions.syntax import ISO, first_line, require_allowed, short

_TIME = re.compile(r"\b(date|timestamp|timestamp_ntz)\b")
_INSTANT = re.compile(r"\btimestamp\b")


def add_columns(
    rows: DataFrame, path: str, expressions: Mapping[str, str], kinds: Sequence[type[DataType]] = ()
) -> DataFrame:
    """The rows with one more column for each expression, which may use the ones before it.

    Args:
        rows: the rows.
        path: key path of the expressions.
        expressions: new column -> Spark SQL expression.
        kinds: the types a column may have; none: any.

    Raises:
        UsageError: see `column`.
    """
    for name, sql in expressions.items():
        rows = rows.withColumn(name, column(rows, f"{path}.{name}", sql, kinds))
    return rows


def column(rows: DataFrame, path: str, sql: str, kinds: Sequence[type[DataType]] = ()) -> Column:
    """The expression as a column of the rows.

    Args:
        rows: the rows.
        path: key path of the expression.
        sql: Spark SQL expression.
        kinds: the types it may have; none: any.

    Raises:
        UsageError: the expression contains something that is not allowed (see `allowed`), does not fit the columns, has
            another type, or casts a text to a time in a way that depends on the day. No row has been computed.
    """
    require_allowed(rows.sparkSession, {path: sql})
    value = F.expr(sql)
    try:
        checked = rows.select(value.alias("value"))
    except AnalysisException as error:
        columns = ", ".join(name for name in rows.columns if not name.startswith("_"))
        raise UsageError(
            f"{path}: the expression {sql!r} does not fit: {first_line(error)} Columns are {columns}. "
            "Nothing was written."
        ) from error
    if violations := dict.fromkeys(_violations(checked)):
        raise UsageError(
            f"{path}: the expression {sql!r} holds {', '.join(violations)}. {ALLOWED} Nothing was written."
        )
    kind = checked.schema[0].dataType
    if kinds and not isinstance(kind, tuple(kinds)):
        raise UsageError(f"{path}: the expression {sql!r} gives a {kind.simpleString()}, {_expected_types(kinds)}")
    return value


def _violations(checked: DataFrame) -> Iterator[str]:
    """Violations that show only once Spark knows the columns: names of functions, and texts cast to times."""
    java: Any = checked.sparkSession._jvm  # noqa: SLF001  (only Spark's plan has the resolved names and types)
    plan: Any = checked._jdf.queryExecution().analyzed()  # noqa: SLF001
    tree = plan.expressions().apply(0)
    for place, node in enumerate(json.loads(tree.toJSON())):
        is_end = not node["num-children"] and short(node) not in LEAVES
        if is_end or short(node).startswith("Current"):
            yield f"{tree.apply(place).sql()}, which is no column"
    replace = getattr(java.org.apache.spark.sql.catalyst.optimizer, "ReplaceExpressions$")
    tree = getattr(replace, "MODULE$").apply(plan).expressions().apply(0)  # now to_date and its like are casts
    for place, node in enumerate(json.loads(tree.toJSON())):
        if short(node) == "Cast" and _TIME.search(json.dumps(node["dataType"])):
            yield from _text_as_time(tree.apply(place))


def _text_as_time(cast: Any) -> Iterator[str]:
    """The violation of a text cast to a time: Spark casts 'today' to a date, and '12:00' to an instant of today."""
    text, kind = cast.child(), cast.dataType().catalogString()
    if "string" not in text.dataType().catalogString():
        return
    if text.foldable():
        constant = text.getClass().getSimpleName() == "Literal" and re.fullmatch(ISO, text.toString(), re.IGNORECASE)
        if not constant:
            yield f"{text.sql()} taken for a {kind}, expected a constant such as DATE '2024-01-31'"
    elif _INSTANT.search(kind):
        yield (
            f"the text {text.sql()} taken for a {kind}: Spark would take '12:00' for an instant of today (say "
            "how times are written, as in to_timestamp(text, 'yyyy-MM-dd HH:mm:ss'), or declare the raw column as a "
            "TIMESTAMP)"
        )


def _expected_types(kinds: Sequence[type[DataType]]) -> str:
    names = ", ".join(kind.__name__.removesuffix("Type").lower() for kind in kinds)
    return f"expected one of: {names}. Convert it in the expression. Nothing was written."
