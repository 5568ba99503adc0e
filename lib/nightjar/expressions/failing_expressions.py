"""Name the expression that could not be computed for a row: Spark's error has only the reason."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from pyspark.errors import PySparkException

from nightjar.errors import TableError

_OF_THE_VALUES = ("22", "P0")  # classes of SQLSTATE: data exceptions, and errors of raise_error


@contextmanager
def translate_errors(expressions: Mapping[str, str]) -> Iterator[None]:
    """Name the expressions that could not be computed for a row.

    Args:
        expressions: key path -> Spark SQL expression.

    Raises:
        TableError: an expression cannot be computed for some value.
    """
    try:
        yield
    except PySparkException as error:
        if not expressions or not (error.getSqlState() or "").startswith(_OF_THE_VALUES):
            raise
        failing = _failing(expressions, error) or expressions
        failing_texts = ", or ".join(f"{path}: the expression {sql!r}" for path, sql in failing.items())
        raise TableError(
            f"{failing_texts} cannot be computed for a row: {_reason(error)} Let it give null for such rows, with "
            "try_divide, try_cast, nullif or a condition. Nothing was written."
        ) from error


def _failing(expressions: Mapping[str, str], error: PySparkException) -> dict[str, str]:
    """The expressions that have the fragment at which Spark failed, at the same position."""
    contexts = error.getQueryContext()
    if not contexts:
        return {}
    start, fragment = contexts[0].startIndex(), contexts[0].fragment()
    return {path: sql for path, sql in expressions.items() if sql[start:].startswith(fragment)}


def _reason(error: PySparkException) -> str:
    """Spark's first sentences, without its advice to turn off ANSI mode, which computes wrong values silently."""
    first = str(error).splitlines()[0].split(" SQLSTATE")[0]
    return first.split(" If necessary set")[0]
