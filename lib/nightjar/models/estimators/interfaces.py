"""What each estimator's class takes and gives, as far as settings are checked by it, without importing the class.

scikit-learn takes seconds to import. scripts/docs writes `interfaces.json` from the classes themselves.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from numbers import Integral, Real
from pathlib import Path
from typing import Any

import numpy as np

FILE = Path(__file__).with_name("interfaces.json")

Constraint = str | Mapping[str, Any] | None
"""What a value may be, as scikit-learn declares it: None; "boolean", "array-like", "callable", "dict" or "list"; one of
{"options"}, which are texts; or within {"type", "left", "right", "closed"}, where a bound of null is infinite."""

_OF_INTERVALS: Mapping[str, type] = {"Integral": Integral, "Real": Real, "RealNotInt": float}
_INSTANCES: Mapping[str, tuple[type, ...]] = {"boolean": (bool, np.bool_), "dict": (dict,), "list": (list,)}
_TEXTS: Mapping[str, str] = {
    "array-like": "an array-like",
    "boolean": "an instance of 'bool' or an instance of 'numpy.bool'",
    "callable": "a callable",
    "dict": "an instance of 'dict'",
    "list": "an instance of 'list'",
}


@dataclass(frozen=True)
class Interface:
    """The interface of a class.

    Attributes:
        classifier: whether it learns classes.
        weights: whether `fit` takes weights of rows.
        probabilities: a classifier gives probabilities only with these values of these parameters.
        parameters: what settings may set -> the constraints of which a value has to meet one; none: any value.
    """

    classifier: bool
    weights: bool
    probabilities: Mapping[str, Sequence[str]]
    parameters: Mapping[str, Sequence[Constraint]]

    def gives_probabilities(self, parameters: Mapping[str, Any]) -> bool:
        """Whether it gives probabilities, or is no classifier, with these parameters."""
        return all(parameters.get(name) in values for name, values in self.probabilities.items())


@cache
def interfaces() -> Mapping[str, Interface]:
    """Dotted name of a class -> its interface."""
    classes = json.loads(FILE.read_text(encoding="utf-8"))["classes"]
    return {name: Interface(**values) for name, values in classes.items()}


def check_values(class_name: str, parameters: Mapping[str, Any]) -> None:
    """Check the values of a class's parameters as scikit-learn does when it begins to fit.

    Args:
        class_name: dotted.
        parameters: some of its interface; the others have their defaults.

    Raises:
        ValueError: of the first, in order of their names, that may not have its value.
    """
    constraints_of = interfaces()[class_name].parameters
    for name in sorted(parameters):
        value, constraints = parameters[name], constraints_of[name]
        if constraints and not any(_meets(value, one) for one in constraints):
            *others, last = map(_text, constraints)
            expected = f"{', '.join(others)} or {last}" if others else last
            short = class_name.rpartition(".")[2]
            raise ValueError(f"The {name!r} parameter of {short} must be {expected}. Got {value!r} instead.")


def _meets(value: Any, constraint: Constraint) -> bool:
    match constraint:
        case None:
            return value is None
        case "array-like":
            return hasattr(value, "__len__") and not np.isscalar(value)
        case "callable":
            return callable(value)
        case str():
            return isinstance(value, _INSTANCES[constraint])
        case {"options": options}:
            return isinstance(value, str) and value in options
        case _:
            return isinstance(value, _OF_INTERVALS[constraint["type"]]) and _lies_in(value, constraint)


def _lies_in(value: Any, interval: Mapping[str, Any]) -> bool:
    low = -math.inf if interval["left"] is None else interval["left"]
    high = math.inf if interval["right"] is None else interval["right"]
    above = value >= low if interval["closed"] in ("left", "both") else value > low
    below = value <= high if interval["closed"] in ("right", "both") else value < high
    return bool(above and below)


def _text(constraint: Constraint) -> str:
    """As scikit-learn words it; it names options in any order."""
    match constraint:
        case None:
            return "None"
        case str():
            return _TEXTS[constraint]
        case {"options": options}:
            return f"a str among {{{', '.join(map(repr, options))}}}"
        case _:
            whole = constraint["type"] == "Integral"
            bound = int if whole else float
            low = "-inf" if constraint["left"] is None else bound(constraint["left"])
            high = "inf" if constraint["right"] is None else bound(constraint["right"])
            opening = "[" if constraint["closed"] in ("left", "both") else "("
            closing = "]" if constraint["closed"] in ("right", "both") else ")"
            return f"{'an int' if whole else 'a float'} in the range {opening}{low}, {high}{closing}"
