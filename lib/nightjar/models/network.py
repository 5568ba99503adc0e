"""Training of a small network with torch, on a GPU if there is one. Imported only where a network is fitted."""

import copy
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from nightjar.errors import LearningError
from nightjar.models.perceptron import Perceptron

Rows = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Options:
    """How a network is built and trained.

    Attributes:
        hidden: the width of each hidden layer.
        dropout: share of each hidden layer's outputs dropped in training, in [0, 1).
        learning_rate: of AdamW.
        weight_decay: of AdamW.
        batch_size: rows in a step.
        epochs: passes over the rows at most.
        patience: epochs without a lower loss on the newest tenth before training stops.

    Raises:
        LearningError: a value out of its range.
    """

    hidden: Sequence[int] = (64, 32)
    dropout: float = 0.2
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    batch_size: int = 2048
    epochs: int = 20
    patience: int = 3

    def __post_init__(self) -> None:
        whole = (*self.hidden, self.batch_size, self.epochs, self.patience)
        fits = {
            "hidden, batch_size, epochs and patience: whole numbers from 1": all(
                isinstance(number, int) and number >= 1 for number in whole
            ),
            "dropout: at least 0, below 1": 0 <= self.dropout < 1,
            "learning_rate: above 0": 0 < self.learning_rate < math.inf,
            "weight_decay: 0 or more": 0 <= self.weight_decay < math.inf,
        }
        wrong = [expected for expected, holds in fits.items() if not holds]
        if wrong:
            raise LearningError(f"A network with {self} cannot be trained. Expected {'; '.join(wrong)}.")


def fit_network(
    inputs: npt.NDArray[np.float64], y: npt.NDArray[np.bool_], *, options: Options, seed: int
) -> Perceptron:
    """Train on (rows, inputs) numbers of about unit size and (rows,) labels, oldest row first; at least two rows.

    The newest tenth is held out: after each epoch its loss decides whether this epoch's weights are the best so far.
    The same rows, options, seed and device type give the same weights. Neither torch's global random state nor its
    number of threads is left changed.

    Raises:
        LearningError: no epoch had a finite loss.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    newest = max(1, len(y) // 10)
    features = torch.as_tensor(inputs, dtype=torch.float32).to(device)
    labels = torch.as_tensor(y, dtype=torch.float32).to(device)
    with _one_thread(), torch.random.fork_rng(devices=[0] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        network = build(inputs.shape[1], options).to(device)
        oldest, held_out = (features[:-newest], labels[:-newest]), (features[-newest:], labels[-newest:])
        _train(network, oldest, held_out, options, torch.Generator().manual_seed(seed))
    return Perceptron(_state(network))


def build(inputs: int, options: Options) -> nn.Sequential:
    """The network in torch: linear layers, each hidden one followed by a rectifier and dropout; gives log-odds."""
    layers: list[nn.Module] = []
    for width in options.hidden:
        layers += [nn.Linear(inputs, width), nn.ReLU(), nn.Dropout(options.dropout)]
        inputs = width
    return nn.Sequential(*layers, nn.Linear(inputs, 1))


def _train(network: nn.Sequential, rows: Rows, held_out: Rows, options: Options, shuffle: torch.Generator) -> None:
    optimizer = torch.optim.AdamW(network.parameters(), lr=options.learning_rate, weight_decay=options.weight_decay)
    best_loss, best_state, stale = math.inf, None, 0
    for _ in range(options.epochs):
        _epoch(network, rows, optimizer, options.batch_size, shuffle)
        loss = _loss(network, held_out)
        stale = 0 if loss < best_loss else stale + 1
        if loss < best_loss:
            best_loss, best_state = loss, copy.deepcopy(network.state_dict())
        if stale == options.patience:
            break
    if best_state is None:
        raise LearningError(f"The network's loss was never finite ({options}): lower the learning rate.")
    network.load_state_dict(best_state)


def _epoch(
    network: nn.Sequential, rows: Rows, optimizer: torch.optim.Optimizer, batch_size: int, shuffle: torch.Generator
) -> None:
    network.train()
    features, labels = rows
    order = torch.randperm(len(labels), generator=shuffle).to(labels.device)
    for start in range(0, len(order), batch_size):
        batch = order[start : start + batch_size]
        optimizer.zero_grad()
        loss = binary_cross_entropy_with_logits(network(features[batch])[:, 0], labels[batch])
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()


@torch.no_grad()
def _loss(network: nn.Sequential, rows: Rows) -> float:
    network.eval()
    return float(binary_cross_entropy_with_logits(network(rows[0])[:, 0], rows[1]))


def _state(network: nn.Sequential) -> dict[str, npt.NDArray[Any]]:
    linear = [layer for layer in network if isinstance(layer, nn.Linear)]
    state: dict[str, npt.NDArray[Any]] = {}
    for number, layer in enumerate(linear):
        state[f"{number}.weight"] = layer.weight.detach().cpu().numpy().copy()
        state[f"{number}.bias"] = layer.bias.detach().cpu().numpy().copy()
    return state


@contextmanager
def _one_thread() -> Iterator[None]:
    """Trials run beside each other: more threads than one would fight for the cores, and change the sums."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
