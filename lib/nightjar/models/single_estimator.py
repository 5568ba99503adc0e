"""Fitting one estimator that is no ensemble, with its own preparation and resampling."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from nightjar.errors import LearningError
from nightjar.models.boosters.booster import Booster
from nightjar.models.columns import FeatureColumn, difference, infinite_columns, to_frame
from nightjar.models.estimators.estimator_registry import FAMILIES, family_of, import_class, make_estimator
from nightjar.models.estimators.native_boosting import declare_categories, put_codes_first
from nightjar.models.estimators.pairwise_ranking import PairwiseRanker
from nightjar.models.estimators.rule import NumberOrPrior, RuleOfThumb
from nightjar.models.estimators.rule_grammar import Kind, rule_of
from nightjar.models.examples import Examples
from nightjar.models.input_requirements import InputRequirement
from nightjar.models.network.inputs import levels_of, network_preparation
from nightjar.models.network.options import Options
from nightjar.models.predictor import Predictor
from nightjar.models.preprocessing.column_rules import columns_to_embed
from nightjar.models.preprocessing.inputs import Input, drop_unused_levels, inputs_of
from nightjar.models.preprocessing.preparation import preparation
from nightjar.models.preprocessing.resampling import Synthesiser, resample
from nightjar.models.preprocessing.synthetic_rows import interpolate
from nightjar.settings.columns import FeatureType
from nightjar.settings.model import EARLY_STOPPING, Direction, Estimator, Model
from nightjar.settings.preparation import ImbalanceKind
from nightjar.settings.task import Task

Features = tuple[FeatureColumn, ...]
Floats = npt.NDArray[np.float64]

SIGNS = {Direction.INCREASING: 1, Direction.DECREASING: -1}
FEW_INPUTS = 1000
"""Up to so many inputs, a few Newton steps take a quarter of the time of a hundred steps without second derivatives."""


def fit_single(model: Model, rows: Examples, features: Features, task: Task, seed: int) -> Predictor:
    """Fit a checked model on checked rows.

    Raises:
        LearningError: the table differs from the features, holds infinite values, or gives nothing to learn from.
        ValueError, TypeError, LinAlgError: the estimator cannot work with these rows.
    """
    frame = _frame(rows.table, features)
    fits: Mapping[Estimator, Callable[..., Predictor]] = {Estimator.RULE: _fit_rule, Estimator.NETWORK: _fit_network}
    fit = fits.get(model.estimator, _fit_family)
    if not rows.classes:
        return fit(model, rows, frame, features, task, seed)
    seen, codes = np.unique(rows.label, return_inverse=True)  # an estimator gets the classes that there are, from 0
    predictor = fit(model, replace(rows, label=codes), frame, features, task, seed)
    return replace(predictor, classes=rows.classes, seen=tuple(seen.tolist()))


def _fit_family(
    model: Model, rows: Examples, frame: pd.DataFrame, features: Features, task: Task, seed: int
) -> Predictor:
    requirement, estimator = family_of(model).requirement, make_estimator(model, task, seed)
    if requirement is None:
        no_inputs = np.zeros((len(rows.label), 1))
        return Predictor((), None, estimator.fit(no_inputs, rows.label, sample_weight=rows.weight))
    if isinstance(estimator, Booster) and estimator.early_stopping_rounds is not None:
        estimator = _with_size(estimator, model, rows, features, task, seed)
    prepared, inputs, label, weight = _prepare(model, rows, frame, features, requirement, task, seed)
    if model.estimator is Estimator.NEIGHBOURS and estimator.n_neighbors > len(label):
        raise ValueError(f"n_neighbors is {estimator.n_neighbors}: expected no more than there are rows.")
    fit_parameters: dict[str, Any] = {} if weight is None else {"sample_weight": weight}
    if isinstance(estimator, PairwiseRanker):
        fit_parameters["query"] = rows.query
    fitted = _with_solver(_with_inputs(estimator, model, prepared), inputs.shape[1])
    fitted.fit(inputs, label, **fit_parameters)
    if model.estimator is Estimator.BOOSTING:
        put_codes_first(fitted)
    return Predictor(features, prepared, fitted)


def _signs(model: Model, inputs: Sequence[Input]) -> list[int]:
    """1 for each input with which the score may only rise, -1 where it may only fall, 0 for the others."""
    directions = ((model.monotone.get(one.column) if one.column else None) for one in inputs)
    return [0 if direction is None else SIGNS[direction] for direction in directions]


def _with_inputs(estimator: Any, model: Model, prepared: Pipeline) -> Any:
    """The unfitted estimator, told which of its inputs are categories, and with which its score is monotone."""
    if isinstance(estimator, Booster):
        inputs = inputs_of(prepared)
        estimator.levels = tuple(one.levels for one in inputs)
        estimator.monotone = tuple(_signs(model, inputs))
    elif model.estimator is Estimator.BOOSTING:
        inputs = inputs_of(prepared)
        declare_categories(estimator, inputs)
        if model.monotone:
            estimator.set_params(monotonic_cst=_signs(model, inputs))
    return estimator


def _with_solver(estimator: Any, inputs: int) -> Any:
    """The estimator; a logistic regression with the solver that is best for its penalty and number of inputs."""
    if isinstance(estimator, LogisticRegression):
        by_size = "newton-cholesky" if inputs <= FEW_INPUTS else "lbfgs"
        estimator.set_params(solver="saga" if estimator.l1_ratio else by_size)
    return estimator


def _with_size(booster: Booster, model: Model, rows: Examples, features: Features, task: Task, seed: int) -> Booster:
    """A booster with the number of trees that is best on the newest inner split; all rows then get as many."""
    if not rows.inner:
        raise ValueError(
            f"{EARLY_STOPPING} needs an inner split of the training rows: give it more rows or dates, or leave it out."
        )
    split, requirement = rows.inner[-1], InputRequirement.NATIVE
    earlier = replace(rows.take(split.train), inner=split.inner)
    frame, test = _frame(earlier.table, features), rows.take(split.test)
    prepared, inputs_before, label, weight = _prepare(model, earlier, frame, features, requirement, task, seed)
    inputs = prepared.transform(_frame(test.table, features))
    booster = _with_inputs(booster, model, prepared)
    return booster.choose_size((inputs_before, label, weight), (inputs, test.label, test.weight))


def _prepare(
    model: Model,
    rows: Examples,
    frame: pd.DataFrame,
    features: Features,
    requirement: InputRequirement,
    task: Task,
    seed: int,
) -> tuple[Any, Floats, npt.NDArray[Any], Floats | None]:
    """The fitted preparation, and the estimator's inputs, labels and weights, evened out."""
    prepared = preparation(features, model.preparation, requirement, task=task, seed=seed, inner=rows.inner)
    inputs = prepared.fit_transform(frame, rows.label)
    inputs, label, weight = _rebalance(model, inputs, rows, task, seed, _synthesiser(model, frame, prepared))
    if model.imbalance.kind is ImbalanceKind.UNDER:
        drop_unused_levels(prepared, inputs)
    return prepared, inputs, label, weight


