"""The values of rules of thumb, whose grammar is in `rule_grammar`."""

import ast
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Values = npt.NDArray[Any]

_ARITHMETIC: Mapping[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
}
_COMPARISONS: Mapping[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Eq: np.equal,
    ast.NotEq: np.not_equal,
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
    ast.Gt: np.greater,
    ast.GtE: np.greater_equal,
}


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
    raise AssertionError(f"{ast.unparse(node)} was not checked")


def _compare(first: Values, comparison: Callable[[Any, Any], Any], second: Values) -> Values:
    both_present = ~(np.asarray(pd.isna(first)) | np.asarray(pd.isna(second)))
    return np.where(both_present, np.asarray(comparison(first, second), dtype=np.float64), np.nan)


def _combine(truths: list[Values], *, every: bool) -> Values:
    """Kleene's `and` (every) or `or`: one false or true value decides, otherwise the result is null if any value is."""
    table = np.stack(np.broadcast_arrays(*truths))
    deciding = 0.0 if every else 1.0
    decided, unknown = (table == deciding).any(axis=0), np.isnan(table).any(axis=0)
    return np.where(decided, deciding, np.where(unknown, np.nan, 1 - deciding))
