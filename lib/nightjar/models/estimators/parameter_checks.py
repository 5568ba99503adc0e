"""Checks of the parameters of estimators, without importing their classes."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from nightjar.models.estimators.interfaces import check_values

Limits = Mapping[str, tuple[tuple[type, ...], float, float]]
"""Parameter -> its types, and the least and greatest value."""

WHOLE, NUMBER = (int,), (int, float)
_BOOSTER: Limits = {
    "n_estimators": (WHOLE, 1, 100_000),
    "learning_rate": (NUMBER, 1e-9, 1e9),
    "early_stopping_rounds": (WHOLE, 1, 100_000),
    "max_depth": (WHOLE, 1, 64),
    "reg_alpha": (NUMBER, 0, 1e9),
    "reg_lambda": (NUMBER, 0, 1e9),
    "subsample": (NUMBER, 1e-9, 1),
    "colsample_bytree": (NUMBER, 1e-9, 1),
    "max_bin": (WHOLE, 2, 65_535),
    "min_child_weight": (NUMBER, 0, 1e12),
}
_LIGHTGBM: Limits = {
    **_BOOSTER,
    "num_leaves": (WHOLE, 2, 131_072),
    "max_depth": (WHOLE, -1, 64),
    "min_child_samples": (WHOLE, 0, 1e9),
    "min_split_gain": (NUMBER, 0, 1e12),
    "subsample_freq": (WHOLE, 0, 100_000),
}
_XGBOOST: Limits = {**_BOOSTER, "gamma": (NUMBER, 0, 1e12)}


def check_pseudo_count(pseudo_count: object) -> None:
    """Check the parameter of rates.

    Raises:
        ValueError: it is no number of rows.
    """
    if not (isinstance(pseudo_count, int | float) and pseudo_count >= 0):
        raise ValueError(f"pseudo_count is {pseudo_count!r}: expected 0 or more rows.")


def check_ranker(parameters: Mapping[str, Any]) -> None:
    """Check parameters of the pairwise ranker: those of a logistic regression, and `opponents`.

    Raises:
        ValueError: one is out of range.
    """
    of_logistic = {name: value for name, value in parameters.items() if name != "opponents"}
    check_values("sklearn.linear_model.LogisticRegression", of_logistic)
    opponents = parameters.get("opponents", 1)
    if not (isinstance(opponents, int) and opponents >= 1):
        raise ValueError(f"opponents is {opponents!r}: expected a whole number from 1.")


def _check_rate(parameters: Mapping[str, Any]) -> None:
    check_pseudo_count(parameters.get("pseudo_count", 0))


def _check_booster(limits: Limits, parameters: Mapping[str, Any]) -> None:
    for name, (kinds, least, most) in limits.items():
        value = parameters.get(name, least)
        if value is None and name == "early_stopping_rounds":
            continue
        is_number = isinstance(value, kinds) and not isinstance(value, bool)
        if not (is_number and least <= value <= most):
            whole = "a whole number" if kinds == WHOLE else "a number"
            raise ValueError(f"{name} is {value!r}: expected {whole} from {least:g} to {most:g}.")


_OF_MODULES: Mapping[str, Callable[[Mapping[str, Any]], None]] = {
    "nightjar.models.boosters.lightgbm_booster": partial(_check_booster, _LIGHTGBM),
    "nightjar.models.boosters.xgboost_booster": partial(_check_booster, _XGBOOST),
    "nightjar.models.estimators.pairwise_ranking": check_ranker,
    "nightjar.models.estimators.rate": _check_rate,
}
"""Module -> the check of its estimators' parameters. scikit-learn's have constraints in their interfaces."""


def check_parameters(class_name: str, parameters: Mapping[str, Any]) -> None:
    """Check the values of parameters that settings may set.

    Args:
        class_name: dotted, of the estimator.
        parameters: those that are set; the others have their defaults.

    Raises:
        ValueError: one has no value that the estimator can be fitted with.
    """
    check = _OF_MODULES.get(class_name.rpartition(".")[0], partial(check_values, class_name))
    check(parameters)
