"""Training of a small network with torch, on a GPU if set. Imported only where a network is fitted."""

import copy
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, mse_loss

from nightjar.errors import LearningError
from nightjar.models.network.options import Options
from nightjar.models.network.perceptron import Perceptron

__all__ = ["Options", "Tabular", "build", "fit_network", "require_device", "state_of"]

Floats = npt.NDArray[np.float64]
Measure = Callable[[Tensor, Tensor], Tensor]
"""Outputs, (rows, outputs), and labels, (rows,), to the loss of each row."""
NO_LEVELS: Mapping[int, int] = MappingProxyType({})


class Tabular(nn.Module):
    """Embeddings of the inputs that are codes, after all other inputs; then linear layers, rectifiers and dropout."""

    def __init__(self, inputs: int, options: Options, levels: Mapping[int, int], outputs: int = 1) -> None:
        super().__init__()
        self.columns = sorted(levels)
        self.numbers = [column for column in range(inputs) if column not in levels]
        tables = [nn.Embedding(levels[column], options.embedding) for column in self.columns]
        self.tables = nn.ModuleList(tables)
        for table in tables:
            nn.init.zeros_(table.weight[0])  # a null that training never had has no effect
        width, layers = len(self.numbers) + options.embedding * len(self.columns), list[nn.Module]()
        for hidden in options.hidden:
            layers += [nn.Linear(width, hidden), nn.ReLU(), nn.Dropout(options.dropout)]
            width = hidden
        self.layers = nn.Sequential(*layers, nn.Linear(width, outputs))

    def forward(self, inputs: Tensor) -> Tensor:
        """(rows, inputs) -> (rows, outputs): log-odds, or values in units of the labels' deviation from their mean."""
        if not self.columns:
            return self.layers(inputs)  # type: ignore[no-any-return]
        pairs = zip(self.columns, self.tables, strict=True)
        vectors = [table(inputs[:, column].long() + 1) for column, table in pairs]
        return self.layers(torch.cat([inputs[:, self.numbers], *vectors], dim=1))  # type: ignore[no-any-return]


@dataclass(frozen=True)
class _Tensors:
    """Rows on the device: (rows, inputs), and (rows,) labels and weights."""

    inputs: Tensor
    labels: Tensor
    weights: Tensor

    def __getitem__(self, rows: slice | Tensor) -> "_Tensors":
        return _Tensors(self.inputs[rows], self.labels[rows], self.weights[rows])


