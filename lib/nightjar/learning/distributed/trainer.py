"""One network trained by several workers of Ray Train, on a pinned table that need not fit into memory."""

import hashlib
import json
import logging
import math
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import ray
import ray.train
from ray.train import CheckpointConfig, FailureConfig, RunConfig, ScalingConfig, TrainingFailedError
from ray.train.torch import TorchTrainer

from nightjar.errors import LearningError, NightjarError
from nightjar.learning.distributed.batches import LaneLayout, StreamedRows
from nightjar.learning.distributed.census import Census, CountedSource, check_learnable
from nightjar.learning.distributed.checkpoint import Progress
from nightjar.learning.distributed.group import OwnGroup
from nightjar.learning.distributed.lanes import cut_pieces
from nightjar.learning.distributed.source import Source
from nightjar.learning.distributed.streaming import Stream, prepare, put_stream
from nightjar.learning.distributed.worker import TrainingJob, train_worker
from nightjar.learning.fitting.software import software
from nightjar.models.network.options import Options
from nightjar.models.network.perceptron import Perceptron
from nightjar.models.predictor import FittedPreparation
from nightjar.settings.distributed import Distributed
from nightjar.settings.task import Task

log = logging.getLogger("nightjar.train")
NO_LEVELS: Mapping[int, int] = MappingProxyType({})
PROBE = 256  # rows on which a preparation is tried before workers start, and by which it is identified


@dataclass(frozen=True)
class TrainingResult:
    """A trained network and its losses.

    Attributes:
        network: the same as of a fit in one process.
        losses: the mean loss of the training rows in each epoch; a regression's in units of the labels' variance.
        held_out: the mean loss of the rows held out after each epoch; empty if none were.
        best: the epoch, from 0, whose weights were kept.
    """

    network: Perceptron
    losses: tuple[float, ...]
    held_out: tuple[float, ...]
    best: int


def train(
    rows: CountedSource,
    preparation: FittedPreparation,
    options: Options,
    settings: Distributed,
    *,
    seed: int,
    storage: str,
    levels: Mapping[int, int] = NO_LEVELS,
    held_out: CountedSource | None = None,
) -> TrainingResult:
    """Train a network; Ray must have been started.

    The same rows, preparation, options, lanes, pieces and seed give the same network, up to rounding, whatever the
    number of workers. A training that was killed goes on from its last epoch when it is started again.

    Args:
        rows: to learn from.
        preparation: fitted beforehand, on a sample of them for instance.
        options: the network's; `batch_size` is that of all workers together.
        settings: of the workers.
        seed: of every random choice.
        storage: folder or prefix that every node can reach; checkpoints are kept there.
        levels: input -> how many codes it has with -1, as in `fit_network`, for the inputs that are embedded.
        held_out: rows that are not learned from: training stops once `patience` epochs have brought no lower loss on
            them, and the best epoch is kept. None: all epochs are run, and the last one is kept.

    Raises:
        LearningError: rows, labels or settings that cannot be used, too few processors, no data for a while, a loss
            that is never finite, or more failures (a lost worker, say) than `restarts`.
        TableError: a data file is gone.
    """
    layout = _lane_layout(options, settings)
    _check_room(options, settings)
    check_learnable(rows)
    scale, factors = _scale(rows), _class_weight(options, rows.census)
    counted = {"train": rows} if held_out is None else {"train": rows, "held_out": held_out}
    streams = {name: Stream(part.source, preparation, scale, factors) for name, part in counted.items()}
    probe = _probe(streams["train"], rows.census)
    rows_of = {name: _rows(stream, counted[name].census, settings) for name, stream in streams.items()}
    train_rows, held_out_rows = rows_of["train"], rows_of.get("held_out")
    task, sizes = rows.source.task, (probe.shape[1], max(1, len(rows.source.classes)))
    job = TrainingJob(task, options, settings, seed, *sizes, levels, scale, layout, train_rows, held_out_rows)
    return _run_to_end(job, _run_name(job, streams, probe), storage)


def _scale(rows: CountedSource) -> tuple[float, float]:
    if rows.source.task is not Task.REGRESSION:
        return 0.0, 1.0
    return rows.census.mean, math.sqrt(rows.census.variance) or 1.0


def _class_weight(options: Options, counted: Census) -> tuple[float, ...]:
    """The factor of each class: balanced, all with rows weigh the same in sum, apart from the rows' own weights."""
    of_classes = counted.class_rows
    if not options.class_weight:
        return (1.0,) * len(of_classes)
    present = sum(rows > 0 for rows in of_classes)
    return tuple(counted.rows / (present * max(1, rows)) for rows in of_classes)


