"""The allowlist of scikit-learn's other estimators, with the inputs that they need."""

from collections.abc import Mapping

from nightjar.errors import LearningError
from nightjar.models.input_requirements import InputRequirement

ALLOWED_CLASSES: Mapping[str, InputRequirement] = {
    "sklearn.discriminant_analysis.LinearDiscriminantAnalysis": InputRequirement.COMPLETE,
    "sklearn.discriminant_analysis.QuadraticDiscriminantAnalysis": InputRequirement.COMPLETE,
    "sklearn.ensemble.AdaBoostClassifier": InputRequirement.COMPLETE,
    "sklearn.ensemble.AdaBoostRegressor": InputRequirement.COMPLETE,
    "sklearn.ensemble.ExtraTreesClassifier": InputRequirement.ORDERED,
    "sklearn.ensemble.ExtraTreesRegressor": InputRequirement.ORDERED,
    "sklearn.linear_model.BayesianRidge": InputRequirement.COMPLETE,
    "sklearn.linear_model.HuberRegressor": InputRequirement.COMPLETE,
    "sklearn.linear_model.PoissonRegressor": InputRequirement.COMPLETE,
    "sklearn.linear_model.SGDClassifier": InputRequirement.COMPLETE,
    "sklearn.linear_model.SGDRegressor": InputRequirement.COMPLETE,
    "sklearn.naive_bayes.BernoulliNB": InputRequirement.COMPLETE,
    "sklearn.naive_bayes.GaussianNB": InputRequirement.COMPLETE,
}
"""Class -> the inputs it needs. All can be stored and opened with the types on our list alone, and the classifiers give
probabilities. Left out: support vector machines (their probabilities come from random inner folds, and scikit-learn is
dropping them), Gaussian processes (cubic in rows), and the classes behind BOOSTING, NEIGHBOURS and NETWORK."""

RESERVED_PARAMETERS = frozenset(
    {"covariance_estimator", "early_stopping", "estimator", "n_jobs", "random_state", "verbose", "warm_start"}
)
"""Parameters that Nightjar sets itself, or that would hold out rows at random, across time."""


def require_allowed(class_name: str | None) -> str:
    """The dotted name of a class.

    Raises:
        LearningError: it is not on the list.
    """
    if class_name not in ALLOWED_CLASSES:
        raise LearningError(f"class_name is {class_name!r}: expected one of {', '.join(sorted(ALLOWED_CLASSES))}.")
    return str(class_name)
