"""Contributions of features to scores, of models where they are exact: boosters and linear models.

They are of the raw score: the value, or log-odds before any calibration (of several classes: what softmax takes).

- LightGBM and XGBoost: Shapley values of the path-dependent game; see `Booster.contributions`.
- Linear models: weight times input, beside the intercept; an input of 0 contributes nothing. That is the training mean
  of a number that the preparation scales by `standard`, and a level that a row does not have.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from sklearn.linear_model import ElasticNet, Lasso, LogisticRegression, Ridge
from sklearn.pipeline import Pipeline

from nightjar.errors import ModelError
from nightjar.models.boosters.booster import Booster
from nightjar.models.columns import to_frame
from nightjar.models.predictor import Predictor, require_features
from nightjar.models.preprocessing.inputs import inputs_of

Floats = npt.NDArray[np.float64]
LINEAR = (ElasticNet, Lasso, LogisticRegression, Ridge)


@dataclass(frozen=True, eq=False)
class Contributions:
    """What each feature adds to each raw score.

    For each row and output, base plus the sum over columns is the raw score: to 1e-6 of the greatest number among them,
    of XGBoost, which adds up numbers of 32 bits, to 1e-5.

    Attributes:
        columns: the features that the model reads.
        values: (rows, outputs, columns); outputs is 1, or those of several classes that training has seen.
        base: the raw score that the contributions are added to: the expected one of trees, the intercept of linear
            models; (outputs,).
    """

    columns: tuple[str, ...]
    values: Floats
    base: Floats


def contributions(predictor: Predictor, table: pa.Table) -> Contributions:
    """The contributions of the features of each row.

    Raises:
        ModelError: a model that is neither booster nor linear, or an ensemble; a preparation that makes inputs of
            several features; a booster that an earlier version stored, without the rows of its nodes; a table that does
            not fit the model.
    """
    require_features(predictor.features, table.schema)
    estimator, prepared = predictor.estimator, predictor.preparation
    is_linear = isinstance(estimator, LINEAR)
    if not (isinstance(estimator, Booster) or is_linear) or not isinstance(prepared, Pipeline):
        name = type(estimator).__name__
        raise ModelError(f"A {name} has no exact contributions: LightGBM, XGBoost and linear models have.")
    names = tuple(column.name for column in predictor.features)
    places = _places(prepared, names)
    inputs = np.asarray(predictor.inputs(to_frame(table, predictor.features)), dtype=np.float64)
    by_input, base = _linear(predictor, inputs) if is_linear else _of_trees(estimator, inputs)
    values = np.zeros((*by_input.shape[:2], len(names)))
    for place, column in enumerate(places):
        values[:, :, column] += by_input[:, :, place]
    return Contributions(names, values, base)


def _places(prepared: Pipeline, names: Sequence[str]) -> list[int]:
    """For each input the place of its feature."""
    columns = [one.column for one in inputs_of(prepared)]
    if None in columns:
        raise ModelError(
            "The preparation makes inputs of several features (components, make, missing=knn or iterative), whose "
            "contributions cannot be told apart."
        )
    return [names.index(str(column)) for column in columns]


def _linear(predictor: Predictor, inputs: Floats) -> tuple[Floats, Floats]:
    estimator: Any = predictor.estimator
    weights = np.atleast_2d(estimator.coef_)
    base = np.broadcast_to(np.asarray(estimator.intercept_, dtype=np.float64), len(weights))
    if len(weights) < len(predictor.seen):  # scikit-learn leaves out the first of two, whose raw score is 0
        weights, base = np.vstack([np.zeros_like(weights), weights]), np.append(0.0, base)
    return inputs[:, np.newaxis, :] * weights, base


def _of_trees(booster: Any, inputs: Floats) -> tuple[Floats, Floats]:
    try:
        values = booster.contributions(inputs)
    except ValueError:  # XGBoost notices some nodes without rows by itself
        values = np.full((1, booster.outputs_, booster.inputs_ + 1), np.nan)
    if not np.isfinite(values).all():
        raise ModelError("An earlier version stored this booster without the rows of its nodes: train it again.")
    return values[:, :, :-1], values[0, :, -1] if len(values) else np.zeros(booster.outputs_)
