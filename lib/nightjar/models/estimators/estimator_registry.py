"""The registry of estimators: each one's class for each task, its parameters, and the inputs it needs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from dataclasses import fields as fields_of
from importlib import import_module
from inspect import signature
from typing import Any

from nightjar.errors import LearningError
from nightjar.models.estimators.interfaces import interfaces
from nightjar.models.estimators.sklearn_allowlist import ALLOWED_CLASSES, require_allowed
from nightjar.models.input_requirements import InputRequirement
from nightjar.models.network.options import Options
from nightjar.settings.model import Estimator, Model
from nightjar.settings.task import Task

LOGISTIC_STEPS = 1000
"""The maximum of solver steps unless `max_iter` is set; on scaled features a few dozen suffice."""

CLASSES = tuple(task for task in Task if task.has_classes)
"""The tasks of classifiers."""
PENALTIES: Mapping[str, str] = {
    "ridge": "sklearn.linear_model.Ridge",
    "lasso": "sklearn.linear_model.Lasso",
    "elastic_net": "sklearn.linear_model.ElasticNet",
}
"""Penalty -> class of LINEAR."""
LINEAR_PARAMETERS = frozenset({"alpha", "fit_intercept", "l1_ratio", "max_iter", "tol"})
ELSEWHERE = ("column", "penalty")
"""Parameters that settings may set, and that go to no class."""


@dataclass(frozen=True)
class Family:
    """An estimator of scikit-learn, or one with its interface.

    Attributes:
        classes: task -> dotted name of the class, which is imported only where it is fitted; a ranking is learned as a
            regression on relevance unless there is a class for it.
        parameters: what settings may set, where the class has it; named and documented as in the class. None: all but
            RESERVED_PARAMETERS.
        fixed: parameters that settings cannot set, or with another default than the class.
        requirement: on its inputs; None: it takes none.
    """

    classes: Mapping[Task, str]
    parameters: frozenset[str] | None = frozenset()
    fixed: Mapping[str, Any] = field(default_factory=dict)
    requirement: InputRequirement | None = InputRequirement.COMPLETE


def _both(prefix: str) -> Mapping[Task, str]:
    classifier, regressor = f"{prefix}Classifier", f"{prefix}Regressor"
    return {Task.CLASSIFICATION: classifier, Task.REGRESSION: regressor, Task.RANKING: regressor}


def _of_any_task(prefix: str) -> Mapping[Task, str]:
    return {**_both(prefix), Task.MULTICLASS: f"{prefix}Classifier"}


_OWN = "nightjar.models.estimators"
_LIGHTGBM = "nightjar.models.boosters.lightgbm_booster.LightGbm"
_XGBOOST = "nightjar.models.boosters.xgboost_booster.XgBoost"
_TREE = frozenset({"class_weight", "criterion", "max_depth", "max_features", "max_leaf_nodes", "min_samples_leaf"})

FAMILIES: Mapping[Estimator, Family] = {
    Estimator.MAJORITY: Family(
        dict.fromkeys(CLASSES, "sklearn.dummy.DummyClassifier"), fixed={"strategy": "prior"}, requirement=None
    ),
    Estimator.MEAN: Family(
        dict.fromkeys((Task.REGRESSION, Task.RANKING), "sklearn.dummy.DummyRegressor"), requirement=None
    ),
    Estimator.RATE: Family(
        {**dict.fromkeys(Task, f"{_OWN}.rate.ColumnRate"), Task.MULTICLASS: f"{_OWN}.rate.ClassRates"},
        frozenset({"pseudo_count"}),
        requirement=InputRequirement.ORDERED,
    ),
    Estimator.LOGISTIC: Family(
        {
            **dict.fromkeys(CLASSES, "sklearn.linear_model.LogisticRegression"),
            Task.RANKING: f"{_OWN}.pairwise_ranking.PairwiseRanker",
        },
        frozenset({"C", "class_weight", "fit_intercept", "l1_ratio", "max_iter", "opponents", "tol"}),
        {"max_iter": LOGISTIC_STEPS},
    ),
    Estimator.TREE: Family(
        _of_any_task("sklearn.tree.DecisionTree"),
        _TREE | {"ccp_alpha", "min_impurity_decrease", "min_samples_split"},
        requirement=InputRequirement.ORDERED,
    ),
    Estimator.FOREST: Family(
        _of_any_task("sklearn.ensemble.RandomForest"),
        _TREE | {"max_samples", "min_samples_split", "n_estimators"},
        requirement=InputRequirement.ORDERED,
    ),
    Estimator.BOOSTING: Family(
        _of_any_task("sklearn.ensemble.HistGradientBoosting"),
        (_TREE - {"criterion"}) | {"l2_regularization", "learning_rate", "max_bins", "max_iter"},
        # Early stopping would hold out rows at random, across time. The search chooses the number of trees.
        {"early_stopping": False},
        InputRequirement.NATIVE,
    ),
    Estimator.LIGHTGBM: Family(
        {**_both(_LIGHTGBM), Task.MULTICLASS: f"{_LIGHTGBM}OfClasses"},
        None,
        requirement=InputRequirement.NATIVE,
    ),
    Estimator.XGBOOST: Family(
        {**_both(_XGBOOST), Task.MULTICLASS: f"{_XGBOOST}OfClasses"},
        None,
        requirement=InputRequirement.NATIVE,
    ),
    # A search tree of the rows would make the artifact no smaller, and an unchecked index in it could crash scoring.
    # With as many columns as one-hot codes make, no search tree is faster either.
    Estimator.NEIGHBOURS: Family(
        _of_any_task("sklearn.neighbors.KNeighbors"),
        frozenset({"n_neighbors", "weights"}),
        {"algorithm": "brute"},
    ),
}
"""Estimators that are one class for each task."""


def family_of(model: Model) -> Family:
    """The family of a model's estimator; of LINEAR and SKLEARN it depends on the settings.

    Raises:
        LearningError: there is no such penalty, or the class is not on the allowlist.
    """
    if model.estimator is Estimator.LINEAR:
        penalty = model.parameters.get("penalty", "ridge")
        if penalty not in PENALTIES:
            raise LearningError(f"penalty is {penalty!r}: expected one of {', '.join(PENALTIES)}.")
        return Family(dict.fromkeys((Task.REGRESSION, Task.RANKING), PENALTIES[penalty]), LINEAR_PARAMETERS)
    if model.estimator is Estimator.SKLEARN:
        name = require_allowed(model.class_name)
        tasks = CLASSES if interfaces()[name].classifier else (Task.REGRESSION, Task.RANKING)
        return Family(dict.fromkeys(tasks, name), None, requirement=ALLOWED_CLASSES[name])
    return FAMILIES[model.estimator]


def settable_parameters(model: Model, task: Task) -> frozenset[str]:
    """The names of the parameters that settings may set for the model's estimator.

    Raises:
        LearningError: the estimator does not fit the task; see also `family_of`.
    """
    special = {
        Estimator.NETWORK: {option.name for option in fields_of(Options)},
        Estimator.RULE: {"expression"},
        Estimator.BAGGING: {"count"},
        Estimator.VOTING: {"weights"},
        Estimator.STACKING: {"strength"},
    }
    if model.estimator in special:
        return frozenset(special[model.estimator])
    classes = family_of(model).classes
    if task not in classes:
        fitting = ", ".join(one.word for one in classes)
        raise LearningError(
            f"{model.class_name or model.estimator.word} is for {fitting}, and the task is {task.word}."
        )
    additional = {Estimator.RATE: {"column"}, Estimator.LINEAR: {"penalty"}}.get(model.estimator, set())
    return frozenset(interfaces()[classes[task]].parameters) | additional


def parameters_of_class(model: Model) -> dict[str, Any]:
    """The model's parameters that go to its class."""
    return {name: value for name, value in model.parameters.items() if name not in ELSEWHERE}


def make_estimator(model: Model, task: Task, seed: int) -> Any:
    """The unfitted estimator with its parameters. It uses one processor, because candidates run in parallel."""
    family = family_of(model)
    estimator_class = import_class(family.classes[task])
    seeded = {"random_state": seed} if "random_state" in signature(estimator_class).parameters else {}
    return estimator_class(**{**family.fixed, **parameters_of_class(model), **seeded})


def import_class(name: str) -> type[Any]:
    """The class of a dotted name, which a family has."""
    module, _, in_module = name.rpartition(".")
    estimator_class: type[Any] = getattr(import_module(module), in_module)
    return estimator_class
