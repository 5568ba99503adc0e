"""The grammar of rules of thumb: arithmetic and comparisons over columns, checked and evaluated without running code.

Names of columns, numbers, "texts", `+ - * /`, `== != < <= > >=`, `and or not`, `one if condition else other`,
parentheses. Python's parser reads it; anything else is refused before the evaluation. Null (NaN) propagates as in SQL:
arithmetic and comparisons with it are null, `false and null` is false, `true or null` is true, a condition that is null
is not met. x / 0 and infinite results are null, too.
"""

import ast
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

from nightjar.errors import LearningError
from nightjar.models.columns import FeatureColumn

LONGEST = 1000
"""The most characters of an expression."""
DEEPEST = 50
"""The greatest depth of nested parts."""


class Kind(Enum):
    """The kind of an expression's value."""

    NUMBER = "number"
    TEXT = "text"
    TRUTH = "yes or no"


_ARITHMETIC = (ast.Add, ast.Sub, ast.Mult, ast.Div)
_EQUALITIES = (ast.Eq, ast.NotEq)
_COMPARISONS = (*_EQUALITIES, ast.Lt, ast.LtE, ast.Gt, ast.GtE)


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


def rule_of(expression: Any, features: Sequence[FeatureColumn]) -> tuple[tuple[FeatureColumn, ...], Kind]:
    """The features that an expression reads, and the kind of its value.

    Raises:
        LearningError: it is no rule over these features.
    """
    node = parse(expression)
    kinds = {column.name: Kind.NUMBER if column.type == "number" else Kind.TEXT for column in features}
    kind, names = kind_of(node, kinds), names_in(node)
    if not names:
        raise LearningError(f"The rule {expression!r} says nothing about any feature.")
    return tuple(column for column in features if column.name in names), kind


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


def _source(node: ast.AST) -> str:
    return ast.unparse(node)[:80]
