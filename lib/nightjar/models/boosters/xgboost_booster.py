"""Boosting by XGBoost. The library is imported only where it works."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from nightjar.models.boosters import xgboost_json
from nightjar.models.boosters.booster import (
    Booster,
    BoosterClassifier,
    BoosterOfClasses,
    BoosterRegressor,
    Floats,
    Rows,
)

EXACT = 2**24
"""Whole numbers up to this one are exact in 32 bits, as which XGBoost reads its inputs."""


class XgBoost(Booster):
    """Trees of XGBoost, which grow level by level. Parameters are those of its scikit-learn class, with its defaults.

    It reads inputs as numbers of 32 bits: greater ones are shifted before, so that neighbouring identifiers and times
    stay apart.

    Attributes:
        n_estimators: trees.
        learning_rate: the share of each tree's values that counts.
        max_depth: of a tree.
        min_child_weight: sum of second derivatives in a leaf at least.
        gamma: loss by which a split must lower the sum at least.
        reg_alpha, reg_lambda: penalties of absolute and squared leaf values.
        subsample: share of rows drawn for each tree.
        colsample_bytree: share of inputs drawn for each tree.
        max_bin: intervals into which each input's values are sorted.
        early_stopping_rounds: see `Booster`; trees without a lower loss after which no more are tried.
        random_state: of what is drawn.
        shift_: what is taken from each input first, (inputs,).
    """

    library = "XGBoost"
    metric: ClassVar[str]
    shift_: Floats

    def __init__(
        self,
        n_estimators: int = 100,
        learning_rate: float = 0.3,
        max_depth: int = 6,
        min_child_weight: float = 1.0,
        gamma: float = 0.0,
        reg_alpha: float = 0.0,
        reg_lambda: float = 1.0,
        subsample: float = 1.0,
        colsample_bytree: float = 1.0,
        max_bin: int = 256,
        early_stopping_rounds: int | None = None,
        random_state: int = 0,
    ) -> None:
        self.n_estimators = n_estimators
        self.learning_rate = learning_rate
        self.max_depth = max_depth
        self.min_child_weight = min_child_weight
        self.gamma = gamma
        self.reg_alpha = reg_alpha
        self.reg_lambda = reg_lambda
        self.subsample = subsample
        self.colsample_bytree = colsample_bytree
        self.max_bin = max_bin
        self.early_stopping_rounds = early_stopping_rounds
        self.random_state = random_state

    _check = staticmethod(xgboost_json.checked)

    def _train(self, inputs: Floats, targets: Floats, weight: Floats | None) -> bytes:
        self.shift_ = _shift(inputs)
        with _short_errors():
            fitted = _library().train(self._options(), self._rows(inputs, targets, weight), self.n_estimators)
        return bytes(fitted.save_raw("json"))

    def _losses(self, train: Rows, test: Rows) -> Floats:
        self.shift_ = _shift(train[0])
        parts = [self._rows(inputs, np.asarray(y, dtype=np.float64), weight) for inputs, y, weight in (train, test)]
        losses: dict[str, dict[str, list[float]]] = {}
        with _short_errors():
            _library().train(
                self._options(),
                parts[0],
                self.n_estimators,
                evals=[(parts[1], "test")],
                early_stopping_rounds=self.early_stopping_rounds,
                evals_result=losses,
                verbose_eval=False,
            )
        return np.array(losses["test"][self.metric])

    def _options(self) -> dict[str, Any]:
        options = self._shared_options() | {"eval_metric": self.metric}
        if any(self.monotone):
            options["monotone_constraints"] = tuple(self.monotone)
        return options | {"nthread": 1, "tree_method": "hist", "verbosity": 0}

    def _rows(self, inputs: Floats, targets: Floats | None = None, weight: Floats | None = None) -> Any:
        kinds = ["c" if levels else "float" for levels in self.levels] if any(self.levels) else None
        shifted, categories = inputs - self.shift_, kinds is not None
        return _library().DMatrix(
            shifted, targets, weight=weight, feature_types=kinds, enable_categorical=categories, nthread=1
        )

    def _raw(self, inputs: Floats) -> Floats:
        with _short_errors():
            return np.asarray(self._opened.predict(self._rows(inputs)), dtype=np.float64)

    @cached_property
    def _opened(self) -> Any:
        return _library().Booster({"nthread": 1}, model_file=bytearray(self.model_))


class XgBoostClassifier(BoosterClassifier, XgBoost):
    """Probabilities of a yes or no."""

    objective, metric = "binary:logistic", "logloss"


class XgBoostOfClasses(BoosterOfClasses, XgBoost):
    """Probabilities of several classes."""

    objective, metric = "multi:softprob", "mlogloss"


class XgBoostRegressor(BoosterRegressor, XgBoost):
    """Values, by squared error."""

    objective, metric = "reg:squarederror", "rmse"


def _library() -> Any:
    """The library."""
    import xgboost  # noqa: PLC0415  (most models are of another estimator)

    return xgboost


@contextmanager
def _short_errors() -> Iterator[None]:
    """Errors of the library as ValueError of one line, without the stack of its own code."""
    try:
        yield
    except _library().core.XGBoostError as error:
        lines = str(error).partition("Stack trace")[0].split("\n")
        raise ValueError(" ".join(filter(None, map(str.strip, lines)))) from error


def _shift(inputs: Floats) -> Floats:
    """What lies between 0 and each input's values where those are too great for 32 bits and close together, else 0.

    So identifiers and moments stay apart. Amounts that begin near 0 lose nothing that matters for their size.
    """
    least, greatest = np.fmin.reduce(inputs, axis=0), np.fmax.reduce(inputs, axis=0)
    nearest = np.where(least > 0, least, np.where(greatest < 0, greatest, 0.0))
    is_needed = (np.maximum(np.abs(least), np.abs(greatest)) > EXACT) & (np.abs(nearest) > greatest - least)
    return np.where(is_needed, np.rint(nearest), 0.0)
