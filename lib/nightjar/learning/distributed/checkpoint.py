"""Checkpoints of a training as files of plain tensors: loading one runs no code."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from nightjar.models.network.training import Tabular

FILE = "training.safetensors"
State = Mapping[str, Tensor]


@dataclass(frozen=True)
class Progress:
    """The losses of finished epochs.

    Attributes:
        losses: the mean loss of each epoch's training rows, computed while the weights changed.
        held_out: the mean loss of the rows held out after each epoch; empty if none are.
        best: the epoch, from 0, whose weights are kept: the one with the least loss held out, or the last one; -1:
            no epoch yet.
    """

    losses: tuple[float, ...] = ()
    held_out: tuple[float, ...] = ()
    best: int = -1

    @property
    def stale(self) -> int:
        """Epochs since the best one."""
        return len(self.losses) - 1 - self.best

    def after(self, loss: float, held_out: float | None) -> "Progress":
        """Add an epoch. A loss held out that is not finite is never the best."""
        epoch, losses = len(self.losses), (*self.losses, loss)
        if held_out is None:
            return replace(self, losses=losses, best=epoch)
        least = min((self.held_out[self.best],) if self.best >= 0 else (float("inf"),))
        best = epoch if held_out < least else self.best
        return Progress(losses, (*self.held_out, held_out), best)


@dataclass
class Training:
    """The state of a training.

    Attributes:
        network: its weights.
        optimizer: with the moments of every weight.
        scaler: of the losses in half precision; it does nothing on processors.
        best: the weights that are kept.
        progress: of finished epochs.
    """

    network: Tabular
    optimizer: torch.optim.Optimizer
    scaler: torch.amp.GradScaler
    best: State
    progress: Progress


def save(folder: str, training: Training) -> None:
    """Write a checkpoint into a folder."""
    moments = {
        f"optimizer.{position}.{name}": value
        for position, values in training.optimizer.state_dict()["state"].items()
        for name, value in values.items()
    }
    weights = {f"network.{name}": value for name, value in training.network.state_dict().items()}
    best = {f"best.{name}": value for name, value in training.best.items()}
    tensors = {name: value.detach().cpu().contiguous().clone() for name, value in (moments | weights | best).items()}
    metadata = {"progress": json.dumps(asdict(training.progress)), "scaler": json.dumps(training.scaler.state_dict())}
    save_file(tensors, Path(folder) / FILE, metadata=metadata)


def load(folder: str, training: Training) -> None:
    """Restore a training of the same network."""
    with safe_open(Path(folder) / FILE, framework="pt") as file:
        metadata = {name: json.loads(text) for name, text in file.metadata().items()}
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (no mapping, it only has keys)
    moments: dict[int, dict[str, Tensor]] = {}
    for name, value in _under("optimizer.", tensors).items():
        position, moment = name.split(".", 1)
        moments.setdefault(int(position), {})[moment] = value
    training.network.load_state_dict(_under("network.", tensors))
    groups = training.optimizer.state_dict()["param_groups"]
    training.optimizer.load_state_dict({"state": moments, "param_groups": groups})
    training.scaler.load_state_dict(metadata["scaler"])
    training.best = _under("best.", tensors)
    progress = metadata["progress"]
    training.progress = Progress(tuple(progress["losses"]), tuple(progress["held_out"]), progress["best"])


def _under(prefix: str, tensors: State) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
