"""The preparation of features into an estimator's numbers: fitted on training rows only, and stored with the estimator.

In this order: every column by its type and settings, columns without a value dropped, derived columns appended,
selections, principal components. This module builds unfitted steps; it reads no rows.
"""

from collections.abc import Sequence
from typing import Any

from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.pipeline import Pipeline

from nightjar.models.columns import FeatureColumn
from nightjar.models.examples import InnerSplit
from nightjar.models.input_requirements import InputRequirement
from nightjar.models.preprocessing.categories import category_steps
from nightjar.models.preprocessing.checking import check_preparation
from nightjar.models.preprocessing.column_rules import Rule, column_rule, effective_requirement
from nightjar.models.preprocessing.derived_columns import maker_step
from nightjar.models.preprocessing.numbers import number_steps
from nightjar.models.preprocessing.selection import WithValues, selection_step
from nightjar.models.preprocessing.text import text_steps
from nightjar.settings.columns import Category, Number, Text
from nightjar.settings.preparation import Preparation
from nightjar.settings.task import Task

Splits = Sequence[InnerSplit]


def preparation(
    features: Sequence[FeatureColumn],
    settings: Preparation,
    requirement: InputRequirement,
    *,
    task: Task,
    seed: int,
    inner: Splits = (),
) -> Pipeline:
    """An unfitted preparation: `fit_transform(frame, label)` on training rows, then `transform(frame)` on any.

    It takes the frame of `columns.to_frame` and gives a float64 array, (rows, prepared columns), whose columns
    `get_feature_names_out()` names. Training rows must come from `fit_transform`: target encoding gives them other
    numbers than `transform` would. A number column without any training value is 0 for every row, also when scoring;
    where numbers stay as they are, as for trees, it is dropped.

    Args:
        features: of the frame, in its order.
        settings: unset ones follow from the requirement.
        requirement: of the estimator. Principal components need complete numbers whatever it requires.
        task: of the label.
        seed: of every random choice.
        inner: (train, test) row numbers of the training rows, for target encoding.

    Raises:
        LearningError: the settings do not fit the features, the task or the requirement; see `check_preparation`.
    """
    check_preparation(features, settings, requirement, task=task)
    columns = _column_steps(features, settings, effective_requirement(settings, requirement), task, seed, inner)
    steps: list[tuple[str, Any]] = [
        ("columns", ColumnTransformer(columns)),
        ("with_values", WithValues()),
    ]
    if settings.make:
        steps.append(("make", maker_step(settings.make, seed)))
    for place, selection in enumerate(settings.select):
        steps.append((f"select_{place}", selection_step(selection, task, seed)))
    if settings.components is not None:
        steps.append(("components", PCA(settings.components, svd_solver="full")))
    return Pipeline(steps)


def _groups(features: Sequence[FeatureColumn], settings: Preparation) -> list[tuple[Rule, list[str]]]:
    """The columns with the same settings: numbers, categories, then texts one by one."""
    groups: list[tuple[Rule, list[str]]] = []
    for column in features:
        rule = column_rule(column, settings)
        matching = [names for other, names in groups if other == rule and not isinstance(rule, Text)]
        if matching:
            matching[0].append(column.name)
        else:
            groups.append((rule, [column.name]))
    return sorted(groups, key=lambda group: (Number, Category, Text).index(type(group[0])))


def _column_steps(
    features: Sequence[FeatureColumn],
    settings: Preparation,
    requirement: InputRequirement,
    task: Task,
    seed: int,
    inner: Splits,
) -> list[tuple[str, Any, list[str]]]:
    """A named transformer for each group: "number", "number_1", ..., "category", ..., "text", ..."""
    steps: list[tuple[str, Any, list[str]]] = []
    for rule, names in _groups(features, settings):
        kind = type(rule).__name__.lower()
        place = sum(name.split("_")[0] == kind for name, _, _ in steps)
        steps.append((f"{kind}_{place}" if place else kind, _step(rule, requirement, task, seed, inner), names))
    return steps


def _step(rule: Rule, requirement: InputRequirement, task: Task, seed: int, inner: Splits) -> Any:
    match rule:
        case Number():
            return number_steps(rule, requirement, seed)
        case Category():
            return category_steps(rule, requirement, inner, task)
        case Text():
            return text_steps(rule, seed)
