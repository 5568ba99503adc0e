"""What boosters of other libraries than scikit-learn have in common: its interface."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

from nightjar.models.boosters.trees import Shape

Floats = npt.NDArray[np.float64]
Rows = tuple[Floats, npt.NDArray[Any], Floats | None]
"""Inputs, labels and weights, as `Booster.fit` has them."""


class Booster(BaseEstimator, ABC):  # type: ignore[misc]
    """A sum of trees, each fitted to what the trees before it leave, on one thread: candidates run in parallel.

    Where `early_stopping_rounds` is set, `n_estimators` is the most trees there are, and `choose_size` says how many.

    Attributes:
        levels: of each input: how many levels a native category has, whose codes begin at 0; 0 of a number. Empty where
            all are numbers.
        monotone: of each input: 1 where the score may only rise with it, -1 where it may only fall, else 0. Empty where
            all are free. It is not stored.
        outputs_: how many scores each row has: one for each class of several, else 1.
        model_: the fitted model, in its library's text format; `lightgbm_text` and `xgboost_json` check it.
        inputs_: how many inputs it takes.
    """

    library: ClassVar[str]
    objective: ClassVar[str]
    early_stopping_rounds: int | None
    n_estimators: int
    levels: tuple[int, ...] = ()
    monotone: tuple[int, ...] = ()
    outputs_: int = 1
    model_: bytes
    inputs_: int

    def fit(self, inputs: Floats, y: npt.NDArray[Any], sample_weight: Floats | None = None) -> Self:
        """Fit. `inputs` is (rows, inputs), NaN where a value is missing; labels and weights are (rows,)."""
        self._count_outputs(y)
        model = self._train(inputs, np.asarray(y, dtype=np.float64), sample_weight)
        self.inputs_ = inputs.shape[1]
        return self.with_model(model, f"{self.library}'s model")

    def choose_size(self, train: Rows, test: Rows) -> Self:
        """Set `n_estimators` to the number of trees after which the loss on test rows is least."""
        self._count_outputs(np.concatenate([train[1], test[1]]))
        self.n_estimators = int(np.argmin(self._losses(train, test))) + 1
        return self

    def with_model(self, model: bytes, name: str) -> Self:
        """This estimator, fitted: with a model that is checked before its library parses it.

        Args:
            model: as the library has written it, or as `model_` has it.
            name: of its file, for errors.

        Raises:
            ModelError: it is no model of so many inputs, with these levels and outputs.
        """
        shape = Shape(self.objective, self.inputs_, self.levels or (0,) * self.inputs_, self.outputs_)
        self.model_ = self._check(model, shape, name)
        self.__dict__.pop("_opened", None)
        return self

    @staticmethod
    @abstractmethod
    def _check(content: bytes, shape: Shape, name: str) -> bytes:
        """The model written anew from what was checked."""

    @abstractmethod
    def _train(self, inputs: Floats, targets: Floats, weight: Floats | None) -> bytes:
        """The fitted model as the library writes it."""

    @abstractmethod
    def _losses(self, train: Rows, test: Rows) -> Floats:
        """The loss on test rows after each tree that is fitted to training rows: (trees,)."""

    @abstractmethod
    def _raw(self, inputs: Floats) -> Floats:
        """The probability of True, or the value, of each row: (rows,). Of several classes: (rows, classes)."""

    def _count_outputs(self, y: npt.NDArray[Any]) -> None:
        """Set how many scores each row will have, by the labels that there are."""

    def _shared_options(self) -> dict[str, Any]:
        """The parameters that go to the library by their own names, the seed and the objective."""
        named = self.get_params()
        apart = ("n_estimators", "early_stopping_rounds", "random_state")
        options = {name: value for name, value in named.items() if name not in apart}
        return options | {"objective": self.objective, "seed": named["random_state"]}

    def __getstate__(self) -> dict[str, Any]:
        """Without what the library has opened."""
        return {name: value for name, value in vars(self).items() if name != "_opened"}


class BoosterClassifier(ClassifierMixin, Booster):  # type: ignore[misc]
    """Probabilities of a yes or no."""

    def predict_proba(self, inputs: Floats) -> Floats:
        """Probabilities of False and True, (rows, 2)."""
        probability = self._raw(inputs)
        return np.column_stack([1 - probability, probability])


class BoosterOfClasses(ClassifierMixin, Booster):  # type: ignore[misc]
    """Probabilities of several classes, whose labels are their numbers from 0 on."""

    @property
    def classes_(self) -> npt.NDArray[np.int64]:
        """The numbers of the classes."""
        return np.arange(self.outputs_)

    def predict_proba(self, inputs: Floats) -> Floats:
        """The probability of each class, (rows, classes)."""
        probabilities = self._raw(inputs)
        return np.asarray(probabilities / probabilities.sum(axis=1, keepdims=True))  # XGBoost's are of 32 bits

    def _shared_options(self) -> dict[str, Any]:
        return super()._shared_options() | {"num_class": self.outputs_}

    def _count_outputs(self, y: npt.NDArray[Any]) -> None:
        self.outputs_ = int(y.max()) + 1


class BoosterRegressor(RegressorMixin, Booster):  # type: ignore[misc]
    """Values, by squared error."""

    def predict(self, inputs: Floats) -> Floats:
        """A value for each row, (rows,)."""
        return self._raw(inputs)
