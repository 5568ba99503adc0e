"""Fitting one estimator that is no ensemble, with its own preparation and resampling."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from nightjar.errors import LearningError
from nightjar.models.columns import FeatureColumn, difference, infinite_columns, to_frame
from nightjar.models.examples import Examples
from nightjar.models.families import family_of, solved, unfitted
from nightjar.models.made_rows import between
from nightjar.models.network_inputs import embedded, levels_of, network_preparation
from nightjar.models.network_options import Options
from nightjar.models.predictor import Predictor
from nightjar.models.preparation import preparation
from nightjar.models.ranking import PairwiseRanker
from nightjar.models.rate import ColumnRate
from nightjar.models.resampling import Making, resampled
from nightjar.models.rule import NumberOrPrior, RuleOfThumb, rule_of
from nightjar.models.rule_grammar import Kind
from nightjar.settings.columns import FeatureType
from nightjar.settings.model import Estimator, Model
from nightjar.settings.task import Task

Features = tuple[FeatureColumn, ...]
Floats = npt.NDArray[np.float64]


def fit_leaf(model: Model, rows: Examples, features: Features, task: Task, seed: int) -> Predictor:
    """Fit a checked model on checked rows.

    Raises:
        LearningError: the table differs from the features, holds infinite values, or gives nothing to learn from.
        ValueError, TypeError, LinAlgError: the estimator cannot work with these rows.
    """
    frame = _frame(rows.table, features)
    fits: Mapping[Estimator, Callable[..., Predictor]] = {Estimator.RULE: _fit_rule, Estimator.NETWORK: _fit_network}
    return fits.get(model.estimator, _fit_family)(model, rows, frame, features, task, seed)


def _fit_family(
    model: Model, rows: Examples, frame: pd.DataFrame, features: Features, task: Task, seed: int
) -> Predictor:
    needs, estimator = family_of(model).needs, unfitted(model, task, seed)
    if needs is None:
        nothing = np.zeros((len(rows.label), 1))
        return Predictor((), None, estimator.fit(nothing, rows.label, sample_weight=rows.weight))
    prepared = preparation(features, model.preparation, needs, task=task, seed=seed, inner=rows.inner)
    inputs = prepared.fit_transform(frame, rows.label)
    inputs, label, weight = _evened(model, inputs, rows, task, seed, _making(model, frame, prepared))
    if model.estimator is Estimator.NEIGHBOURS and estimator.n_neighbors > len(label):
        raise ValueError(f"n_neighbors is {estimator.n_neighbors}: expected no more than there are rows.")
    given: dict[str, Any] = {} if weight is None else {"sample_weight": weight}
    if isinstance(estimator, PairwiseRanker):
        given["query"] = rows.query
    return Predictor(features, prepared, solved(estimator, inputs.shape[1]).fit(inputs, label, **given))


def _fit_network(
    model: Model, rows: Examples, frame: pd.DataFrame, features: Features, task: Task, seed: int
) -> Predictor:
    # The only way to torch: whoever fits or loads another estimator does not wait for it.
    from nightjar.models.network import fit_network  # noqa: PLC0415

    options = Options(**model.parameters)
    names = embedded(features, model.preparation) if options.embedding else []
    settings = model.preparation
    prepared = network_preparation(features, settings, names, task=task, seed=seed, inner=rows.inner)
    inputs = prepared.fit_transform(frame, rows.label)
    levels = levels_of(inputs, len(names))
    inputs, label, weight = _evened(model, inputs, rows, task, seed, _making(model, frame, prepared))
    fitted = fit_network(inputs, label, options=options, seed=seed, weight=weight, levels=levels)
    return Predictor(features, prepared, fitted)


def _fit_rule(
    model: Model, rows: Examples, frame: pd.DataFrame, features: Features, task: Task, _seed: int
) -> Predictor:
    """A number is taken as it is; of yes and no, the training mean of the label among such rows."""
    expression = model.parameters["expression"]
    number = rule_of(expression, features)[1] is Kind.NUMBER
    said = RuleOfThumb(expression)
    estimator = NumberOrPrior(probability=task is Task.CLASSIFICATION) if number else ColumnRate()
    return Predictor(features, said, estimator.fit(said.transform(frame), rows.label, sample_weight=rows.weight))


def _making(model: Model, frame: pd.DataFrame, prepared: Any) -> Making:
    """Gives the estimator's inputs of rows between training rows."""
    own = model.preparation.columns
    levels = [name for name in own if own[name].declared() is FeatureType.CATEGORY and name in frame]
    return lambda where: prepared.transform(between(frame, where, levels))


def _evened(
    model: Model, inputs: Floats, rows: Examples, task: Task, seed: int, made: Making
) -> tuple[Floats, npt.NDArray[Any], Floats | None]:
    if task is not Task.CLASSIFICATION:
        return inputs, rows.label, rows.weight
    return resampled(inputs, rows.label, rows.weight, model.imbalance, seed, made)


def _frame(table: pa.Table, features: Features) -> pd.DataFrame:
    lines = difference(features, table.schema)
    if lines:
        raise LearningError("The training rows differ from the features:\n  " + "\n  ".join(lines))
    frame = to_frame(table, features)
    infinite = infinite_columns(frame, features)
    if infinite:
        raise LearningError(f"Infinite values in the training rows: {', '.join(infinite)}. Make them finite or null.")
    return frame
