"""Checks of a model's settings that need no rows."""

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from nightjar.errors import LearningError
from nightjar.models.columns import FeatureColumn
from nightjar.models.estimators.estimator_registry import family_of, parameters_of_class, settable_parameters
from nightjar.models.estimators.interfaces import interfaces
from nightjar.models.estimators.parameter_checks import check_parameters
from nightjar.models.estimators.rule_grammar import Kind, rule_of
from nightjar.models.input_requirements import InputRequirement
from nightjar.models.monotone import check_monotone
from nightjar.models.network.options import Options
from nightjar.models.preprocessing.checking import check_preparation
from nightjar.models.preprocessing.column_rules import columns_to_embed
from nightjar.settings.columns import Encoding
from nightjar.settings.hints import hint
from nightjar.settings.model import ENSEMBLES, Calibration, Estimator, Model
from nightjar.settings.preparation import Imbalance, ImbalanceKind, Preparation
from nightjar.settings.task import Task

UNPREPARED = frozenset({Estimator.MAJORITY, Estimator.MEAN, Estimator.RULE, Estimator.RATE}) | ENSEMBLES
"""Estimators without a preparation of their own."""

ADDS_ROWS = frozenset({ImbalanceKind.OVER, ImbalanceKind.SMOTE, ImbalanceKind.ADASYN})


NO_MEMBERS: Mapping[str, Model] = MappingProxyType({})


def check_model(
    model: Model,
    features: Sequence[FeatureColumn],
    task: Task = Task.CLASSIFICATION,
    members: Mapping[str, Model] = NO_MEMBERS,
    *,
    weighted: bool = False,
) -> None:
    """Check a model before any row is read; `weighted`: whether training rows have weights.

    Raises:
        LearningError: a space; a parameter that the estimator lacks, or a value out of its range; an estimator,
            calibration or imbalance that does not fit the task or the estimator; a column that is no feature, or none
            left; preparation that does not fit the features; a monotone column that is not one number; members that are
            no candidates or cannot be members; weights for an estimator that takes none.
    """
    if model.space:
        raise LearningError(f"The model still has a space ({', '.join(model.space)}): fit one of its candidates.")
    accepted = settable_parameters(model, task)
    unknown = sorted(set(model.parameters) - accepted)
    if unknown:
        listing, near = ", ".join(sorted(accepted)) or "none at all", hint(unknown[0], accepted)
        raise LearningError(f"{_name(model)} has no parameter {', '.join(unknown)} here{near}. It knows {listing}.")
    if model.calibration is not Calibration.NONE and not task.has_classes:
        raise LearningError(f"calibration is {model.calibration.word}: only a classification has probabilities.")
    if model.calibration is not Calibration.NONE and model.estimator is Estimator.MAJORITY:
        raise LearningError(
            f"calibration is {model.calibration.word}: majority gives every row the same probabilities, which are the "
            "shares of the training rows. Leave it out."
        )
    if model.self_training.floor is not None and not task.has_classes:
        raise LearningError("self_training joins rows by a predicted class: only a classification has one.")
    parts = [model, *(members[name] for name in model.members if name in members)]
    networks = any(one.estimator is Estimator.NETWORK for one in parts)
    if model.self_training.floor is not None and networks:
        raise LearningError("self_training is not for network: it would choose its epoch by labels of its own.")
    if weighted and not takes_weights(model, task):
        raise LearningError(
            f"{_name(model)} takes no weights, and training rows have some by their sample: leave it out."
        )
    _check_imbalance(model, task)
    if model.estimator in ENSEMBLES:
        _check_members(model, features, task, members, weighted=weighted)
    used = select_features(model, features)
    check_monotone(model, used, task)
    _check_values(model, used, task)


def select_features(model: Model, features: Sequence[FeatureColumn]) -> tuple[FeatureColumn, ...]:
    """The features that the model reads.

    Raises:
        LearningError: `drop` or `column` names none of them, none remains, or the rule cannot be evaluated on them.
    """
    names = [column.name for column in features]
    unknown = sorted(set(model.drop) - set(names))
    if unknown:
        near = hint(unknown[0], names)
        raise LearningError(f"drop names {', '.join(unknown)}{near}, not among the features {', '.join(names)}.")
    remaining = tuple(column for column in features if column.name not in model.drop)
    if model.estimator in (Estimator.MAJORITY, Estimator.MEAN):
        return ()
    if model.estimator is Estimator.RULE:
        return rule_of(model.parameters.get("expression"), remaining)[0]
    detail = ""
    if model.estimator is Estimator.RATE:
        detail = f" (column: {model.parameters.get('column')!r})"
        remaining = tuple(column for column in remaining if column.name == model.parameters.get("column"))
    if not remaining:
        raise LearningError(f"{model.estimator.word}{detail} has no feature to use among {', '.join(names) or 'none'}.")
    return remaining


