"""The door for scikit-learn's other estimators: which classes may come in, and what they need."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from nightjar.errors import LearningError
from nightjar.models.needs import Needs

DOOR: Mapping[str, Needs] = {
    "sklearn.discriminant_analysis.LinearDiscriminantAnalysis": Needs.COMPLETE,
    "sklearn.discriminant_analysis.QuadraticDiscriminantAnalysis": Needs.COMPLETE,
    "sklearn.ensemble.AdaBoostClassifier": Needs.COMPLETE,
    "sklearn.ensemble.AdaBoostRegressor": Needs.COMPLETE,
    "sklearn.ensemble.ExtraTreesClassifier": Needs.ORDERED,
    "sklearn.ensemble.ExtraTreesRegressor": Needs.ORDERED,
    "sklearn.linear_model.BayesianRidge": Needs.COMPLETE,
    "sklearn.linear_model.HuberRegressor": Needs.COMPLETE,
    "sklearn.linear_model.PoissonRegressor": Needs.COMPLETE,
    "sklearn.linear_model.SGDClassifier": Needs.COMPLETE,
    "sklearn.linear_model.SGDRegressor": Needs.COMPLETE,
    "sklearn.naive_bayes.BernoulliNB": Needs.COMPLETE,
    "sklearn.naive_bayes.GaussianNB": Needs.COMPLETE,
}
"""Class -> what it needs. On it is what can be stored and opened again from types on our list alone, and gives
probabilities (classifiers). Not on it: support vector machines (their probabilities come from random inner folds, and
scikit-learn is dropping them), Gaussian processes (cubic in rows), and what BOOSTING, NEIGHBOURS or NETWORK are."""

KEPT = frozenset(
    {"covariance_estimator", "early_stopping", "estimator", "n_jobs", "random_state", "verbose", "warm_start"}
)
"""Parameters that are ours to set, or would hold out rows at random, across time."""


def open_door(class_name: str | None) -> type[Any]:
    """The class of this dotted name.

    Raises:
        LearningError: it is not on the list.
    """
    if class_name not in DOOR:
        raise LearningError(f"class_name is {class_name!r}: expected one of {', '.join(sorted(DOOR))}.")
    module, _, name = str(class_name).rpartition(".")
    found: type[Any] = getattr(import_module(module), name)
    return found
