"""Fit a network on a pinned table, as `models.estimators.fit` does on rows in memory."""

import dataclasses
from collections.abc import Mapping

from nightjar.errors import LearningError
from nightjar.learning.distributed.census import CountedSource
from nightjar.learning.distributed.label_values import label_values
from nightjar.learning.distributed.source import Source
from nightjar.learning.distributed.streaming import count, sample
from nightjar.learning.distributed.trainer import train
from nightjar.models.columns import to_frame
from nightjar.models.network.inputs import levels_of, network_preparation
from nightjar.models.network.options import Options
from nightjar.models.predictor import FittedPreparation, Predictor
from nightjar.models.preprocessing.column_rules import columns_to_embed
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
        held_out: rows whose loss decides which epoch is kept, of several classes of no other than those to learn from;
            None: the last epoch.

    Raises:
        LearningError: another estimator, something that can only be fitted on rows in memory, or as `train` raises.
        TableError: a data file is gone.
    """
    _check(model)
    options = Options(**model.parameters)
    features = tuple(column for column in source.features if column.name not in model.drop)
    rows = _without_unseen(count(dataclasses.replace(source, features=features), settings.starved_after))
    held_out_rows = None
    if held_out is not None:
        held_out = dataclasses.replace(held_out, features=features, classes=rows.source.classes)
        held_out_rows = count(held_out, settings.starved_after)
    preparation, levels = _fit_preparation(model, options, rows, settings.sample_rows, seed)
    training = train(
        rows, preparation, options, settings, seed=seed, storage=storage, levels=levels, held_out=held_out_rows
    )
    seen = tuple(source.classes.index(one) for one in rows.source.classes)
    return Predictor(features, preparation, training.network, classes=source.classes, seen=seen)


def _without_unseen(rows: CountedSource) -> CountedSource:
    """The same without the classes that no row has: the network gets the classes that there are."""
    if not rows.source.classes:
        return rows
    seen = [number for number, count in enumerate(rows.census.class_rows) if count]
    source = dataclasses.replace(rows.source, classes=tuple(rows.source.classes[one] for one in seen))
    census = dataclasses.replace(
        rows.census,
        class_rows=tuple(rows.census.class_rows[one] for one in seen),
        class_weights=tuple(rows.census.class_weights[one] for one in seen),
    )
    return CountedSource(source, census)


def _check(model: Model) -> None:
    reasons = {
        f"estimator {model.estimator.word}: only network can be": model.estimator is not Estimator.NETWORK,
        "calibration and target encoding need out-of-fold predictions": not model.members and model.inner_depth({}) > 0,
        "self_training needs rows without a label in memory": model.self_training.floor is not None,
        f"imbalance {model.imbalance.kind.word}: give the parameter class_weight=balanced instead": (
            model.imbalance.kind is not ImbalanceKind.NONE
        ),
    }
    violations = [reason for reason, applies in reasons.items() if applies]
    if violations:
        raise LearningError(f"This model cannot be trained by several workers: {'; '.join(violations)}.")


def _fit_preparation(
    model: Model, options: Options, rows: CountedSource, sample_rows: int, seed: int
) -> tuple[FittedPreparation, Mapping[int, int]]:
    """Fit the preparation on a sample; returns it with the number of codes of each embedded input."""
    features, task, settings = rows.source.features, rows.source.task, model.preparation
    names = columns_to_embed(features, settings) if options.embedding else []
    preparation = network_preparation(features, settings, names, task=task, seed=seed)
    sampled = sample(rows, sample_rows, seed)
    inputs = preparation.fit_transform(to_frame(sampled, features), label_values(rows.source, sampled))
    return preparation, levels_of(inputs, len(names))
