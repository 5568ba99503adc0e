"""The options of a network and its training, checked without torch."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from nightjar.errors import LearningError


@dataclass(frozen=True)
class Options:
    """The options of a network and its training.

    Attributes:
        hidden: the width of each hidden layer.
        embedding: the embedding's width for each category feature; 0: one-hot columns instead.
        dropout: share of each hidden layer's outputs dropped in training, in [0, 1).
        learning_rate: of AdamW.
        weight_decay: of AdamW.
        batch_size: rows in a step.
        epochs: passes over the rows at most.
        patience: epochs without a lower loss on the newest tenth before training stops.
        class_weight: "balanced" gives both classes the same total weight; None: rows have their own weights.
        gpu: whether to train on a GPU (each of several workers on its own), with products in half precision, so that
            results differ slightly from a processor's. With narrow layers and small batches it is hardly faster than
            one processor.

    Raises:
        LearningError: a value out of its range.
    """

    hidden: Sequence[int] = (64, 32)
    embedding: int = 8
    dropout: float = 0.2
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    batch_size: int = 2048
    epochs: int = 20
    patience: int = 3
    class_weight: str | None = None
    gpu: bool = False

    def __post_init__(self) -> None:
        layers = isinstance(self.hidden, Sequence) and all(_whole(width, 1) for width in self.hidden)
        counts = all(_whole(number, 1) for number in (self.batch_size, self.epochs, self.patience))
        fits = {
            "hidden, batch_size, epochs and patience: whole numbers from 1": layers and counts,
            "embedding: a whole number from 0": _whole(self.embedding, 0),
            "dropout: at least 0, below 1": _number(self.dropout) and 0 <= self.dropout < 1,
            "learning_rate: above 0": _number(self.learning_rate) and self.learning_rate > 0,
            "weight_decay: 0 or more": _number(self.weight_decay) and self.weight_decay >= 0,
            "class_weight: balanced, or none": self.class_weight in (None, "balanced"),
            "gpu: true or false": isinstance(self.gpu, bool),
        }
        wrong = [expected for expected, holds in fits.items() if not holds]
        if wrong:
            raise LearningError(f"A network with {self} cannot be trained. Expected {'; '.join(wrong)}.")


def _whole(value: object, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
