"""The estimators by name: what each is made of for which task, what may be set, and what its inputs must be like."""

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
from nightjar.models.door import DOOR, KEPT, open_door
from nightjar.models.needs import Needs
from nightjar.models.network_options import Options
from nightjar.models.ranking import PairwiseRanker
from nightjar.models.rate import ColumnRate
from nightjar.settings.model import Estimator, Model
from nightjar.settings.task import Task

LOGISTIC_STEPS = 1000
"""Steps of the solver at most, unless `max_iter` is set; on scaled features a few dozen do."""
FEW_INPUTS = 1000
"""Up to so many, four or five steps with second derivatives take a quarter of the time of a hundred without them."""

PENALTIES: Mapping[str, type[Any]] = {"ridge": Ridge, "lasso": Lasso, "elastic_net": ElasticNet}


@dataclass(frozen=True)
class Family:
    """What an estimator of scikit-learn, or like one, is made of.

    Attributes:
        classes: task -> class; a ranking is learned as a regression on relevance unless there is a class for it.
        parameters: what may be set, where the class has it; named as in the class, which says what it means.
        fixed: parameters that are not for settings, or have another default.
        needs: of its inputs; None: it takes none.
    """

    classes: Mapping[Task, type[Any]]
    parameters: frozenset[str] = frozenset()
    fixed: Mapping[str, Any] = field(default_factory=dict)
    needs: Needs | None = Needs.COMPLETE


def _both(classifier: type[Any], regressor: type[Any]) -> Mapping[Task, type[Any]]:
    return {Task.CLASSIFICATION: classifier, Task.REGRESSION: regressor, Task.RANKING: regressor}


_TREE = frozenset({"class_weight", "criterion", "max_depth", "max_features", "max_leaf_nodes", "min_samples_leaf"})

FAMILIES: Mapping[Estimator, Family] = {
    Estimator.MAJORITY: Family({Task.CLASSIFICATION: DummyClassifier}, fixed={"strategy": "prior"}, needs=None),
    Estimator.MEAN: Family({Task.REGRESSION: DummyRegressor, Task.RANKING: DummyRegressor}, needs=None),
    Estimator.RATE: Family(dict.fromkeys(Task, ColumnRate), frozenset({"pseudo_count"}), needs=Needs.ORDERED),
    Estimator.LOGISTIC: Family(
        {Task.CLASSIFICATION: LogisticRegression, Task.RANKING: PairwiseRanker},
        frozenset({"C", "class_weight", "fit_intercept", "l1_ratio", "max_iter", "opponents", "tol"}),
        {"max_iter": LOGISTIC_STEPS},
    ),
    Estimator.TREE: Family(
        _both(DecisionTreeClassifier, DecisionTreeRegressor),
        _TREE | {"ccp_alpha", "min_impurity_decrease", "min_samples_split"},
        needs=Needs.ORDERED,
    ),
    Estimator.FOREST: Family(
        _both(RandomForestClassifier, RandomForestRegressor),
        _TREE | {"max_samples", "min_samples_split", "n_estimators"},
        needs=Needs.ORDERED,
    ),
    Estimator.BOOSTING: Family(
        _both(HistGradientBoostingClassifier, HistGradientBoostingRegressor),
        (_TREE - {"criterion"}) | {"l2_regularization", "learning_rate", "max_bins", "max_iter"},
        # Early stopping would hold out rows at random, across time. How many trees to grow is the search's business.
        {"early_stopping": False},
        Needs.ORDERED,
    ),
    # A search tree of the rows would make the artifact no smaller, and an unchecked index of it could crash whoever
    # scores. Of columns as many as one-hot codes make, no search tree is faster either.
    Estimator.NEIGHBOURS: Family(
        _both(KNeighborsClassifier, KNeighborsRegressor),
        frozenset({"n_neighbors", "weights"}),
        {"algorithm": "brute"},
    ),
}
"""Estimators that are one class for each task."""

_LINEAR = frozenset({"alpha", "fit_intercept", "l1_ratio", "max_iter", "tol"})


def family_of(model: Model) -> Family:
    """The family of a model's estimator; of LINEAR and SKLEARN it depends on the settings.

    Raises:
        LearningError: there is no such penalty, or the class is not on the list of the door.
    """
    if model.estimator is Estimator.LINEAR:
        penalty = model.parameters.get("penalty", "ridge")
        if penalty not in PENALTIES:
            raise LearningError(f"penalty is {penalty!r}: expected one of {', '.join(PENALTIES)}.")
        return Family({Task.REGRESSION: PENALTIES[penalty], Task.RANKING: PENALTIES[penalty]}, _LINEAR)
    if model.estimator is Estimator.SKLEARN:
        found = open_door(model.class_name)
        tasks = (Task.CLASSIFICATION,) if is_classifier(found()) else (Task.REGRESSION, Task.RANKING)
        parameters = frozenset(signature(found).parameters) - KEPT
        return Family(dict.fromkeys(tasks, found), parameters, needs=DOOR[str(model.class_name)])
    return FAMILIES[model.estimator]


def known_parameters(model: Model, task: Task) -> frozenset[str]:
    """What may be set for the model's estimator.

    Raises:
        LearningError: the estimator does not fit the task; see also `family_of`.
    """
    others = {
        Estimator.NETWORK: {option.name for option in fields_of(Options)},
        Estimator.RULE: {"expression"},
        Estimator.BAGGING: {"count"},
        Estimator.VOTING: {"weights"},
        Estimator.STACKING: {"strength"},
    }
    if model.estimator in others:
        return frozenset(others[model.estimator])
    family = family_of(model)
    if task not in family.classes:
        fitting = ", ".join(one.name for one in family.classes)
        raise LearningError(
            f"{model.class_name or model.estimator.name} is for {fitting}, and the task is {task.name}."
        )
    own = {Estimator.RATE: {"column"}, Estimator.LINEAR: {"penalty"}}.get(model.estimator, set())
    return (family.parameters & set(signature(family.classes[task]).parameters)) | own


def unfitted(model: Model, task: Task, seed: int) -> Any:
    """The estimator of a family with its parameters. It works on one processor: candidates run beside each other."""
    family = family_of(model)
    found = family.classes[task]
    settable = {name: value for name, value in model.parameters.items() if name not in ("column", "penalty")}
    names = signature(found).parameters
    given = {**family.fixed, **settable, **({"random_state": seed} if "random_state" in names else {})}
    return found(**given)


def solved(estimator: Any, inputs: int) -> Any:
    """The estimator with the solver that suits its penalty and so many inputs, where that is ours to choose."""
    if isinstance(estimator, LogisticRegression):
        by_size = "newton-cholesky" if inputs <= FEW_INPUTS else "lbfgs"
        estimator.set_params(solver="saga" if estimator.l1_ratio else by_size)
    return estimator
