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
from nightjar.learning.distributed.batches import Cut, Rows
from nightjar.learning.distributed.checkpoint import Progress
from nightjar.learning.distributed.group import OwnGroup
from nightjar.learning.distributed.lanes import cut
from nightjar.learning.distributed.source import Census, Counted, Source, check_learnable
from nightjar.learning.distributed.streaming import Stream, prepared, sent
from nightjar.learning.distributed.worker import Job, work
from nightjar.learning.software import software
from nightjar.models.network_options import Options
from nightjar.models.perceptron import Perceptron
from nightjar.models.predictor import Preparation
from nightjar.settings.distributed import Distributed
from nightjar.settings.task import Task

log = logging.getLogger("nightjar.train")
NO_LEVELS: Mapping[int, int] = MappingProxyType({})
PROBE = 256  # rows by which a preparation is tried before anything starts, and known again


@dataclass(frozen=True)
class Trained:
    """A network, and how it came about.

    Attributes:
        network: as a fit in one process gives it.
        losses: the mean loss of the training rows in each epoch; a regression's in units of the labels' variance.
        held_out: the mean loss of the rows held out after each epoch; empty if none were.
        best: the epoch, from 0, whose weights were kept.
    """

    network: Perceptron
    losses: tuple[float, ...]
    held_out: tuple[float, ...]
    best: int


def train(
    rows: Counted,
    preparation: Preparation,
    options: Options,
    settings: Distributed,
    *,
    seed: int,
    storage: str,
    levels: Mapping[int, int] = NO_LEVELS,
    held_out: Counted | None = None,
) -> Trained:
    """Train a network; Ray must have been started.

    The same rows, preparation, options, lanes, pieces and seed give the same network, up to rounding, whatever the
    number of workers. A training that was killed goes on from its last epoch when it is asked for again.

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
    cut_up = _cut(options, settings)
    _check_room(options, settings)
    check_learnable(rows)
    scale, factors = _scale(rows), _class_weight(options, rows.census)
    used = {"train": rows} if held_out is None else {"train": rows, "held_out": held_out}
    streams = {name: Stream(one.source, preparation, scale, factors) for name, one in used.items()}
    probe = _probe(streams["train"], rows.census)
    rows_of = {name: _rows(stream, used[name].census, settings) for name, stream in streams.items()}
    learned, judged = rows_of["train"], rows_of.get("held_out")
    job = Job(rows.source.task, options, settings, seed, probe.shape[1], levels, scale, cut_up, learned, judged)
    return _trained(job, _name(job, streams, probe), storage)


def _scale(rows: Counted) -> tuple[float, float]:
    if rows.source.task is not Task.REGRESSION:
        return 0.0, 1.0
    return rows.census.mean, math.sqrt(rows.census.variance) or 1.0


def _class_weight(options: Options, counted: Census) -> tuple[float, float]:
    """Balanced: both classes weigh the same in sum, the rows' own weights aside."""
    return (0.5 / (1 - counted.mean), 0.5 / counted.mean) if options.class_weight else (1.0, 1.0)


def _rows(stream: Stream, counted: Census, settings: Distributed) -> Rows:
    of_false, of_true = stream.class_weight
    weight = of_false * (counted.weight - counted.weight_true) + of_true * counted.weight_true
    return Rows(sent(stream, settings.starved_after), counted.groups, weight)


