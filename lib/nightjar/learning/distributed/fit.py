"""A network's settings and a pinned table in, a predictor out: what `models.estimators.fit` is for rows in memory."""

import dataclasses
from collections.abc import Mapping

from nightjar.errors import LearningError
from nightjar.learning.distributed.source import Counted, Source, label_values
from nightjar.learning.distributed.streaming import count, sample
from nightjar.learning.distributed.trainer import train
from nightjar.models.columns import to_frame
from nightjar.models.network_inputs import columns_to_embed, levels_of, network_preparation
from nightjar.models.network_options import Options
from nightjar.models.predictor import Predictor, Preparation
from nightjar.settings.distributed import Distributed
from nightjar.settings.model import Estimator, Model
from nightjar.settings.preparation import ImbalanceKind


def fit(
    model: Model, source: Source, settings: Distributed, *, seed: int, storage: str, held_out: Source | None = None
) -> Predictor:
    """Fit a network on a table that need not fit into memory; Ray must have been started.

    Its preparation is fitted on a sample of the rows, then used on each of them.

    Args:
        model: a network with all its parameters. Its `drop` features are not used.
        source: the rows to learn from.
        settings: of the workers.
        seed: of every random choice.
        storage: folder or prefix that every node can reach; checkpoints are kept there.
        held_out: rows that decide which epoch is kept; None: the last one is.

    Raises:
        LearningError: another estimator, something that can only be fitted on rows in memory, or what `train` says.
        TableError: a data file is gone.
    """
    _check(model)
    options = Options(**model.parameters)
    features = tuple(column for column in source.features if column.name not in model.drop)
    rows = count(dataclasses.replace(source, features=features), settings.starved_after)
    judged = None
    if held_out is not None:
        judged = count(dataclasses.replace(held_out, features=features), settings.starved_after)
    prepared, levels = _prepared(model, options, rows, settings.sample_rows, seed)
    trained = train(rows, prepared, options, settings, seed=seed, storage=storage, levels=levels, held_out=judged)
    return Predictor(features, prepared, trained.network)


def _check(model: Model) -> None:
    refused = {
        f"estimator {model.estimator.name}: only NETWORK can be": model.estimator is not Estimator.NETWORK,
        "calibration and target encoding need out-of-fold predictions": not model.members and model.inner_depth({}) > 0,
        "self_training needs rows without a label in memory": model.self_training.floor is not None,
        f"imbalance {model.imbalance.kind.name}: give the parameter class_weight=balanced instead": (
            model.imbalance.kind is not ImbalanceKind.NONE
        ),
    }
    wrong = [reason for reason, holds in refused.items() if holds]
    if wrong:
        raise LearningError(f"This model cannot be trained by several workers: {'; '.join(wrong)}.")


def _prepared(
    model: Model, options: Options, rows: Counted, sample_rows: int, seed: int
) -> tuple[Preparation, Mapping[int, int]]:
    """Fitted on a sample, with the codes of the inputs that are embedded."""
    features, task, settings = rows.source.features, rows.source.task, model.preparation
    names = columns_to_embed(features, settings) if options.embedding else []
    unfitted = network_preparation(features, settings, names, task=task, seed=seed)
    seen = sample(rows, sample_rows, seed)
    inputs = unfitted.fit_transform(to_frame(seen, features), label_values(rows.source, seen))
    return unfitted, levels_of(inputs, len(names))
