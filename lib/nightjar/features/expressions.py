"""The configuration's Spark SQL expressions over rows: checked before anything runs, named where a row breaks one."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from pyspark.errors import AnalysisException, ParseException, PySparkException
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql.types import BooleanType, DataType, NumericType, StringType, StructType

from nightjar.errors import TableError, UsageError
from nightjar.settings.project import Project
from nightjar.tables.rows import Rows, of_frame

EXPRESSIONS, DERIVED, CONDITION = "project.expressions", "project.spine.derived", "project.label.condition"
FEATURE = (NumericType, BooleanType, StringType)
_NOW = re.compile(r"""['"]\s*(now|today|tomorrow|yesterday)(\s+\S+)?\s*['"]""", re.IGNORECASE)
_CLOCKS_AND_SESSION = re.compile("Current.*|Now|LocalTimestamp|SparkVersion")
_OF_THE_VALUES = ("22", "P0")  # classes of SQLSTATE: data exceptions, and what raise_error says


def declared(project: Project) -> dict[str, str]:
    """Key path -> expression, of all that rows are put through when features and labels are built."""
    found = {f"{DERIVED}.{name}": sql for name, sql in project.spine.derived.items()}
    found |= {f"{EXPRESSIONS}.{name}": sql for name, sql in project.expressions.items()}
    return found | ({CONDITION: project.label.condition} if project.label.condition else {})


def after_join(features: Rows, project: Project) -> Rows:
    """The joined features with the project's expressions over them.

    Raises:
        UsageError: see `added`.
    """
    if not project.expressions:
        return features
    return of_frame(added(features.frame(), EXPRESSIONS, project.expressions, FEATURE))


def added(rows: DataFrame, path: str, expressions: Mapping[str, str], kinds: Sequence[type[DataType]]) -> DataFrame:
    """The rows with one more column for each expression, which may use the ones before it.

    Args:
        rows: the rows.
        path: key path of the expressions.
        expressions: new column -> Spark SQL expression.
        kinds: the types a column may have; none: any.

    Raises:
        UsageError: an expression does not fit the columns there are, has another type, or would not give the same
            value again for the same row. No row has been computed.
    """
    for name, sql in expressions.items():
        where = f"{path}.{name}"
        _refuse_words_for_now(where, sql)
        checked = _checked(rows, where, sql)
        kind = checked.schema[0].dataType
        _refuse_unrepeatable(checked, where, sql)
        if kinds and not isinstance(kind, tuple(kinds)):
            raise UsageError(f"{where}: the expression {sql!r} gives a {kind.simpleString()}, {_wanted(kinds)}")
        rows = rows.withColumn(name, F.expr(sql))
    return rows


@contextmanager
def named(expressions: Mapping[str, str]) -> Iterator[None]:
    """Say which of the expressions could not be computed for a row, where Spark only says why.

    Raises:
        TableError: Spark found a value that an expression cannot be computed for.
    """
    try:
        yield
    except PySparkException as error:
        if not expressions or not (error.getSqlState() or "").startswith(_OF_THE_VALUES):
            raise
        culprits = _culprits(expressions, error) or expressions
        told = ", or ".join(f"{path}: the expression {sql!r}" for path, sql in culprits.items())
        raise TableError(
            f"{told} cannot be computed for a row: {_reason(error)} Let it give null for such rows, with try_divide, "
            "try_cast, nullif or a condition. Nothing was written."
        ) from error


def _checked(rows: DataFrame, where: str, sql: str) -> DataFrame:
    """The expression by itself, over no rows of the same columns."""
    empty = rows.sparkSession.createDataFrame([], StructType(rows.schema.fields))
    try:
        return empty.select(F.expr(sql).alias("value"))
    except (AnalysisException, ParseException) as error:
        columns = ", ".join(name for name in rows.columns if not name.startswith("_"))
        said = [line.strip() for line in str(error).splitlines() if line.strip()]
        raise UsageError(
            f"{where}: the expression {sql!r} does not fit: {said[0]} Columns are {columns}. Nothing was written."
        ) from error


def _refuse_words_for_now(where: str, sql: str) -> None:
    """Spark reads DATE 'today' as a date before anything could be seen of it."""
    if found := _NOW.search(sql):
        raise _unrepeatable(where, sql, found.group(0))


def _refuse_unrepeatable(checked: DataFrame, where: str, sql: str) -> None:
    """Refuse what looks beyond its own row, or at chance, clocks or the session: a rebuild must give equal values."""
    plan: Any = checked._jdf.queryExecution().analyzed()  # noqa: SLF001  (only Spark's own plan knows each function)
    alone = plan.getClass().getSimpleName() == "Project" and plan.child().children().isEmpty()
    if not alone or not plan.subqueries().isEmpty():
        raise UsageError(
            f"{where}: the expression {sql!r} looks at more than its own row (an aggregate, a window, a subquery or a "
            "function that makes rows). Aggregates are features of a group. Nothing was written."
        )
    for node in _nodes(plan.expressions().apply(0)):
        name = node.getClass().getSimpleName()
        if not node.deterministic() or _CLOCKS_AND_SESSION.fullmatch(name):
            raise _unrepeatable(where, sql, name)


def _unrepeatable(where: str, sql: str, found: str) -> UsageError:
    return UsageError(
        f"{where}: the expression {sql!r} depends on chance, a clock or the session ({found}), so that building a row "
        "again would change it. Use the row's columns, prediction_time among them. Nothing was written."
    )


def _nodes(expression: Any) -> Iterator[Any]:
    """Arguments before the functions that take them: what depends on chance makes all above it depend on it."""
    children = expression.children()
    for place in range(children.size()):
        yield from _nodes(children.apply(place))
    yield expression


def _wanted(kinds: Sequence[type[DataType]]) -> str:
    names = ", ".join(kind.__name__.removesuffix("Type").lower() for kind in kinds)
    return f"expected one of: {names}. Convert it in the expression. Nothing was written."


def _culprits(expressions: Mapping[str, str], error: PySparkException) -> dict[str, str]:
    """The expressions that hold what Spark says it failed at, at that place."""
    contexts = error.getQueryContext()
    if not contexts:
        return {}
    start, fragment = contexts[0].startIndex(), contexts[0].fragment()
    return {path: sql for path, sql in expressions.items() if sql[start:].startswith(fragment)}


def _reason(error: PySparkException) -> str:
    """Spark's first sentences, without the advice to compute wrong values silently."""
    first = str(error).splitlines()[0].split(" SQLSTATE")[0]
    return first.split(" If necessary set")[0]