def _cut(options: Options, settings: Distributed) -> Cut:
    if options.batch_size % settings.lanes:
        raise LearningError(
            f"batch_size {options.batch_size} cannot be shared by {settings.lanes} lanes: give a multiple of them."
        )
    step = options.batch_size // settings.lanes
    return Cut(settings.lanes, step, max(1, settings.piece_rows // step) * step)


def _check_room(options: Options, settings: Distributed) -> None:
    has, wanted = ray.cluster_resources(), settings.workers * settings.worker_cpus
    if has.get("CPU", 0) < wanted + 1:
        raise LearningError(
            f"{settings.workers} workers with {settings.worker_cpus:g} processors each leave none of Ray's "
            f"{has.get('CPU', 0):g} to read their data: at least one is needed. Lower workers or worker_cpus."
        )
    if options.gpu and has.get("GPU", 0) < settings.workers:
        raise LearningError(
            f"{settings.workers} workers need a GPU each, Ray has {has.get('GPU', 0):g}. Lower workers, or drop gpu."
        )


def _probe(stream: Stream, counted: Census) -> "np.ndarray[Any, np.dtype[np.float32]]":
    """The first rows as the network would take them: what cannot be prepared is told before workers start."""
    first = cut(counted.groups, 1, PROBE)[0][0]
    inputs = prepared(stream, first, None)["inputs"]
    if inputs.ndim != 2 or len(inputs) != first.rows or not inputs.shape[1]:
        raise LearningError(f"The preparation gives {inputs.shape} for {first.rows} rows: expected (rows, inputs).")
    return inputs


def _name(job: Job, streams: dict[str, Stream], probe: "np.ndarray[Any, np.dtype[np.float32]]") -> str:
    """The run's name: the same for what would give the same network, so that only such a run is continued."""
    told = {
        "software": software(),
        "options": asdict(job.options),
        "cut": asdict(job.cut),
        "seed": job.seed,
        "levels": sorted(job.levels.items()),
        "probe": hashlib.sha256(np.ascontiguousarray(probe).tobytes()).hexdigest(),
        "sources": {name: _told(stream.source) for name, stream in streams.items()},
    }
    return f"network-{hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:24]}"


def _told(source: Source) -> list[Any]:
    snapshot = source.snapshot
    columns = [[column.name, column.type] for column in source.features]
    files = [file.path for file in snapshot.files]
    return [snapshot.folder, snapshot.version, files, columns, source.label, source.weight, source.task.value]


def _trained(job: Job, name: str, storage: str) -> Trained:
    for lost in range(job.settings.restarts + 1):
        try:
            with _own_interrupt():
                return _outcome(_trainer(job, name, storage).fit().return_value)
        except TrainingFailedError as error:
            _raise_stated(error)
            if lost == job.settings.restarts:
                raise LearningError(
                    f"The training failed {lost + 1} times (restarts: {lost}), at last with: {error}\n"
                    "Asked for again, it goes on from its last checkpoint."
                ) from error
            log.warning("The training failed and goes on from its last checkpoint: %s", error)
    raise AssertionError("restarts is 0 or more")


@contextmanager
def _own_interrupt() -> Iterator[None]:
    """Ray Train leaves its handler of Ctrl+C behind, which ends the process as if all were well."""
    handler = signal.getsignal(signal.SIGINT)
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, handler)


def _trainer(job: Job, name: str, storage: str) -> TorchTrainer:
    settings = job.settings
    each = {"CPU": settings.worker_cpus, **({"GPU": 1} if job.options.gpu else {})}
    return TorchTrainer(
        work,
        train_loop_config={"job": job},
        torch_config=OwnGroup(),
        scaling_config=ScalingConfig(num_workers=settings.workers, use_gpu=job.options.gpu, resources_per_worker=each),
        run_config=RunConfig(
            name=name,
            storage_path=storage,
            checkpoint_config=CheckpointConfig(num_to_keep=1),
            # Ray would also try again what is wrong with the data: which error is worth it is decided here.
            failure_config=FailureConfig(max_failures=0),
        ),
    )


def _raise_stated(error: TrainingFailedError) -> None:
    for failure in getattr(error, "worker_failures", {}).values():
        if isinstance(failure, NightjarError):
            raise failure


def _outcome(found: Any) -> Trained:
    progress: Progress = found["progress"]
    return Trained(found["network"], progress.losses, progress.held_out, progress.best)
