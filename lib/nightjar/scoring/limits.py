"""Finds rows of a night with numbers that are too great for any model."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from nightjar.masking.values import in_words
from nightjar.models.columns import LARGEST, FeatureColumn, to_frame

SHOWN = 3
"""How many rows are named per column."""


@dataclass
class _Extremes:
    """Of one feature: how many rows, and some of their values and keys."""

    count: int = 0
    shown: list[str] = field(default_factory=list)


def describe_extremes(pieces: Iterable[pa.Table], features: Sequence[FeatureColumn], key: Sequence[str]) -> str:
    """A sentence for each feature with infinite numbers or some beyond `LARGEST`: how many rows, their values and keys.

    Empty if there are none. One piece of the rows is in memory at a time.
    """
    rows, extremes = 0, {feature.name: _Extremes() for feature in features if feature.type == "number"}
    for piece in pieces:
        rows += len(piece)
        for feature in features:
            if feature.name in extremes:
                _add(extremes[feature.name], piece, feature, key)
    return "".join(
        f"{name} is too great in {one.count:,} of {rows:,} rows: {'; '.join(one.shown)}"
        f"{' and others' if one.count > SHOWN else ''}. "
        for name, one in extremes.items()
        if one.count
    )


def _add(extremes: _Extremes, piece: pa.Table, feature: FeatureColumn, key: Sequence[str]) -> None:
    values = to_frame(piece, [feature])[feature.name].to_numpy()
    beyond = np.flatnonzero(np.abs(values) > LARGEST)
    extremes.count += len(beyond)
    few = beyond[: SHOWN - len(extremes.shown)]
    keys = piece.take(few).select(list(key)).to_pylist() if len(few) else []
    extremes.shown += [f"{feature.name}={values[at]:g} at {in_words(one)}" for at, one in zip(few, keys, strict=True)]
