"""Fitting: a model's settings and training rows in, a predictor out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from nightjar.errors import LearningError
from nightjar.models.columns import FeatureColumn, difference, infinite_columns, to_frame
from nightjar.models.perceptron import Perceptron
from nightjar.models.predictor import Predictor
from nightjar.models.preparation import ordinal, scaled, with_values
from nightjar.models.rate import ColumnRate
from nightjar.settings.learning import Estimator, Model

Parameters = Mapping[str, Any]
Labels = npt.NDArray[np.bool_]

PARAMETERS: Mapping[Estimator, frozenset[str]] = {
    Estimator.MAJORITY: frozenset(),
    Estimator.RATE: frozenset({"column", "pseudo_count"}),
    Estimator.LOGISTIC: frozenset({"C", "class_weight", "fit_intercept", "max_iter", "tol"}),
    Estimator.BOOSTING: frozenset(
        {
            "class_weight",
            "l2_regularization",
            "learning_rate",
            "max_bins",
            "max_depth",
            "max_features",
            "max_iter",
            "max_leaf_nodes",
            "min_samples_leaf",
        }
    ),
    Estimator.NETWORK: frozenset(
        {"hidden", "dropout", "learning_rate", "weight_decay", "batch_size", "epochs", "patience"}
    ),
}
"""What may be set, named as in scikit-learn, `ColumnRate` and the network's `Options`, which say what it means."""

LOGISTIC_STEPS = 1000
"""Steps of the solver at most, unless `max_iter` is set; on scaled features a few dozen do."""

FEW_INPUTS = 1000
"""Up to so many, four or five steps with second derivatives take a quarter of the time of a hundred without them."""


@dataclass(frozen=True, eq=False)
class _Rows:
    """Training rows, oldest first: the features' columns, their values, and the labels."""

    features: tuple[FeatureColumn, ...]
    frame: pd.DataFrame
    labels: Labels


def fit(
    model: Model, table: pa.Table, y: npt.NDArray[Any], *, features: Sequence[FeatureColumn], seed: int
) -> Predictor:
    """Fit one candidate, its preparation included, on these rows and no others.

    Args:
        model: without a grid: every parameter has its value. Its `drop` features are not used.
        table: the training rows, oldest first; columns that are no features are ignored.
        y: the outcome of each row: booleans, or 0 and 1.
        features: what may be used. The predictor asks for no more than its estimator reads: nothing for MAJORITY, the
            one column for RATE.
        seed: of every random choice. The same rows and seed give the same predictor.

    Raises:
        LearningError: no rows, labels that are missing or all alike, a table that differs from the features, infinite
            values, no feature with a value, or parameters that the estimator does not know or cannot work with.
    """
    _check_parameters(model)
    used = _used_features(model, features)
    rows = _rows(table, used, _labels(y, table.num_rows))
    try:
        return _FITS[model.estimator](rows, model.parameters, seed)
    except (TypeError, ValueError) as error:
        settings = f"{model.estimator.name} with {dict(model.parameters)}"
        raise LearningError(f"{settings} cannot be fitted to {table.num_rows} rows: {error}") from error


def _fit_majority(rows: _Rows, _parameters: Parameters, _seed: int) -> Predictor:
    return Predictor((), None, DummyClassifier(strategy="prior").fit(rows.frame, rows.labels))


def _fit_rate(rows: _Rows, parameters: Parameters, _seed: int) -> Predictor:
    options = {name: value for name, value in parameters.items() if name != "column"}
    preparation = ordinal(rows.features)
    inputs = preparation.fit_transform(rows.frame)
    return Predictor(rows.features, preparation, ColumnRate(**options).fit(inputs, rows.labels))


def _fit_logistic(rows: _Rows, parameters: Parameters, _seed: int) -> Predictor:
    options = {"max_iter": LOGISTIC_STEPS, **parameters}
    preparation = scaled(rows.features)
    inputs = preparation.fit_transform(rows.frame)
    solver = "newton-cholesky" if inputs.shape[1] <= FEW_INPUTS else "lbfgs"
    estimator = LogisticRegression(solver=solver, **options).fit(inputs, rows.labels)
    return Predictor(rows.features, preparation, estimator)


