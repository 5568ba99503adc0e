"""The registry of estimators: each one's class for each task, its parameters, and the inputs it needs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from dataclasses import fields as fields_of
from inspect import signature
from typing import Any

from sklearn.base import is_classifier
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import ElasticNet, Lasso, LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from nightjar.errors import LearningError
from nightjar.models.boosters.lightgbm_booster import LightGbmClassifier, LightGbmOfClasses, LightGbmRegressor
from nightjar.models.boosters.xgboost_booster import XgBoostClassifier, XgBoostOfClasses, XgBoostRegressor
from nightjar.models.estimators.pairwise_ranking import PairwiseRanker
from nightjar.models.estimators.rate import ClassRates, ColumnRate
from nightjar.models.estimators.sklearn_allowlist import ALLOWED_CLASSES, RESERVED_PARAMETERS, import_class
from nightjar.models.input_requirements import InputRequirement
from nightjar.models.network.options import Options
from nightjar.settings.model import Estimator, Model
from nightjar.settings.task import Task

LOGISTIC_STEPS = 1000
"""The maximum of solver steps unless `max_iter` is set; on scaled features a few dozen suffice."""
FEW_INPUTS = 1000
"""Up to so many inputs, a few Newton steps take a quarter of the time of a hundred steps without second derivatives."""

CLASSES = tuple(task for task in Task if task.has_classes)
"""The tasks of classifiers."""
PENALTIES: Mapping[str, type[Any]] = {"ridge": Ridge, "lasso": Lasso, "elastic_net": ElasticNet}


@dataclass(frozen=True)
class Family:
    """An estimator of scikit-learn, or one with its interface.

    Attributes:
        classes: task -> class; a ranking is learned as a regression on relevance unless there is a class for it.
        parameters: what settings may set, where the class has it; named and documented as in the class.
        fixed: parameters that settings cannot set, or with another default than the class.
        requirement: on its inputs; None: it takes none.
    """

    classes: Mapping[Task, type[Any]]
    parameters: frozenset[str] = frozenset()
    fixed: Mapping[str, Any] = field(default_factory=dict)
    requirement: InputRequirement | None = InputRequirement.COMPLETE


def _both(classifier: type[Any], regressor: type[Any]) -> Mapping[Task, type[Any]]:
    return {Task.CLASSIFICATION: classifier, Task.REGRESSION: regressor, Task.RANKING: regressor}


def _of_any_task(classifier: type[Any], regressor: type[Any]) -> Mapping[Task, type[Any]]:
    return {**_both(classifier, regressor), Task.MULTICLASS: classifier}


_TREE = frozenset({"class_weight", "criterion", "max_depth", "max_features", "max_leaf_nodes", "min_samples_leaf"})

FAMILIES: Mapping[Estimator, Family] = {
    Estimator.MAJORITY: Family(dict.fromkeys(CLASSES, DummyClassifier), fixed={"strategy": "prior"}, requirement=None),
    Estimator.MEAN: Family({Task.REGRESSION: DummyRegressor, Task.RANKING: DummyRegressor}, requirement=None),
    Estimator.RATE: Family(
        {**dict.fromkeys(Task, ColumnRate), Task.MULTICLASS: ClassRates},
        frozenset({"pseudo_count"}),
        requirement=InputRequirement.ORDERED,
    ),
    Estimator.LOGISTIC: Family(
        {**dict.fromkeys(CLASSES, LogisticRegression), Task.RANKING: PairwiseRanker},
        frozenset({"C", "class_weight", "fit_intercept", "l1_ratio", "max_iter", "opponents", "tol"}),
        {"max_iter": LOGISTIC_STEPS},
    ),
    Estimator.TREE: Family(
        _of_any_task(DecisionTreeClassifier, DecisionTreeRegressor),
        _TREE | {"ccp_alpha", "min_impurity_decrease", "min_samples_split"},
        requirement=InputRequirement.ORDERED,
    ),
    Estimator.FOREST: Family(
        _of_any_task(RandomForestClassifier, RandomForestRegressor),
        _TREE | {"max_samples", "min_samples_split", "n_estimators"},
        requirement=InputRequirement.ORDERED,
    ),
    Estimator.BOOSTING: Family(
        _of_any_task(HistGradientBoostingClassifier, HistGradientBoostingRegressor),
        (_TREE - {"criterion"}) | {"l2_regularization", "learning_rate", "max_bins", "max_iter"},
        # Early stopping would hold out rows at random, across time. The search chooses the number of trees.
        {"early_stopping": False},
        InputRequirement.NATIVE,
    ),
    Estimator.LIGHTGBM: Family(
        {**_both(LightGbmClassifier, LightGbmRegressor), Task.MULTICLASS: LightGbmOfClasses},
        frozenset(signature(LightGbmClassifier).parameters) - RESERVED_PARAMETERS,
        requirement=InputRequirement.NATIVE,
    ),
    Estimator.XGBOOST: Family(
        {**_both(XgBoostClassifier, XgBoostRegressor), Task.MULTICLASS: XgBoostOfClasses},
        frozenset(signature(XgBoostClassifier).parameters) - RESERVED_PARAMETERS,
        requirement=InputRequirement.NATIVE,
    ),
    # A search tree of the rows would make the artifact no smaller, and an unchecked index in it could crash scoring.
    # With as many columns as one-hot codes make, no search tree is faster either.
    Estimator.NEIGHBOURS: Family(
        _of_any_task(KNeighborsClassifier, KNeighborsRegressor),
        frozenset({"n_neighbors", "weights"}),
        {"algorithm": "brute"},
    ),
}
"""Estimators that are one class for each task."""

_LINEAR = frozenset({"alpha", "fit_intercept", "l1_ratio", "max_iter", "tol"})


def family_of(model: Model) -> Family:
    """The family of a model's estimator; of LINEAR and SKLEARN it depends on the settings.

    Raises:
        LearningError: there is no such penalty, or the class is not on the allowlist.
    """
    if model.estimator is Estimator.LINEAR:
        penalty = model.parameters.get("penalty", "ridge")
        if penalty not in PENALTIES:
            raise LearningError(f"penalty is {penalty!r}: expected one of {', '.join(PENALTIES)}.")
        return Family({Task.REGRESSION: PENALTIES[penalty], Task.RANKING: PENALTIES[penalty]}, _LINEAR)
    if model.estimator is Estimator.SKLEARN:
        estimator_class = import_class(model.class_name)
        tasks = CLASSES if is_classifier(estimator_class()) else (Task.REGRESSION, Task.RANKING)
        parameters = frozenset(signature(estimator_class).parameters) - RESERVED_PARAMETERS
        return Family(
            dict.fromkeys(tasks, estimator_class), parameters, requirement=ALLOWED_CLASSES[str(model.class_name)]
        )
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
    family = family_of(model)
    if task not in family.classes:
        fitting = ", ".join(one.word for one in family.classes)
        raise LearningError(
            f"{model.class_name or model.estimator.word} is for {fitting}, and the task is {task.word}."
        )
    additional = {Estimator.RATE: {"column"}, Estimator.LINEAR: {"penalty"}}.get(model.estimator, set())
    return (family.parameters & set(signature(family.classes[task]).parameters)) | additional


def make_estimator(model: Model, task: Task, seed: int) -> Any:
    """The unfitted estimator with its parameters. It uses one processor, because candidates run in parallel."""
    family = family_of(model)
    estimator_class = family.classes[task]
    from_settings = {name: value for name, value in model.parameters.items() if name not in ("column", "penalty")}
    names = signature(estimator_class).parameters
    parameters = {**family.fixed, **from_settings, **({"random_state": seed} if "random_state" in names else {})}
    return estimator_class(**parameters)


def choose_solver(estimator: Any, inputs: int) -> Any:
    """Set the solver of a logistic regression by its penalty and number of inputs."""
    if isinstance(estimator, LogisticRegression):
        by_size = "newton-cholesky" if inputs <= FEW_INPUTS else "lbfgs"
        estimator.set_params(solver="saga" if estimator.l1_ratio else by_size)
    return estimator