def _rows(stream: Stream, counted: Census, settings: Distributed) -> StreamedRows:
    of_classes = zip(stream.class_weight, counted.class_weights, strict=True)
    weight = sum(factor * sums for factor, sums in of_classes) if stream.class_weight else counted.weight
    return StreamedRows(put_stream(stream, settings.starved_after), counted.groups, weight)


def _lane_layout(options: Options, settings: Distributed) -> LaneLayout:
    if options.batch_size % settings.lanes:
        raise LearningError(
            f"batch_size {options.batch_size} cannot be shared by {settings.lanes} lanes: give a multiple of them."
        )
    step = options.batch_size // settings.lanes
    return LaneLayout(settings.lanes, step, max(1, settings.piece_rows // step) * step)


def _check_room(options: Options, settings: Distributed) -> None:
    available, required = ray.cluster_resources(), settings.workers * settings.worker_cpus
    if available.get("CPU", 0) < required + 1:
        raise LearningError(
            f"{settings.workers} workers with {settings.worker_cpus:g} processors each leave none of Ray's "
            f"{available.get('CPU', 0):g} to read their data: at least one is needed. Lower workers or worker_cpus."
        )
    if options.gpu and available.get("GPU", 0) < settings.workers:
        raise LearningError(
            f"{settings.workers} workers need a GPU each, Ray has {available.get('GPU', 0):g}. Lower workers, or "
            "drop gpu."
        )


def _probe(stream: Stream, counted: Census) -> "np.ndarray[Any, np.dtype[np.float32]]":
    """The first rows, prepared: rows that cannot be prepared raise before workers start."""
    first = cut_pieces(counted.groups, 1, PROBE)[0][0]
    inputs = prepare(stream, first, None)["inputs"]
    if inputs.ndim != 2 or len(inputs) != first.rows or not inputs.shape[1]:
        raise LearningError(f"The preparation gives {inputs.shape} for {first.rows} rows: expected (rows, inputs).")
    return inputs


def _run_name(job: TrainingJob, streams: dict[str, Stream], probe: "np.ndarray[Any, np.dtype[np.float32]]") -> str:
    """The run's name: a hash of all that decides the network, so that only the same training is continued."""
    identity = {
        "software": software(),
        "options": asdict(job.options),
        "cut": asdict(job.layout),
        "seed": job.seed,
        "levels": sorted(job.levels.items()),
        "probe": hashlib.sha256(np.ascontiguousarray(probe).tobytes()).hexdigest(),
        "sources": {name: _source_identity(stream.source) for name, stream in streams.items()},
    }
    return f"network-{hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:24]}"


def _source_identity(source: Source) -> list[Any]:
    snapshot = source.snapshot
    columns = [[column.name, column.type] for column in source.features]
    files = [file.path for file in snapshot.files]
    label = [source.label, source.weight, source.task.value, *source.classes]
    return [snapshot.folder, snapshot.version, files, columns, *label]


def _run_to_end(job: TrainingJob, name: str, storage: str) -> TrainingResult:
    for failures in range(job.settings.restarts + 1):
        try:
            with _own_interrupt():
                return _result(_trainer(job, name, storage).fit().return_value)
        except TrainingFailedError as error:
            _raise_stated(error)
            if failures == job.settings.restarts:
                raise LearningError(
                    f"The training failed {failures + 1} times (restarts: {failures}), at last with: {error}\n"
                    "Asked for again, it goes on from its last checkpoint."
                ) from error
            log.warning("The training failed and goes on from its last checkpoint: %s", error)
    raise AssertionError("restarts is 0 or more")


@contextmanager
def _own_interrupt() -> Iterator[None]:
    """Restore the handler of Ctrl+C: Ray Train leaves its own, which ends the process as if it had succeeded."""
    handler = signal.getsignal(signal.SIGINT)
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, handler)


def _trainer(job: TrainingJob, name: str, storage: str) -> TorchTrainer:
    settings = job.settings
    each = {"CPU": settings.worker_cpus, **({"GPU": 1} if job.options.gpu else {})}
    return TorchTrainer(
        train_worker,
        train_loop_config={"job": job},
        torch_config=OwnGroup(),
        scaling_config=ScalingConfig(num_workers=settings.workers, use_gpu=job.options.gpu, resources_per_worker=each),
        run_config=RunConfig(
            name=name,
            storage_path=storage,
            checkpoint_config=CheckpointConfig(num_to_keep=1),
            # Ray would retry errors in the data, too: `_run_to_end` decides which errors are retried.
            failure_config=FailureConfig(max_failures=0),
        ),
    )


def _raise_stated(error: TrainingFailedError) -> None:
    for failure in getattr(error, "worker_failures", {}).values():
        if isinstance(failure, NightjarError):
            raise failure


def _result(value: Any) -> TrainingResult:
    progress: Progress = value["progress"]
    return TrainingResult(value["network"], progress.losses, progress.held_out, progress.best)
