"""What each column adds to a score, of models where that is exact; `explain` takes sampled values where it is not.

What is explained is the raw score: the margin before any calibration.

- Trees: Shapley values of the path-dependent game, whose players are the columns; see `tree_shapley`. Of boosting they
  are of the log-odds (of several classes: what softmax takes) or the value; of a forest of the mean probability.
- Linear models: weight times input, beside the intercept: the Shapley values where a column that is left out has the
  input 0. That is the training mean of a number that the preparation scales by `standard`, and a level that a row does
  not have.
- A mean of models (`bagging`, `voting`): the mean of theirs, where each is additive on the scale of the mean.
- `rate`, `majority` and `mean`: what the single column, or none, adds to the mean label.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import (
    BayesianRidge,
    ElasticNet,
    HuberRegressor,
    Lasso,
    PoissonRegressor,
    Ridge,
    SGDRegressor,
)
from sklearn.pipeline import Pipeline
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from nightjar.errors import ModelError
from nightjar.explanation.raw_scores import (
    LOG_ODDS,
    LOG_VALUE,
    LOGISTIC,
    PROBABILITY,
    VALUE,
    has_classes,
    is_logistic,
)
from nightjar.explanation.tree_shapley import tree_shapley
from nightjar.models.boosters.lightgbm_booster import LightGbm
from nightjar.models.boosters.xgboost_booster import XgBoost
from nightjar.models.columns import to_frame
from nightjar.models.ensembles.blending import Blend
from nightjar.models.estimators.pairwise_ranking import PairwiseRanker
from nightjar.models.estimators.rate import ClassRates, ColumnRate
from nightjar.models.predictor import Predictor, probabilities_of, require_features, scores_of
from nightjar.models.preprocessing.inputs import inputs_of
from nightjar.models.trees import (
    Trees,
    trees_of_boosting,
    trees_of_forest,
    trees_of_lightgbm,
    trees_of_xgboost,
)

Floats = npt.NDArray[np.float64]

BOOSTING = (HistGradientBoostingClassifier, HistGradientBoostingRegressor)
FORESTS = (
    *(DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreesClassifier, ExtraTreesRegressor),
    *(RandomForestClassifier, RandomForestRegressor),
)
LINEAR = (
    *(BayesianRidge, ElasticNet, HuberRegressor, Lasso, PairwiseRanker, PoissonRegressor, Ridge, SGDRegressor),
    *LOGISTIC,
)
OF_ONE_COLUMN = (ClassRates, ColumnRate, DummyClassifier, DummyRegressor)


@dataclass(frozen=True, eq=False)
class Contributions:
    """What each column adds to each raw score.

    For each row and output, base plus the sum over columns is the raw score: to 1e-9 of the greatest number among them,
    of XGBoost, which adds up numbers of 32 bits, to 1e-5.

    Attributes:
        columns: the features that the model reads.
        values: (rows, outputs, columns); outputs is 1, or one for each of several classes that training has seen.
        base: the raw score that the contributions are added to, where nothing is known of a row; (outputs,).
        scale: of the raw score.
        error: the standard error of each value, in its shape, where they are sampled; None: they are exact.
    """

    columns: tuple[str, ...]
    values: Floats
    base: Floats
    scale: str
    error: Floats | None = None


class NotAdditiveError(ModelError):
    """A model has no exact contributions."""


class _Parts(NamedTuple):
    """What each column adds, (rows, outputs, columns), the base, (outputs,), and the scale."""

    added: Floats
    base: Floats
    scale: str


def contributions(predictor: Predictor, table: pa.Table) -> Contributions:
    """The exact contributions of the columns to each row's raw score.

    Raises:
        NotAdditiveError: the model is not additive in any exact way that we have (a network, neighbours, a stacking, a
            mean of models that are additive on another scale), or its preparation makes inputs of several features.
        ModelError: a booster that an earlier version stored, without the rows of its nodes; a table that does not fit.
    """
    require_features(predictor.features, table.schema)
    frame = to_frame(table, predictor.features)
    rows = len(frame)
    frame = frame if rows else frame.reindex([0])  # a preparation takes no table without rows
    values, base, scale = _of_members(predictor, frame) if predictor.members else _of_single(predictor, frame)
    return Contributions(tuple(column.name for column in predictor.features), values[:rows], base, scale)


def trees_of(estimator: Any) -> Trees | None:
    """The trees whose sum is the raw score of an estimator; None: it is of another kind.

    Raises:
        ModelError: they cannot be explained.
    """
    if isinstance(estimator, LightGbm):
        return trees_of_lightgbm(estimator)
    if isinstance(estimator, XgBoost):
        return trees_of_xgboost(estimator)
    if isinstance(estimator, BOOSTING):
        return trees_of_boosting(estimator)
    return trees_of_forest(estimator) if isinstance(estimator, FORESTS) else None


def _of_members(predictor: Predictor, frame: pd.DataFrame) -> _Parts:
    blend = predictor.estimator
    if not isinstance(blend, Blend) or blend.log_odds:
        raise NotAdditiveError("A stacking of probabilities has no exact contributions: it combines log-odds.")
    names = [column.name for column in predictor.features]
    outputs = len(predictor.classes) or 1
    values, base = np.zeros((len(frame), outputs, len(names))), np.full(outputs, blend.intercept)
    scales = set()
    for member, weight in zip(predictor.members, blend.weights, strict=True):
        is_score = member.calibration is None and not member.members
        parts = _of_single(member, frame) if is_score else None
        if parts is None or parts.scale not in (PROBABILITY, VALUE):
            raise NotAdditiveError(
                "A mean of models has exact contributions only where each is additive on its scale, as forests and "
                f"trees are: {type(member.estimator).__name__}{'' if is_score else ', calibrated,'} is not."
            )
        columns = [names.index(column.name) for column in member.features]
        rows = list(member.seen) if predictor.classes else [0]
        values[:, np.array(rows)[:, np.newaxis], columns] += weight * parts.added
        base[rows] += weight * parts.base
        scales.add(parts.scale)
    if predictor.classes:
        values, base = values[:, predictor.is_seen()], base[predictor.is_seen()]
    return _Parts(values, base, PROBABILITY if PROBABILITY in scales else VALUE)


def _of_single(predictor: Predictor, frame: pd.DataFrame) -> _Parts:
    estimator = predictor.estimator
    if isinstance(estimator, OF_ONE_COLUMN) and len(predictor.features) <= 1:
        return _of_one_column(predictor, frame)
    trees = trees_of(estimator)
    if (trees is None and not isinstance(estimator, LINEAR)) or not isinstance(predictor.preparation, Pipeline):
        name = type(estimator).__name__
        raise NotAdditiveError(f"A {name} has no exact contributions: boosting, forests, trees and linear models have.")
    names = [column.name for column in predictor.features]
    players = _players(predictor.preparation, names)
    inputs = np.asarray(predictor.inputs(frame), dtype=np.float64)
    if trees is None:
        parts = _linear(estimator, inputs, players, len(names))
    else:
        scale = LOG_ODDS if is_logistic(predictor) else PROBABILITY if has_classes(predictor) else VALUE
        parts = _Parts(*tree_shapley(trees, players, len(names), inputs), scale)
    return _of_both_classes(parts) if len(parts.base) < len(predictor.seen) else parts


def _of_both_classes(parts: _Parts) -> _Parts:
    """Of two classes among several: libraries give the second one's."""
    if parts.scale == PROBABILITY:
        values = np.concatenate([-parts.added, parts.added], axis=1)
        return _Parts(values, np.concatenate([1 - parts.base, parts.base]), parts.scale)
    # Softmax makes the same probabilities of z beside 0 as of z / 2 beside -z / 2, of which both classes have effects.
    values = np.concatenate([-parts.added, parts.added], axis=1) / 2
    return _Parts(values, np.concatenate([-parts.base, parts.base]) / 2, parts.scale)


