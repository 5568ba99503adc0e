"""The grammar of rules of thumb: arithmetic and comparisons over columns, checked and evaluated without running code.

Names of columns, numbers, "texts", `+ - * /`, `== != < <= > >=`, `and or not`, `one if condition else other`,
parentheses. Python's parser reads it; anything else is refused before the evaluation. Null (NaN) propagates as in SQL:
arithmetic and comparisons with it are null, `false and null` is false, `true or null` is true, a condition that is null
is not met. x / 0 and infinite results are null, too.
"""

import ast
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from nightjar.errors import LearningError

Values = npt.NDArray[Any]

LONGEST = 1000
"""The most characters of an expression."""
DEEPEST = 50
"""The greatest depth of nested parts."""


class Kind(Enum):
    """The kind of an expression's value."""

    NUMBER = "number"
    TEXT = "text"
    TRUTH = "yes or no"


_ARITHMETIC: Mapping[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
}
_EQUALITIES: Mapping[type[ast.AST], Callable[[Any, Any], Any]] = {ast.Eq: np.equal, ast.NotEq: np.not_equal}
_COMPARISONS: Mapping[type[ast.AST], Callable[[Any, Any], Any]] = {
    **_EQUALITIES,
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
    ast.Gt: np.greater,
    ast.GtE: np.greater_equal,
}


def parse(expression: str) -> ast.expr:
    """The expression as Python's syntax tree; `kind_of` checks its parts.

    Raises:
        LearningError: it is no expression.
    """
    if not isinstance(expression, str) or len(expression) > LONGEST:
        raise LearningError(f"A rule is a text of at most {LONGEST} characters: found {str(expression)[:80]!r}.")
    try:
        node = ast.parse(expression.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise LearningError(f"The rule {expression!r} cannot be read: {error}.") from error
    if _depth(node) > DEEPEST:
        raise LearningError(f"The rule {expression[:80]!r} is nested {_depth(node)} deep: expected at most {DEEPEST}.")
    return node


def names_in(node: ast.expr) -> list[str]:
    """The names in an expression, each once, in order."""
    return list(dict.fromkeys(part.id for part in ast.walk(node) if isinstance(part, ast.Name)))


def kind_of(node: ast.expr, columns: Mapping[str, Kind]) -> Kind:  # noqa: C901, PLR0911 - one for each part of the grammar
    """Check every part of an expression; return the kind of its value.

    Raises:
        LearningError: a part outside the grammar, an unknown column, or kinds that do not go together.
    """
    match node:
        case ast.Name(id=name) if name in columns:
            return columns[name]
        case ast.Name(id=name):
            raise LearningError(f"The rule names {name}, not among the features {', '.join(columns) or 'none'}.")
        case ast.Constant(value=str()):
            return Kind.TEXT
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool) and abs(number) < 1e300:
            return Kind.NUMBER
        case ast.BinOp(left=first, op=operator, right=second) if type(operator) in _ARITHMETIC:
            return _all(Kind.NUMBER, [first, second], columns)
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
            return _all(Kind.NUMBER, [operand], columns)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return _all(Kind.TRUTH, [operand], columns)
        case ast.BoolOp(values=values):
            return _all(Kind.TRUTH, values, columns)
        case ast.Compare(left=first, ops=operators, comparators=others):
            return _comparison([first, *others], operators, columns)
        case ast.IfExp(test=test, body=body, orelse=otherwise):
            _all(Kind.TRUTH, [test], columns)
            return _all(kind_of(body, columns), [otherwise], columns)
    raise LearningError(
        f'The rule holds `{_source(node)}`: expected columns, numbers, "texts", + - * /, comparisons, and, or, not, if.'
    )


def evaluate(node: ast.expr, frame: pd.DataFrame) -> Values:  # noqa: PLR0911 - one for each part of the grammar
    """The value of a checked expression for each row: float64 (no: 0, yes: 1, null: NaN), or texts and NaN.

    A part without columns is a scalar of shape ().
    """
    match node:
        case ast.Name(id=name):
            return np.asarray(frame[name].to_numpy())
        case ast.Constant(value=value):
            return np.array(value, dtype=object if isinstance(value, str) else np.float64)
        case ast.BinOp(left=first, op=operator, right=second):
            with np.errstate(all="ignore"):
                result = _ARITHMETIC[type(operator)](evaluate(first, frame), evaluate(second, frame))
            return np.where(np.isfinite(result), result, np.nan)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return np.asarray(1 - evaluate(operand, frame))
        case ast.UnaryOp(op=operator, operand=operand):
            return np.asarray(evaluate(operand, frame) * (-1 if isinstance(operator, ast.USub) else 1))
        case ast.BoolOp(op=operator, values=values):
            return _combine([evaluate(value, frame) for value in values], every=isinstance(operator, ast.And))
        case ast.Compare(left=first, ops=operators, comparators=others):
            sides = [evaluate(one, frame) for one in (first, *others)]
            pairs = zip(sides, operators, sides[1:], strict=False)
            return _combine([_compare(one, _COMPARISONS[type(op)], other) for one, op, other in pairs], every=True)
        case ast.IfExp(test=test, body=body, orelse=otherwise):
            return np.where(evaluate(test, frame) == 1, evaluate(body, frame), evaluate(otherwise, frame))
    raise AssertionError(f"{_source(node)} was not checked")


def _depth(node: ast.AST) -> int:
    level, depth = [node], 0
    while level:
        level = [child for parent in level for child in ast.iter_child_nodes(parent)]
        depth += 1
    return depth


def _all(kind: Kind, parts: list[ast.expr], columns: Mapping[str, Kind]) -> Kind:
    for part in parts:
        actual = kind_of(part, columns)
        if actual is not kind:
            hint = " Compare it, as in `x != 0`." if kind is Kind.TRUTH else ""
            raise LearningError(f"In the rule, `{_source(part)}` is a {actual.value}: expected a {kind.value}.{hint}")
    return kind


def _comparison(parts: list[ast.expr], operators: list[ast.cmpop], columns: Mapping[str, Kind]) -> Kind:
    kinds = {kind_of(part, columns) for part in parts}
    usable = _COMPARISONS if kinds == {Kind.NUMBER} else _EQUALITIES
    if len(kinds) > 1 or not all(type(operator) in usable for operator in operators):
        sides = ", ".join(f"{_source(part)} ({kind_of(part, columns).value})" for part in parts)
        raise LearningError(f"The rule compares {sides}: expected two of a kind, and == or != unless they are numbers.")
    return Kind.TRUTH


def _compare(first: Values, comparison: Callable[[Any, Any], Any], second: Values) -> Values:
    both_present = ~(np.asarray(pd.isna(first)) | np.asarray(pd.isna(second)))
    return np.where(both_present, np.asarray(comparison(first, second), dtype=np.float64), np.nan)


def _combine(truths: list[Values], *, every: bool) -> Values:
    """Kleene's `and` (every) or `or`: one false or true value decides, otherwise the result is null if any value is."""
    table = np.stack(np.broadcast_arrays(*truths))
    deciding = 0.0 if every else 1.0
    decided, unknown = (table == deciding).any(axis=0), np.isnan(table).any(axis=0)
    return np.where(decided, deciding, np.where(unknown, np.nan, 1 - deciding))


def _source(node: ast.AST) -> str:
    return ast.unparse(node)[:80]