def fit_network(
    inputs: Floats,
    y: npt.NDArray[np.bool_] | npt.NDArray[np.int64] | Floats,
    *,
    options: Options,
    seed: int,
    weight: Floats | None = None,
    levels: Mapping[int, int] = NO_LEVELS,
) -> Perceptron:
    """Train on (rows, inputs) numbers of about unit size and (rows,) labels, oldest row first; at least two rows.

    Booleans and whole numbers, which number several classes from 0, are learned as classes (cross-entropy), other
    numbers as amounts (squared error). The newest tenth is the
    validation set: after each epoch its loss decides whether this epoch's weights are the best so far. On a CPU the
    same rows, options and seed give the same weights; on a GPU the same up to rounding.
    Torch's global random state and number of threads are restored.

    Args:
        inputs: numbers, and codes from -1 in the columns that `levels` names.
        y: labels.
        options: of network and training.
        seed: of weights, dropout and order.
        weight: of each row in the loss; None: 1 each.
        levels: column of codes -> number of codes, -1 included.

    Raises:
        LearningError: fewer than two rows, no epoch had a finite loss, or a GPU is asked for and there is none.
    """
    require_device(options)
    if len(y) < 2:
        raise LearningError(f"A network needs two rows at least, one of them to be judged on: found {len(y)}.")
    device = torch.device("cuda" if options.gpu else "cpu")
    kind = y.dtype.kind
    classes, outputs = kind != "f", int(y.max()) + 1 if kind == "i" else 1
    centre, spread = (0.0, 1.0) if classes else (float(np.mean(y)), float(np.std(y)) or 1.0)
    columns = (inputs, (y.astype(np.float64) - centre) / spread, _weights(y, weight, options))
    rows = _Tensors(*(torch.tensor(column, dtype=torch.float32, device=device) for column in columns))
    with _one_thread(), torch.random.fork_rng(devices=[0] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        network = build(inputs.shape[1], options, levels, outputs).to(device)
        _train(network, rows, options, seed, LOSSES[kind])
    return Perceptron(in_units(state_of(network), centre, spread), probability=classes)


def require_device(options: Options) -> None:
    """Raise LearningError where a GPU is asked for and there is none."""
    if options.gpu and not torch.cuda.is_available():
        raise LearningError(
            "The network's parameter gpu is true, and torch finds no CUDA device on this machine: run it where there "
            "is one, or leave gpu out."
        )


def build(inputs: int, options: Options, levels: Mapping[int, int] = NO_LEVELS, outputs: int = 1) -> Tabular:
    """The network in torch: (rows, inputs) -> (rows, outputs); `levels` as in `fit_network`."""
    return Tabular(inputs, options, levels if options.embedding else NO_LEVELS, outputs)


def state_of(network: Tabular) -> dict[str, npt.NDArray[Any]]:
    """The network's arrays, as a `Perceptron` takes them."""
    linear = [layer for layer in network.layers if isinstance(layer, nn.Linear)]
    tensors = {f"{number}.{name}": value for number, one in enumerate(linear) for name, value in one.named_parameters()}
    embeddings = zip(network.columns, network.tables.parameters(), strict=True)
    tensors |= {f"embedding.{column}": table for column, table in embeddings}
    return {name: tensor.detach().cpu().numpy().copy() for name, tensor in tensors.items()}


def _weights(y: npt.NDArray[Any], weight: Floats | None, options: Options) -> Floats:
    weights = np.ones(len(y)) if weight is None else weight
    if not options.class_weight:
        return weights
    from sklearn.utils.class_weight import compute_sample_weight  # noqa: PLC0415  (workers would import it in vain)

    return np.asarray(weights * compute_sample_weight("balanced", y), dtype=np.float64)


def in_units(state: dict[str, npt.NDArray[Any]], centre: float, spread: float) -> dict[str, npt.NDArray[Any]]:
    """The state with the last layer rescaled to the labels' own units."""
    last = max(int(name.split(".")[0]) for name in state if name.endswith(".bias"))
    weight, bias = state[f"{last}.weight"], state[f"{last}.bias"]
    if (centre, spread) == (0.0, 1.0):
        return state
    return state | {f"{last}.weight": weight * np.float64(spread), f"{last}.bias": bias * np.float64(spread) + centre}


def _train(network: Tabular, rows: _Tensors, options: Options, seed: int, measure: Measure) -> None:
    newest = max(1, len(rows.labels) // 10)
    training, validation = rows[:-newest], rows[-newest:]
    optimizer = torch.optim.AdamW(network.parameters(), lr=options.learning_rate, weight_decay=options.weight_decay)
    scaler = torch.amp.GradScaler("cuda", enabled=rows.inputs.is_cuda)
    shuffle = torch.Generator().manual_seed(seed)
    best_loss, best_state, epochs_without_gain = math.inf, None, 0
    for _ in range(options.epochs):
        network.train()
        order = torch.randperm(len(training.labels), generator=shuffle).to(rows.labels.device)
        for batch in torch.split(order, options.batch_size):
            _step(_loss(network, training[batch], measure), optimizer, scaler)
        network.eval()
        with torch.no_grad():
            loss = float(_loss(network, validation, measure))
        epochs_without_gain = 0 if loss < best_loss else epochs_without_gain + 1
        if loss < best_loss:
            best_loss, best_state = loss, copy.deepcopy(network.state_dict())
        if epochs_without_gain == options.patience:
            break
    if best_state is None:
        raise LearningError(f"The network's loss was never finite ({options}): lower the learning rate.")
    network.load_state_dict(best_state)


def _step(loss: Tensor, optimizer: torch.optim.Optimizer, scaler: torch.amp.GradScaler) -> None:
    optimizer.zero_grad()
    scaler.scale(loss).backward()  # type: ignore[no-untyped-call] # half precision would lose small gradients
    scaler.step(optimizer)
    scaler.update()


def _loss(network: Tabular, rows: _Tensors, measure: Measure) -> Tensor:
    """The weighted mean of the rows' losses; 0 where all weights are 0."""
    with torch.autocast("cuda", dtype=torch.float16, enabled=rows.inputs.is_cuda):
        output = network(rows.inputs)
    losses = measure(output.float(), rows.labels)
    return (losses * rows.weights).sum() / rows.weights.sum().clamp(min=1e-12)


def _of_truth(output: Tensor, labels: Tensor) -> Tensor:
    return binary_cross_entropy_with_logits(output[:, 0], labels, reduction="none")


def _of_classes(output: Tensor, labels: Tensor) -> Tensor:
    return cross_entropy(output, labels.long(), reduction="none")


def _of_amounts(output: Tensor, labels: Tensor) -> Tensor:
    return mse_loss(output[:, 0], labels, reduction="none")


LOSSES: Mapping[str, Measure] = {"b": _of_truth, "i": _of_classes, "f": _of_amounts}
"""Kind of labels, as NumPy has it -> the loss of each row."""


@contextmanager
def _one_thread() -> Iterator[None]:
    """Limit torch to one thread: trials run in parallel, and the order of sums depends on the number of threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
