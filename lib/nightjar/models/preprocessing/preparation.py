"""The preparation of features into an estimator's numbers: fitted on training rows only, and stored with the estimator.

In this order: every column by its type and settings, columns without a value dropped, derived columns appended,
selections, principal components. This module builds unfitted steps; it reads no rows.
"""

from collections.abc import Sequence
from typing import Any

from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.pipeline import Pipeline

from nightjar.errors import LearningError
from nightjar.models.columns import FeatureColumn
from nightjar.models.examples import InnerSplit
from nightjar.models.input_requirements import InputRequirement
from nightjar.models.preprocessing.categories import category_steps
from nightjar.models.preprocessing.derived_columns import maker_step
from nightjar.models.preprocessing.numbers import number_steps, scale_of
from nightjar.models.preprocessing.selection import WithValues, selection_step
from nightjar.models.preprocessing.text import text_steps
from nightjar.settings.columns import Category, ColumnPreparation, Encoding, FeatureType, Missing, Number, Scale, Text
from nightjar.settings.preparation import Preparation, SelectionKind
from nightjar.settings.task import Task

Rule = Number | Category | Text
Splits = Sequence[InnerSplit]

CENTRED = (Scale.STANDARD, Scale.ROBUST)
"""Scales that make some numbers negative."""


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
    columns = _column_steps(features, settings, _requirement(settings, requirement), task, seed, inner)
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


def check_preparation(
    features: Sequence[FeatureColumn], settings: Preparation, requirement: InputRequirement, *, task: Task
) -> None:
    """Check the settings before any row is read.

    Raises:
        LearningError: there are no features; `columns` names none of them, or gives one another type's settings; nulls
            are kept for an estimator that needs complete numbers; native categories for an estimator that cannot part
            them, or where codes would be read as sizes; chi-squared selection without classes, or of numbers below 0.
    """
    if not features:
        raise LearningError("There are no features to prepare.")
    by_name = {column.name: column for column in features}
    unknown = sorted(set(settings.columns) - set(by_name))
    if unknown:
        raise LearningError(f"columns names {', '.join(unknown)}, not among the features {', '.join(by_name)}.")
    for name, own in settings.columns.items():
        _check_type(by_name[name], own)
    if _requirement(settings, requirement) is InputRequirement.COMPLETE:
        _check_complete(features, settings)
    _check_native(features, settings, _requirement(settings, requirement))
    if any(one.kind is SelectionKind.CHI_SQUARED for one in settings.select):
        _check_chi_squared(features, settings, _requirement(settings, requirement), task)


def _requirement(settings: Preparation, requirement: InputRequirement) -> InputRequirement:
    return requirement if settings.components is None else InputRequirement.COMPLETE


def _check_type(column: FeatureColumn, own: ColumnPreparation) -> None:
    possible = {
        "number": (FeatureType.NUMBER, FeatureType.CATEGORY),
        "category": (FeatureType.CATEGORY, FeatureType.TEXT),
    }
    declared = own.declared()
    if declared not in possible[column.type]:
        names = " or ".join(kind.word for kind in possible[column.type])
        raise LearningError(
            f"columns.{column.name} is declared {declared.word}, by its type or settings, and the column is a "
            f"{column.type}: expected {names}."
        )


def _check_complete(features: Sequence[FeatureColumn], settings: Preparation) -> None:
    for column in features:
        rule = column_rule(column, settings)
        if isinstance(rule, Number) and rule.missing is Missing.KEEP and rule.bins is None:
            raise LearningError(
                f"missing=keep leaves the nulls of {column.name}, and this estimator or `components` needs complete "
                "numbers: choose what a null becomes, or bins."
            )


def _check_native(features: Sequence[FeatureColumn], settings: Preparation, requirement: InputRequirement) -> None:
    for column in features:
        rule = column_rule(column, settings)
        if not isinstance(rule, Category) or rule.encoding is not Encoding.NATIVE:
            continue
        if requirement is not InputRequirement.NATIVE or settings.make or settings.select:
            raise LearningError(
                f"encoding=native makes codes of {column.name}, which boosting, lightgbm and xgboost alone can read, "
                "and not `make`, `select` or `components`: choose another encoding."
            )


def _check_chi_squared(
    features: Sequence[FeatureColumn], settings: Preparation, requirement: InputRequirement, task: Task
) -> None:
    if not task.has_classes:
        raise LearningError(f"CHI_SQUARED selects by classes, and a {task.value} has none: select by ANOVA.")
    for column in features:
        rule = column_rule(column, settings)
        if isinstance(rule, Number) and rule.bins is None and scale_of(rule, requirement) in CENTRED:
            raise LearningError(
                f"CHI_SQUARED takes numbers of 0 or more, and {scale_of(rule, requirement).name} scaling puts some of "
                f"{column.name} below 0: scale by MIN_MAX (preparation.number.scale), or select by ANOVA."
            )


def column_rule(column: FeatureColumn, settings: Preparation) -> Rule:
    """The settings of a column: its own, or those of its type."""
    own = settings.columns.get(column.name)
    kind = own.declared().value if own else column.type
    rule: Rule = (own and getattr(own, kind)) or getattr(settings, kind)
    return rule


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