def _fit_network(
    model: Model, rows: Examples, frame: pd.DataFrame, features: Features, task: Task, seed: int
) -> Predictor:
    # The only import of torch: fitting or loading another estimator does not wait for it.
    from nightjar.models.network.training import fit_network  # noqa: PLC0415

    options = Options(**model.parameters)
    names = columns_to_embed(features, model.preparation) if options.embedding else []
    settings = model.preparation
    prepared = network_preparation(features, settings, names, task=task, seed=seed, inner=rows.inner)
    inputs = prepared.fit_transform(frame, rows.label)
    levels = levels_of(inputs, len(names))
    inputs, label, weight = _rebalance(model, inputs, rows, task, seed, _synthesiser(model, frame, prepared))
    network = fit_network(inputs, label, options=options, seed=seed, weight=weight, levels=levels)
    return Predictor(features, prepared, network)


def _fit_rule(
    model: Model, rows: Examples, frame: pd.DataFrame, features: Features, task: Task, _seed: int
) -> Predictor:
    """A number is used as the score; of yes and no, or texts, the mean label or shares of classes of such rows."""
    expression = model.parameters["expression"]
    number = rule_of(expression, features)[1] is Kind.NUMBER
    rule = RuleOfThumb(expression).fit(frame)
    if number:
        estimator: Any = NumberOrPrior(probability=task is Task.CLASSIFICATION)
    else:
        estimator = import_class(FAMILIES[Estimator.RATE].classes[task])()
    return Predictor(features, rule, estimator.fit(rule.transform(frame), rows.label, sample_weight=rows.weight))


def _synthesiser(model: Model, frame: pd.DataFrame, prepared: Any) -> Synthesiser:
    """A function from pairs of training rows to the estimator's inputs of synthetic rows between them."""
    by_column = model.preparation.columns
    levels = [name for name in by_column if by_column[name].declared() is FeatureType.CATEGORY and name in frame]
    return lambda pairs: prepared.transform(interpolate(frame, pairs, levels))


def _rebalance(
    model: Model, inputs: Floats, rows: Examples, task: Task, seed: int, synthesise: Synthesiser
) -> tuple[Floats, npt.NDArray[Any], Floats | None]:
    if not task.has_classes:
        return inputs, rows.label, rows.weight
    return resample(inputs, rows.label, rows.weight, model.imbalance, seed, synthesise)


def _frame(table: pa.Table, features: Features) -> pd.DataFrame:
    lines = difference(features, table.schema)
    if lines:
        raise LearningError("The training rows differ from the features:\n  " + "\n  ".join(lines))
    frame = to_frame(table, features)
    infinite = infinite_columns(frame, features)
    if infinite:
        raise LearningError(f"Infinite values in the training rows: {', '.join(infinite)}. Make them finite or null.")
    return frame
