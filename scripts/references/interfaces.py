"""What each estimator's class takes and gives, for the checks of settings, which import no class."""

import dataclasses
import json
from collections.abc import Iterator, Mapping
from inspect import signature
from typing import Any

import sklearn
from sklearn.base import is_classifier
from sklearn.utils._param_validation import Hidden, Interval, StrOptions
from sklearn.utils.validation import has_fit_parameter

from nightjar.models.estimators.estimator_registry import FAMILIES, LINEAR_PARAMETERS, PENALTIES, import_class
from nightjar.models.estimators.interfaces import Constraint, Interface
from nightjar.models.estimators.sklearn_allowlist import ALLOWED_CLASSES, RESERVED_PARAMETERS


def text() -> str:
    """The file of the interfaces, as JSON, with the version of scikit-learn whose classes they are of."""
    classes = {name: dataclasses.asdict(_interface(import_class(name), settable)) for name, settable in _classes()}
    shown = {
        name: _lines({**one, "parameters": _lines(one["parameters"], "   ")}, "  ") for name, one in classes.items()
    }
    return _lines({"classes": _lines(shown, " "), "scikit-learn": json.dumps(sklearn.__version__)}, "") + "\n"


def _lines(values: Mapping[str, Any], indent: str) -> str:
    """A JSON object with a line for each of its keys, whose values may be JSON already."""
    shown = {name: value if isinstance(value, str) else json.dumps(value) for name, value in sorted(values.items())}
    lines = ",\n".join(f"{indent} {json.dumps(name)}: {value}" for name, value in shown.items())
    return f"{{\n{lines}\n{indent}}}" if lines else "{}"


def _classes() -> Iterator[tuple[str, frozenset[str] | None]]:
    """Every class that can be fitted, and the parameters that settings may set; None: all but the reserved ones."""
    for family in FAMILIES.values():
        yield from ((name, family.parameters) for name in family.classes.values())
    yield from ((name, LINEAR_PARAMETERS) for name in PENALTIES.values())
    yield from ((name, None) for name in ALLOWED_CLASSES)


def _interface(cls: type[Any], settable: frozenset[str] | None) -> Interface:
    names = set(signature(cls).parameters) - RESERVED_PARAMETERS
    declared = getattr(cls, "_parameter_constraints", {})
    parameters = {
        name: _constraints(declared.get(name, [])) for name in (names if settable is None else names & settable)
    }
    probabilities = _probabilities(cls, parameters) if is_classifier(cls()) else {}
    return Interface(is_classifier(cls()), has_fit_parameter(cls, "sample_weight"), probabilities, parameters)


def _probabilities(cls: type[Any], parameters: dict[str, list[Constraint]]) -> dict[str, list[str]]:
    """Parameter -> the values with which a classifier gives probabilities, where it gives none with its default."""
    if hasattr(cls(), "predict_proba"):
        return {}
    options = {
        name: constraint["options"]
        for name, constraints in parameters.items()
        for constraint in constraints
        if isinstance(constraint, dict) and "options" in constraint
    }
    giving = {
        name: [value for value in values if hasattr(cls(**{name: value}), "predict_proba")]
        for name, values in options.items()
    }
    return {name: values for name, values in giving.items() if values}


def _constraints(declared: list[Any]) -> list[Constraint]:
    """Without those that scikit-learn hides: they are of objects, which settings do not hold."""
    return [_constraint(one) for one in declared if not isinstance(one, Hidden)]


def _constraint(declared: Any) -> Constraint:
    match declared:
        case None | "array-like" | "boolean":
            return declared
        case StrOptions(deprecated=deprecated) if not deprecated:
            return {"options": sorted(declared.options)}
        case Interval():
            bounds = {"left": declared.left, "right": declared.right, "closed": declared.closed}
            return {"type": declared.type.__name__} | bounds
    if declared is callable:
        return "callable"
    if declared in (dict, list):
        return str(declared.__name__)
    raise ValueError(f"interfaces.py of nightjar.models.estimators cannot check {declared!r}: let it.")