def _players(prepared: Pipeline, names: Sequence[str]) -> list[int]:
    """For each input the place of its column."""
    columns = [one.column for one in inputs_of(prepared)]
    if None in columns:
        raise NotAdditiveError(
            "The preparation makes inputs of several features (components, make, missing=knn or iterative), whose "
            "contributions cannot be told apart."
        )
    return [names.index(str(column)) for column in columns]


def _linear(estimator: Any, inputs: Floats, players: Sequence[int], columns: int) -> _Parts:
    weights = np.atleast_2d(estimator.coef_)
    base = np.broadcast_to(np.asarray(getattr(estimator, "intercept_", 0.0), dtype=np.float64), len(weights))
    values = np.zeros((len(inputs), len(weights), columns))
    for place, column in enumerate(players):
        values[:, :, column] += inputs[:, [place]] * weights[:, place]
    of_classes = LOG_ODDS if isinstance(estimator, LOGISTIC) else VALUE
    return _Parts(values, base, LOG_VALUE if isinstance(estimator, PoissonRegressor) else of_classes)


def _of_one_column(predictor: Predictor, frame: pd.DataFrame) -> _Parts:
    """What the only column adds to the mean of all rows; without a column that mean is the score."""
    estimator: Any = predictor.estimator

    def scores(inputs: Any) -> Floats:
        return probabilities_of(estimator, inputs) if predictor.classes else scores_of(estimator, inputs)[:, np.newaxis]

    base = scores(np.full((1, 1), np.nan))[0]
    scale = PROBABILITY if has_classes(predictor) else VALUE
    if not predictor.features:
        return _Parts(np.zeros((len(frame), len(base), 0)), base, scale)
    return _Parts((scores(predictor.inputs(frame)) - base)[:, :, np.newaxis], base, scale)
