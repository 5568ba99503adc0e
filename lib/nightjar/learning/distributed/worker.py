"""The training loop of a worker: its share of each step, the sum of all gradients, a checkpoint after each epoch."""

import contextlib
import copy
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import ray.train
import ray.train.torch
import torch
import torch.distributed as dist
from ray.train import Checkpoint
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from nightjar.errors import LearningError
from nightjar.learning.distributed.batches import LaneLayout, Share, StreamedRows, TrainingStep, batches
from nightjar.learning.distributed.checkpoint import Progress, Training, load, save
from nightjar.learning.distributed.group import process_group
from nightjar.models.network.options import Options
from nightjar.models.network.perceptron import Perceptron
from nightjar.models.network.training import LOSSES, Tabular, build, in_units, state_of
from nightjar.settings.distributed import Distributed
from nightjar.settings.task import Task

LABELS: Mapping[Task, str] = {Task.CLASSIFICATION: "b", Task.MULTICLASS: "i", Task.REGRESSION: "f"}
"""Task -> the kind of its labels, by which `LOSSES` has their loss."""


@dataclass(frozen=True)
class TrainingJob:
    """The parameters of a training, sent to each worker.

    Attributes:
        task: of the label.
        options: the network's.
        settings: of the workers.
        seed: of the first weights, the order of rows and the dropout.
        inputs: how many the network has.
        outputs: how many: one, or one for each of several classes.
        levels: input -> how many codes it has, for those that are embedded.
        scale: mean and deviation of a regression's labels; 0 and 1 otherwise.
        layout: of the rows in lanes.
        train: the rows to learn from.
        held_out: the rows whose loss decides which epoch is kept; None: the last epoch.
    """

    task: Task
    options: Options
    settings: Distributed
    seed: int
    inputs: int
    outputs: int
    levels: Mapping[int, int]
    scale: tuple[float, float]
    layout: LaneLayout
    train: StreamedRows
    held_out: StreamedRows | None


def train_worker(config: dict[str, TrainingJob]) -> dict[str, Any]:
    """Train as one of the workers; returns the best network and the progress."""
    job = config["job"]
    torch.set_num_threads(max(1, int(job.settings.worker_cpus)))
    with process_group(gpu=job.options.gpu, timeout=2 * job.settings.starved_after):
        training = _start(job)
        model = DistributedDataParallel(training.network)
        while len(training.progress.losses) < job.options.epochs and training.progress.stale < job.options.patience:
            _epoch(job, training, model)
    progress = training.progress
    if progress.best < 0:
        raise LearningError(f"The network's loss was never finite ({job.options}): lower the learning rate.")
    training.network.load_state_dict(training.best)
    state = in_units(state_of(training.network), *job.scale)
    return {"network": Perceptron(state, probability=job.task.has_classes), "progress": progress}


def _start(job: TrainingJob) -> Training:
    """Start from the last checkpoint, if there is one."""
    device = ray.train.torch.get_device()
    torch.manual_seed(job.seed)
    network = build(job.inputs, job.options, job.levels, job.outputs).to(device)
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=job.options.learning_rate, weight_decay=job.options.weight_decay
    )
    scaler = torch.amp.GradScaler("cuda", enabled=job.options.gpu)
    training = Training(network, optimizer, scaler, copy.deepcopy(network.state_dict()), Progress())
    checkpoint = ray.train.get_checkpoint()
    if checkpoint is not None:
        with checkpoint.as_directory() as folder:
            load(folder, training)
    return training


def _epoch(job: TrainingJob, training: Training, model: DistributedDataParallel) -> None:
    number = len(training.progress.losses)
    loss = _train_epoch(job, training, model, number)
    training.progress = training.progress.after(loss, _validation_loss(job, training.network))
    if training.progress.best == number:
        training.best = copy.deepcopy(training.network.state_dict())
    _report(training)


def _train_epoch(job: TrainingJob, training: Training, model: DistributedDataParallel, epoch: int) -> float:
    """One pass over the training rows; returns their mean loss."""
    model.train()  # type: ignore[no-untyped-call]
    total = _zero()
    for step in _steps(job, job.train, (job.seed, epoch)):
        training.optimizer.zero_grad()
        total += _gradients(job, training.scaler, model, step, epoch)
        training.scaler.step(training.optimizer)
        training.scaler.update()
    return _sum_over_workers(total) / job.train.weight


def _gradients(
    job: TrainingJob, scaler: torch.amp.GradScaler, model: DistributedDataParallel, step: TrainingStep, epoch: int
) -> Tensor:
    """Compute the gradient of the step's mean loss over all workers' rows; returns the sum of the worker's own losses.

    Each lane is computed at once, so that the same rows have the same dropout on whichever worker. The workers'
    gradients are averaged: each worker's sum counts as many times as there are workers, over the rows of all of them.
    Weights are taken relative to their mean.
    """
    scale = dist.get_world_size() / step.rows * job.train.count / job.train.weight
    shares, total = step.shares or [_empty_share(job)], _zero()
    for share in shares:
        with contextlib.nullcontext() if share is shares[-1] else model.no_sync():
            torch.manual_seed(_derive_seed(job.seed, epoch, step.number, share.lane))
            loss = _loss(job, model, share)
            scaler.scale(loss * scale).backward()  # type: ignore[no-untyped-call]
        total += loss.detach()
    return total


@torch.no_grad()
def _validation_loss(job: TrainingJob, network: Tabular) -> float | None:
    if job.held_out is None:
        return None
    network.eval()
    total = _zero()
    for step in _steps(job, job.held_out, None):
        for share in step.shares:
            total += _loss(job, network, share)
    return _sum_over_workers(total) / job.held_out.weight


def _steps(job: TrainingJob, rows: StreamedRows, shuffle: tuple[int, int] | None) -> Iterator[TrainingStep]:
    device = ray.train.torch.get_device()
    return batches(rows, job.layout, dist.get_rank(), dist.get_world_size(), device, shuffle)


def _loss(job: TrainingJob, network: nn.Module, share: Share) -> Tensor:
    """The sum of the rows' losses, by weight."""
    with torch.autocast("cuda", dtype=torch.float16, enabled=job.options.gpu):
        output = network(share.inputs)
    return (LOSSES[LABELS[job.task]](output.float(), share.label) * share.weight).sum()


def _empty_share(job: TrainingJob) -> Share:
    """A share without rows: a worker without any left still takes part in the sum of gradients."""
    device = ray.train.torch.get_device()
    none = torch.zeros(0, device=device)
    return Share(0, torch.zeros((0, job.inputs), device=device), none, none)


def _zero() -> Tensor:
    return torch.zeros((), dtype=torch.float64, device=ray.train.torch.get_device())


def _sum_over_workers(total: Tensor) -> float:
    dist.all_reduce(total)
    return float(total)


def _derive_seed(*parts: int) -> int:
    return int(np.random.SeedSequence(parts).generate_state(1)[0])


def _report(training: Training) -> None:
    """Report the epoch; the first worker writes a checkpoint, and the others wait for it."""
    metrics = {"epoch": len(training.progress.losses), "loss": training.progress.losses[-1]}
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = None
        if dist.get_rank() == 0:
            save(folder, training)
            checkpoint = Checkpoint.from_directory(folder)
        ray.train.report(metrics, checkpoint=checkpoint)