def _fit_boosting(rows: _Rows, parameters: Parameters, seed: int) -> Predictor:
    usable = with_values(rows.features, rows.frame)
    if not usable:
        raise LearningError(f"None of the {len(rows.features)} features has a value in {len(rows.labels)} rows.")
    preparation = ordinal(usable)
    inputs = preparation.fit_transform(rows.frame)
    # Early stopping would hold out rows at random, across time. How many trees to grow is the search's business.
    estimator = HistGradientBoostingClassifier(early_stopping=False, random_state=seed, **parameters)
    return Predictor(rows.features, preparation, estimator.fit(inputs, rows.labels))


def _fit_network(rows: _Rows, parameters: Parameters, seed: int) -> Predictor:
    # The only way to torch: whoever fits or loads another estimator does not wait for it.
    from nightjar.models.network import Options, fit_network  # noqa: PLC0415

    options = Options(**parameters)
    preparation = scaled(rows.features)
    inputs = preparation.fit_transform(rows.frame)
    estimator: Perceptron = fit_network(inputs, rows.labels, options=options, seed=seed)
    return Predictor(rows.features, preparation, estimator)


_FITS: Mapping[Estimator, Callable[[_Rows, Parameters, int], Predictor]] = {
    Estimator.MAJORITY: _fit_majority,
    Estimator.RATE: _fit_rate,
    Estimator.LOGISTIC: _fit_logistic,
    Estimator.BOOSTING: _fit_boosting,
    Estimator.NETWORK: _fit_network,
}


def _check_parameters(model: Model) -> None:
    if model.grid:
        raise LearningError(f"The model still has a grid ({', '.join(model.grid)}): fit one of its candidates.")
    known = sorted(PARAMETERS[model.estimator])
    unknown = sorted(set(model.parameters) - set(known))
    if unknown:
        among = ", ".join(known) or "none at all"
        raise LearningError(f"{model.estimator.name} has no parameter {', '.join(unknown)}. It knows {among}.")


def _used_features(model: Model, features: Sequence[FeatureColumn]) -> tuple[FeatureColumn, ...]:
    names = [column.name for column in features]
    unknown = sorted(set(model.drop) - set(names))
    if unknown:
        raise LearningError(f"drop names {', '.join(unknown)}, not among the features {', '.join(names)}.")
    left = tuple(column for column in features if column.name not in model.drop)
    if model.estimator is Estimator.MAJORITY:
        return ()
    if model.estimator is Estimator.RATE:
        left = tuple(column for column in left if column.name == model.parameters.get("column"))
    if not left:
        wanted = f" (column: {model.parameters.get('column')!r})" if model.estimator is Estimator.RATE else ""
        raise LearningError(f"{model.estimator.name}{wanted} has no feature to use among {', '.join(names) or 'none'}.")
    return left


def _labels(y: npt.NDArray[Any], rows: int) -> Labels:
    if rows == 0:
        raise LearningError("There are no training rows.")
    if y.shape != (rows,):
        raise LearningError(f"The labels are of shape {y.shape}: expected one for each of the {rows} rows.")
    if not all(value in (False, True) for value in pd.unique(y)):
        raise LearningError(f"Labels are booleans, or 0 and 1: found {list(pd.unique(y)[:5])}.")
    labels = y.astype(np.bool_)
    if labels.all() or not labels.any():
        raise LearningError(f"All {rows} training rows have the label {bool(labels[0])}: there is nothing to learn.")
    return labels


def _rows(table: pa.Table, features: tuple[FeatureColumn, ...], labels: Labels) -> _Rows:
    lines = difference(features, table.schema)
    if lines:
        raise LearningError("The training rows differ from the features:\n  " + "\n  ".join(lines))
    frame = to_frame(table, features)
    infinite = infinite_columns(frame, features)
    if infinite:
        raise LearningError(f"Infinite values in the training rows: {', '.join(infinite)}. Make them finite or null.")
    return _Rows(features, frame, labels)
