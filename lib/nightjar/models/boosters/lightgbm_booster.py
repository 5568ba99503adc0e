"""Boosting by LightGBM. The library is imported only where it works."""

from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from nightjar.errors import LearningError
from nightjar.models.boosters import lightgbm_text
from nightjar.models.boosters.booster import (
    Booster,
    BoosterClassifier,
    BoosterOfClasses,
    BoosterRegressor,
    Floats,
    Rows,
)
from nightjar.models.boosters.lightgbm_bins import train_on_bins


class LightGbm(Booster):
    """Trees of LightGBM, which grow leaf by leaf. Parameters are those of its scikit-learn class, with its defaults.

    Attributes:
        n_estimators: trees.
        learning_rate: the share of each tree's values that counts.
        num_leaves: of a tree at most.
        max_depth: of a tree; -1: any.
        min_child_samples: rows of a leaf at least.
        min_child_weight: sum of second derivatives in a leaf at least.
        min_split_gain: of a split at least.
        reg_alpha, reg_lambda: penalties of absolute and squared leaf values.
        subsample: share of rows drawn for every `subsample_freq`-th tree; 0: none are drawn.
        colsample_bytree: share of inputs drawn for each tree.
        max_bin: intervals into which each input's values are sorted.
        early_stopping_rounds: see `Booster`; trees without a lower loss after which no more are tried.
        random_state: of what is drawn.
    """

    library = "LightGBM"
    metric: ClassVar[str]

    def __init__(
        self,
        n_estimators: int = 100,
        learning_rate: float = 0.1,
        num_leaves: int = 31,
        max_depth: int = -1,
        min_child_samples: int = 20,
        min_child_weight: float = 1e-3,
        min_split_gain: float = 0.0,
        reg_alpha: float = 0.0,
        reg_lambda: float = 0.0,
        subsample: float = 1.0,
        subsample_freq: int = 0,
        colsample_bytree: float = 1.0,
        max_bin: int = 255,
        early_stopping_rounds: int | None = None,
        random_state: int = 0,
    ) -> None:
        self.n_estimators = n_estimators
        self.learning_rate = learning_rate
        self.num_leaves = num_leaves
        self.max_depth = max_depth
        self.min_child_samples = min_child_samples
        self.min_child_weight = min_child_weight
        self.min_split_gain = min_split_gain
        self.reg_alpha = reg_alpha
        self.reg_lambda = reg_lambda
        self.subsample = subsample
        self.subsample_freq = subsample_freq
        self.colsample_bytree = colsample_bytree
        self.max_bin = max_bin
        self.early_stopping_rounds = early_stopping_rounds
        self.random_state = random_state

    _check = staticmethod(lightgbm_text.checked)

    def _train(self, inputs: Floats, targets: Floats, weight: Floats | None) -> bytes:
        library, options = _library(), self._options()

        def train(rows: Any) -> bytes:
            return bytes(library.train(options, rows, self.n_estimators).model_to_string().encode("ascii"))

        return train_on_bins(train, library, inputs, targets, weight, self._categories(), options)

    def _losses(self, train: Rows, test: Rows) -> Floats:
        library = _library()
        parts = [self._rows(inputs, np.asarray(y, dtype=np.float64), weight) for inputs, y, weight in (train, test)]
        parts[1].set_reference(parts[0])
        losses: dict[str, dict[str, list[float]]] = {}
        stop = library.early_stopping(self.early_stopping_rounds, verbose=False)
        callbacks = [library.record_evaluation(losses), stop]
        library.train(self._options(), parts[0], self.n_estimators, valid_sets=[parts[1]], callbacks=callbacks)
        (by_metric,) = losses.values()
        return np.array(by_metric[self.metric])

    def _rows(self, inputs: Floats, targets: Floats, weight: Floats | None) -> Any:
        return _library().Dataset(
            inputs, targets, weight=weight, categorical_feature=self._categories(), params=self._options()
        )

    def _categories(self) -> list[int]:
        return [place for place, levels in enumerate(self.levels) if levels]

    def _options(self) -> dict[str, Any]:
        options = self._shared_options() | {"metric": self.metric}
        if any(self.monotone):
            options["monotone_constraints"] = list(self.monotone)
        # By rows or by columns the sums differ in their last bits; LightGBM would choose by time.
        return options | {"num_threads": 1, "deterministic": True, "force_row_wise": True, "verbosity": -1}

    def _raw(self, inputs: Floats) -> Floats:
        values: Floats = self._opened.predict(inputs, num_threads=1)
        return values

    @cached_property
    def _opened(self) -> Any:
        return _library().Booster(model_str=self.model_.decode("ascii"))


class LightGbmClassifier(BoosterClassifier, LightGbm):
    """Probabilities of a yes or no."""

    objective, metric = "binary", "binary_logloss"


class LightGbmOfClasses(BoosterOfClasses, LightGbm):
    """Probabilities of several classes."""

    objective, metric = "multiclass", "multi_logloss"


class LightGbmRegressor(BoosterRegressor, LightGbm):
    """Values, by squared error."""

    objective, metric = "regression", "l2"


def _library() -> Any:
    """The library.

    Raises:
        LearningError: it cannot be loaded.
    """
    try:
        import lightgbm  # noqa: PLC0415  (it takes a second, and most models are of another estimator)
    except OSError as error:
        raise LearningError(f"LightGBM cannot be loaded: {error}. On Debian, install the package libgomp1.") from error
    return lightgbm
