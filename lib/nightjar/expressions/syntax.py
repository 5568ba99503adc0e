"""What an expression's text holds, told by Spark's own parser before any column is known."""

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
"""A day, or an instant of a day: none of the words that Spark takes for now, and no time of today."""
_TIME_CONSTANT = re.compile(rf"(DATE|TIMESTAMP(_NTZ|_LTZ)?)\s*(['\"]){ISO}\3", re.IGNORECASE)
_TIMES = ("date", "timestamp", "timestamp_ntz")


def require_allowed(session: SparkSession, expressions: Mapping[str, str]) -> None:
    """Refuse what may not stand in an expression; all expressions are looked at, and no row of anything.

    Args:
        session: whose parser and functions are asked.
        expressions: key path -> Spark SQL expression.

    Raises:
        UsageError: Spark cannot parse an expression, or it holds something that is on no list of `allowed`; or the
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
    """What Spark says first."""
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
    """What is wrong with the expression, to be said after its text; None where nothing is."""
    if "${" in sql:
        return "holds ${...}, which Spark replaces by a setting or a variable of the machine."
    try:
        tree = parser.parseExpression(sql)
    except ParseException as error:
        return f"does not fit: {first_line(error)}"
    nodes = json.loads(tree.toJSON())
    found = dict.fromkeys(_found(own, tree, nodes, sql))
    return f"holds {', '.join(found)}." if found else None


def _found(own: frozenset[str], tree: Any, nodes: list[dict[str, Any]], sql: str) -> Iterator[str]:
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
    known = name.lower()
    if known not in FUNCTIONS:
        yield f"the function {name}"
    elif known in NEEDS_ARGUMENT and not node["num-children"]:
        yield f"the function {name} without an argument"
    elif known in own:
        yield f"the function {name}, which this session has replaced by one of its own"


def _functions_of(state: Any) -> frozenset[str]:
    """The functions that somebody has registered in the session: Spark may take them for its own of that name."""
    names = state.catalog().listTemporaryFunctions()
    return frozenset(names.apply(place).funcName().lower() for place in range(names.size()))


def _text(origin: Any, sql: str) -> str:
    """The text that a node was made of."""
    start, stop = origin.startIndex(), origin.stopIndex()
    return sql[start.get() : stop.get() + 1] if start.isDefined() and stop.isDefined() else sql
