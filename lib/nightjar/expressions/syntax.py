"""Check an expression's text with Spark's own parser, before any column is known."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pyspark.errors import ParseException
from pyspark.sql import SparkSession

from nightjar.errors import UsageError
from nightjar.expressions.allowed import ALLOWED, FUNCTIONS, NEEDS_ARGUMENT, NODES, REFUSED_TYPES, WORDS

_DAY, _CLOCK = r"\d{4}-\d{2}-\d{2}", r"\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?"
_ZONE = r"(Z|[+-]\d{2}:\d{2}|[A-Z]+(/[A-Z0-9_+-]+)*)"
ISO = rf"{_DAY}([ T]{_CLOCK}( ?{_ZONE})?)?"
"""A day, or an instant of a day: not one of Spark's words for now, such as 'today', and no time without a day."""
_TIME_CONSTANT = re.compile(rf"(DATE|TIMESTAMP(_NTZ|_LTZ)?)\s*(['\"]){ISO}\3", re.IGNORECASE)
_TIMES = ("date", "timestamp", "timestamp_ntz")


def require_allowed(session: SparkSession, expressions: Mapping[str, str]) -> None:
    """Refuse expressions with anything that is not allowed. All are checked, and no row is read.

    Args:
        session: whose parser and functions are used.
        expressions: key path -> Spark SQL expression.

    Raises:
        UsageError: Spark cannot parse an expression, or it contains something that is on no list of `allowed`; or the
            session is one of Spark Connect, which has no parser here.
    """
    state = _state(session)
    parser, own = state.sqlParser(), _functions_of(state)
    faults = {path: _fault(parser, own, sql) for path, sql in expressions.items()}
    wrong = [f"{path}: the expression {expressions[path]!r} {fault}" for path, fault in faults.items() if fault]
    if wrong:
        rule = ALLOWED if any((fault or "").startswith("holds") for fault in faults.values()) else ""
        raise UsageError(" ".join(filter(None, ["\n".join(wrong), rule, "Nothing was written."])))


def short(node: Mapping[str, Any]) -> str:
    """The name of a node's class without its package."""
    return str(node["class"]).rsplit(".", 1)[-1].removesuffix("$")


def first_line(error: Exception) -> str:
    """The first line of Spark's message."""
    return next(line.strip() for line in str(error).splitlines() if line.strip())


def _state(session: SparkSession) -> Any:
    try:
        return session._jsparkSession.sessionState()  # noqa: SLF001  (PySpark's only way to the parser)
    except AttributeError as error:
        raise UsageError(
            "This is a session of Spark Connect, where expressions cannot be checked before they run. Start one with "
            "nightjar.runtime.spark.start. Nothing was written."
        ) from error


def _fault(parser: Any, own: frozenset[str], sql: str) -> str | None:
    """What is wrong with the expression, in words that follow its text; None where nothing is."""
    if "${" in sql:
        return "holds ${...}, which Spark replaces by a setting or a variable of the machine."
    try:
        tree = parser.parseExpression(sql)
    except ParseException as error:
        return f"does not fit: {first_line(error)}"
    nodes = json.loads(tree.toJSON())
    violations = dict.fromkeys(_violations(own, tree, nodes, sql))
    return f"holds {', '.join(violations)}." if violations else None


def _violations(own: frozenset[str], tree: Any, nodes: list[dict[str, Any]], sql: str) -> Iterator[str]:
    for place, node in enumerate(nodes):
        kind = short(node)
        if kind not in NODES:
            yield WORDS.get(kind, f"a {kind}")
        elif kind == "UnresolvedFunction":
            yield from _of_function(own, node)
        elif kind == "Cast" and any(word in json.dumps(node["dataType"]).lower() for word in REFUSED_TYPES):
            yield f"a CAST to {node['dataType']}"
        elif kind == "Literal" and node["dataType"] in _TIMES:
            text = _text(tree.apply(place).origin(), sql)
            if not _TIME_CONSTANT.fullmatch(text):
                yield f"{text}, expected a constant such as DATE '2024-01-31' or TIMESTAMP '2024-01-31 06:00:00'"


def _of_function(own: frozenset[str], node: Mapping[str, Any]) -> Iterator[str]:
    name = str(node["nameParts"])[1:-1].replace(", ", ".")
    lower_name = name.lower()
    if lower_name not in FUNCTIONS:
        yield f"the function {name}"
    elif lower_name in NEEDS_ARGUMENT and not node["num-children"]:
        yield f"the function {name} without an argument"
    elif lower_name in own:
        yield f"the function {name}, which this session has replaced by one of its own"


def _functions_of(state: Any) -> frozenset[str]:
    """The functions that were registered in the session: they may replace Spark's own of the same name."""
    names = state.catalog().listTemporaryFunctions()
    return frozenset(names.apply(place).funcName().lower() for place in range(names.size()))


def _text(origin: Any, sql: str) -> str:
    """The text that a node was parsed from."""
    start, stop = origin.startIndex(), origin.stopIndex()
    return sql[start.get() : stop.get() + 1] if start.isDefined() and stop.isDefined() else sql