def _check_values(model: Model, used: Sequence[FeatureColumn], task: Task) -> None:
    parameters = dict(model.parameters)
    expected = Preparation() if model.estimator in UNPREPARED else model.preparation
    if model.preparation != expected:
        raise LearningError(f"{model.estimator.word} prepares no features: leave `preparation` out.")
    match model.estimator:
        case Estimator.NETWORK:
            _check_network(parameters, used, model, task)
        case Estimator.BAGGING:
            count = parameters.get("count", 1)
            holds = isinstance(count, int) and count >= 1
            _require(model, "count", count, "a whole number from 1", holds=holds)
        case Estimator.STACKING:
            strength = parameters.get("strength", 1.0)
            _require(model, "strength", strength, "a number above 0", holds=_positive(strength))
        case Estimator.VOTING:
            weights = parameters.get("weights", [1] * len(model.members))
            count = len(model.members)
            holds = isinstance(weights, Sequence) and all(_positive(one) for one in weights) and len(weights) == count
            _require(model, "weights", weights, f"{count} numbers above 0, one a member", holds=holds)
        case Estimator.RULE:
            is_class = rule_of(parameters["expression"], used)[1] is not Kind.NUMBER
            holds = is_class or task is not Task.MULTICLASS
            _require(
                model,
                "expression",
                parameters["expression"],
                "yes and no or texts, of several classes",
                holds=holds,
            )
        case _:
            _check_family(model, used, task)


def _check_family(model: Model, used: Sequence[FeatureColumn], task: Task) -> None:
    weights = model.parameters.get("class_weight")
    if isinstance(weights, Mapping):
        several = task is Task.MULTICLASS
        expected = "balanced (or use imbalance: class_weight)" if several else "weights of the classes false and true"
        _require(model, "class_weight", weights, expected, holds=not several and set(weights) <= {False, True})
    family, parameters = family_of(model), parameters_of_class(model)
    class_name = family.classes[task]
    try:
        check_parameters(class_name, parameters)
    except ValueError as error:
        raise LearningError(f"{_name(model)} with {model.parameters} cannot be fitted: {error}") from error
    if task.has_classes and not interfaces()[class_name].gives_probabilities(parameters):
        raise LearningError(f"{_name(model)} with {model.parameters} gives no probabilities: choose another loss.")
    if family.requirement is not None:
        check_preparation(used, model.preparation, family.requirement, task=task)


def _check_network(parameters: dict[str, Any], used: Sequence[FeatureColumn], model: Model, task: Task) -> None:
    options = Options(**parameters)
    if options.gpu:
        from nightjar.models.network.training import require_device  # noqa: PLC0415  (torch takes seconds to import)

        require_device(options)
    if options.class_weight and not task.has_classes:
        raise LearningError(f"class_weight is {options.class_weight!r}: only a classification has classes.")
    names = columns_to_embed(used, model.preparation) if options.embedding else []
    others = [column for column in used if column.name not in names]
    if others:
        check_preparation(others, model.preparation, InputRequirement.COMPLETE, task=task)


def _check_imbalance(model: Model, task: Task) -> None:
    kind = model.imbalance.kind
    if model.imbalance == Imbalance():
        return
    if not task.has_classes or model.estimator in UNPREPARED:
        where = f"{model.estimator.word} for {task.word}"
        raise LearningError(f"imbalance is {kind.word}: {where} has no classes to even out, leave it out.")
    if kind is ImbalanceKind.CLASS_WEIGHT and not takes_weights(model, task):
        raise LearningError(f"imbalance is class_weight, and {_name(model)} takes no weights: choose under or over.")
    if kind in (ImbalanceKind.SMOTE, ImbalanceKind.ADASYN) and model.preparation.encodes(Encoding.TARGET):
        raise LearningError(
            f"imbalance is {kind.word}: rows that are made have no means of their levels without their own labels, as "
            "encoding=target takes them of rows that are there. Choose another encoding, over or class_weight."
        )
    if model.estimator is Estimator.NETWORK and kind in ADDS_ROWS:
        raise LearningError(
            f"imbalance is {kind.word}: it puts rows behind the newest ones, which network is judged on while it "
            "trains. Choose class_weight or under."
        )


def _check_members(
    model: Model, features: Sequence[FeatureColumn], task: Task, members: Mapping[str, Model], *, weighted: bool
) -> None:
    name = model.estimator.word
    unknown = sorted(set(model.members) - set(members))
    if unknown:
        among = ", ".join(sorted(members)) or "none"
        raise LearningError(f"{name} has the members {', '.join(unknown)}, which are no candidates; there are {among}.")
    stacks = model.estimator is Estimator.STACKING
    if stacks and model.calibration is not Calibration.NONE and task.has_classes:
        raise LearningError("stacking is logistic in out-of-fold predictions, a calibration already: leave it out.")
    for member in model.members:
        if members[member].estimator in ENSEMBLES:
            raise LearningError(f"{name}: its member {member} is an ensemble itself; name that one's members instead.")
        if members[member].calibration is not Calibration.NONE and (
            stacks or model.calibration is not Calibration.NONE
        ):
            raise LearningError(f"{name}: its member {member} is calibrated, and so is the whole: choose one of them.")
        try:
            check_model(members[member], features, task, {}, weighted=weighted)
        except LearningError as error:
            raise LearningError(f"{name}: its member {member}: {error}") from error


def takes_weights(model: Model, task: Task) -> bool:
    """Whether the estimator takes row weights. Members of an ensemble are checked one by one."""
    if model.estimator in ENSEMBLES | {Estimator.NETWORK, Estimator.RULE}:
        return True
    return interfaces()[family_of(model).classes[task]].weights


def _positive(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < math.inf


def _require(model: Model, name: str, value: object, expected: str, *, holds: bool) -> None:
    if not holds:
        raise LearningError(f"{_name(model)}: {name} is {value!r}: expected {expected}.")


def _name(model: Model) -> str:
    return model.class_name or model.estimator.word
