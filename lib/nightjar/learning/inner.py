"""Splits within training rows, made only for models that learn from out-of-fold predictions."""

from collections.abc import Iterable, Sequence

from nightjar.learning.rows import TrainingRows
from nightjar.learning.splits import inner_splits
from nightjar.models.examples import Rows
from nightjar.settings.learning import Search
from nightjar.settings.model import Model


def inner_of(
    rows: TrainingRows, train: Rows, models: Iterable[Model], settings: Search, zone: str
) -> Sequence[tuple[Rows, Rows]]:
    """See `inner_splits`; none if no model needs them.

    Raises:
        LearningError: the training rows cannot fill the splits.
    """
    needed = any(model.needs_inner_splits() for model in models)
    return inner_splits(rows, train, settings.split, zone, settings.seed) if needed else ()
