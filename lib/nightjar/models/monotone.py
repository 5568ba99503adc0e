"""Checks of monotone scores: how a score may change as one number column rises and all others stay."""

from collections.abc import Sequence

from nightjar.errors import LearningError
from nightjar.models.columns import FeatureColumn
from nightjar.models.preprocessing.column_rules import JOINT, column_rule
from nightjar.settings.columns import Missing, Number
from nightjar.settings.hints import hint
from nightjar.settings.model import Estimator, Model
from nightjar.settings.preparation import Preparation
from nightjar.settings.task import Task

ESTIMATORS = (Estimator.BOOSTING, Estimator.LIGHTGBM, Estimator.XGBOOST)
"""Those that can be bound."""


def check_monotone(model: Model, used: Sequence[FeatureColumn], task: Task) -> None:
    """Check before any row is read that each of the columns is one input that only rises with it.

    Raises:
        LearningError: an estimator that cannot be bound; several classes; a column that is none of the features that
            are used, no number, or one of which the preparation makes several inputs.
    """
    if not model.monotone:
        return
    if model.estimator not in ESTIMATORS:
        possible = ", ".join(one.word for one in ESTIMATORS)
        raise LearningError(f"{model.estimator.word} cannot be bound by `monotone`: only {possible} can.")
    if task is Task.MULTICLASS:
        raise LearningError("monotone binds one score, and of several classes there are as many: leave it out.")
    by_name = {column.name: column for column in used}
    unknown = sorted(set(model.monotone) - set(by_name))
    if unknown:
        near = hint(unknown[0], by_name)
        raise LearningError(f"monotone names {', '.join(unknown)}{near}, not among {', '.join(by_name)}.")
    for name in model.monotone:
        _check_column(by_name[name], model.preparation)


def _check_column(column: FeatureColumn, settings: Preparation) -> None:
    rule = column_rule(column, settings)
    if not isinstance(rule, Number):
        kind = type(rule).__name__.lower()
        raise LearningError(f"monotone names {column.name}, a {kind}: only numbers rise and fall.")
    is_replaced = rule.missing not in (None, Missing.KEEP)
    reason = None
    if settings.make or settings.components is not None:
        reason = "`make` and `components` make inputs of all columns"
    elif rule.missing in JOINT:
        reason = f"missing={rule.missing} fills other columns by it"
    elif is_replaced and rule.indicator and rule.bins is None:
        reason = f"missing={rule.missing} adds an indicator; set indicator: false"
    if reason:
        raise LearningError(f"monotone names {column.name}, which is not one input alone: {reason}.")
