"""A trained network as plain arrays: what scores it needs NumPy only. models/network.py trains it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from nightjar.errors import ModelError

State = Mapping[str, npt.NDArray[Any]]


@dataclass(frozen=True, eq=False)
class Perceptron:
    """Layers of weights with rectifiers between them, and one output: the log-odds of True.

    Attributes:
        state: "0.weight" (outputs, inputs) and "0.bias" (outputs,) of the first layer, "1.weight" of the next, ...;
            the last has one output.

    Raises:
        ModelError: the arrays are not that.
    """

    state: State

    def __post_init__(self) -> None:
        layers = len(self.state) // 2
        named = [f"{layer}.{part}" for layer in range(layers) for part in ("weight", "bias")]
        if not layers or set(named) != set(self.state):
            raise ModelError(
                f"A network's arrays are named 0.weight, 0.bias, 1.weight, ...: found {sorted(self.state)}."
            )
        widths = [self.state["0.weight"].shape[-1:], *(self.state[f"{layer}.bias"].shape for layer in range(layers))]
        shapes = [self.state[f"{layer}.weight"].shape for layer in range(layers)]
        if shapes != [(*widths[layer + 1], *widths[layer]) for layer in range(layers)] or widths[-1] != (1,):
            raise ModelError(f"A network's layers do not fit each other: weights {shapes}, biases {widths[1:]}.")
        if not all(np.isfinite(array).all() for array in self.state.values()):
            raise ModelError("A network's arrays hold values that are not finite.")

    def predict_proba(self, inputs: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Probabilities of False and of True, (rows, 2). `inputs` is (rows, inputs).

        Reckoned in float64 though trained in float32, so that rows hardly depend on the rows beside them: BLAS adds
        up in another order for another number of rows.
        """
        values = np.asarray(inputs, dtype=np.float64)
        layers = len(self.state) // 2
        for layer in range(layers):
            weight, bias = self.state[f"{layer}.weight"], self.state[f"{layer}.bias"]
            values = values @ weight.T.astype(np.float64) + bias
            if layer < layers - 1:
                values = np.maximum(values, 0)
        probability = expit(values[:, 0])
        return np.column_stack([1 - probability, probability])
