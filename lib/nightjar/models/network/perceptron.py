"""A trained network as plain arrays, so that scoring needs NumPy only. models/network/training.py trains it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit, softmax

from nightjar.errors import ModelError

State = Mapping[str, npt.NDArray[Any]]


@dataclass(frozen=True, eq=False)
class Perceptron:
    """Layers of weights with rectifiers between them, and one output, or one a class; some inputs are embedded codes.

    Attributes:
        state: "0.weight" (outputs, inputs) and "0.bias" (outputs,) of the first layer, "1.weight" of the next, ...;
            the last has one output, or one for each of several classes. "embedding.7" (codes + 1, width): input 7 is a
            code, and row code + 1 replaces it after all other inputs; row 0 is for -1 and for codes beyond the last.
        probability: whether the output is the log-odds of True, or outputs are those of classes up to a constant, to be
            converted to probabilities; otherwise it is the value.

    Raises:
        ModelError: the arrays do not have these names and shapes.
    """

    state: State
    probability: bool = True

    def __post_init__(self) -> None:
        embeddings = {name for name in self.state if re.fullmatch(r"embedding\.\d+", name)}
        layers = (len(self.state) - len(embeddings)) // 2
        layer_names = {f"{layer}.{part}" for layer in range(layers) for part in ("weight", "bias")}
        if not layers or layer_names | embeddings != set(self.state):
            raise ModelError(
                f"A network's arrays are named 0.weight, 0.bias, 1.weight, ...: found {sorted(self.state)}."
            )
        widths = [self.state["0.weight"].shape[-1:], *(self.state[f"{layer}.bias"].shape for layer in range(layers))]
        shapes = [self.state[f"{layer}.weight"].shape for layer in range(layers)]
        if shapes != [(*widths[layer + 1], *widths[layer]) for layer in range(layers)]:
            raise ModelError(f"A network's layers do not fit each other: weights {shapes}, biases {widths[1:]}.")
        if self.outputs != 1 and not (self.probability and self.outputs > 1):
            raise ModelError(f"A network's outputs are {self.outputs}: expected one, or the probabilities of classes.")
        self._check_embeddings(embeddings, widths[0][0])
        if not all(np.isfinite(array).all() for array in self.state.values()):
            raise ModelError("A network's arrays hold values that are not finite.")

    @property
    def outputs(self) -> int:
        """How many outputs there are."""
        last = max(int(name.split(".")[0]) for name in self.state if name.endswith(".bias"))
        return len(self.state[f"{last}.bias"])

    def predict(self, inputs: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """A probability of True, or a value, for each row, (rows,); or the probabilities of classes, (rows, outputs).

        `inputs` is (rows, inputs).

        Computed in float64 though trained in float32, so that a row's score hardly depends on the other rows: the order
        of BLAS's sums depends on the number of rows.

        Raises:
            ModelError: another number of inputs than the network has.
        """
        values = self._with_embeddings(np.asarray(inputs, dtype=np.float64))
        layers = sum(name.endswith(".bias") for name in self.state)
        for layer in range(layers):
            weight, bias = self.state[f"{layer}.weight"], self.state[f"{layer}.bias"]
            values = values @ weight.T.astype(np.float64) + bias
            if layer < layers - 1:
                values = np.maximum(values, 0)
        if values.shape[1] > 1:
            return np.asarray(softmax(values, axis=1), dtype=np.float64)
        output = np.asarray(values[:, 0], dtype=np.float64)
        return np.asarray(expit(output), dtype=np.float64) if self.probability else output

    def _with_embeddings(self, inputs: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        tables = self._tables()
        width = self.state["0.weight"].shape[1] - sum(table.shape[1] for table in tables.values()) + len(tables)
        if inputs.shape[1:] != (width,):
            raise ModelError(f"The network takes {width} inputs a row, found an array of shape {inputs.shape}.")
        rows = {column: inputs[:, column].astype(np.intp) + 1 for column in tables}
        vectors = [table[np.where(rows[column] < len(table), rows[column], 0)] for column, table in tables.items()]
        return np.column_stack([np.delete(inputs, list(tables), axis=1), *vectors])

    def _tables(self) -> dict[int, npt.NDArray[Any]]:
        """Input -> its embeddings, in the order of the inputs."""
        columns = sorted(int(name.split(".")[1]) for name in self.state if name.startswith("embedding."))
        return {column: self.state[f"embedding.{column}"] for column in columns}

    def _check_embeddings(self, names: set[str], first_layer: int) -> None:
        shapes = {name: self.state[name].shape for name in names}
        proper = all(len(shape) == 2 and min(shape) > 0 for shape in shapes.values())
        numbers = first_layer - sum(shape[-1] for shape in shapes.values()) if proper else -1
        columns = [int(name.split(".")[1]) for name in names]
        if (
            not proper
            or numbers < 0
            or len(set(columns)) < len(columns)
            or max(columns, default=0) >= max(1, numbers + len(columns))
        ):
            raise ModelError(f"A network's embeddings do not fit its first layer of {first_layer} inputs: {shapes}.")
