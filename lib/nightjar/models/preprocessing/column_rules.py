"""What settings say of each column, and what follows from an estimator where they say nothing."""

from collections.abc import Sequence

from nightjar.models.columns import FeatureColumn
from nightjar.models.input_requirements import InputRequirement
from nightjar.settings.columns import Category, Missing, Number, Scale, Text
from nightjar.settings.preparation import Preparation

Rule = Number | Category | Text
JOINT = (Missing.KNN, Missing.ITERATIVE)
"""Imputation of a column from the others."""


def column_rule(column: FeatureColumn, settings: Preparation) -> Rule:
    """The settings of a column: its own, or those of its type."""
    own = settings.columns.get(column.name)
    kind = own.declared().value if own else column.type
    rule: Rule = (own and getattr(own, kind)) or getattr(settings, kind)
    return rule


def columns_to_embed(features: Sequence[FeatureColumn], settings: Preparation) -> list[str]:
    """The categories that are embedded: those without settings of their own."""
    silent = settings.category.encoding is None
    return [one.name for one in features if silent and one.type == "category" and one.name not in settings.columns]


def scale_of(settings: Number, requirement: InputRequirement) -> Scale:
    """The scale of numbers without bins: that of the settings, or the default."""
    silent = Scale.STANDARD if requirement is InputRequirement.COMPLETE or settings.missing in JOINT else Scale.NONE
    return settings.scale or silent


def effective_requirement(settings: Preparation, requirement: InputRequirement) -> InputRequirement:
    """That of an estimator, or of the principal components between the preparation and it."""
    return requirement if settings.components is None else InputRequirement.COMPLETE
