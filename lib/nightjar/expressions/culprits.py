"""Which expression could not be computed for a row, where Spark only says why."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from pyspark.errors import PySparkException

from nightjar.errors import TableError

_OF_THE_VALUES = ("22", "P0")  # classes of SQLSTATE: data exceptions, and what raise_error says


@contextmanager
def named(expressions: Mapping[str, str]) -> Iterator[None]:
    """Say which of the expressions could not be computed for a row.

    Args:
        expressions: key path -> Spark SQL expression.

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
