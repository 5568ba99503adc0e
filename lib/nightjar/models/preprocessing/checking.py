"""Checks of the settings of a preparation, before any row is read."""

from collections.abc import Sequence

from nightjar.errors import LearningError
from nightjar.models.columns import FeatureColumn
from nightjar.models.input_requirements import InputRequirement
from nightjar.models.preprocessing.column_rules import column_rule, effective_requirement, scale_of
from nightjar.settings.columns import Category, ColumnPreparation, Encoding, FeatureType, Missing, Number, Scale
from nightjar.settings.preparation import Preparation, SelectionKind
from nightjar.settings.task import Task

CENTRED = (Scale.STANDARD, Scale.ROBUST)
"""Scales that make some numbers negative."""


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
    if effective_requirement(settings, requirement) is InputRequirement.COMPLETE:
        _check_complete(features, settings)
    _check_native(features, settings, effective_requirement(settings, requirement))
    if any(one.kind is SelectionKind.CHI_SQUARED for one in settings.select):
        _check_chi_squared(features, settings, effective_requirement(settings, requirement), task)


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
