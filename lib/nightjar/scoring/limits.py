"""Finds rows of a night with numbers that are too great for any model."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from nightjar.masking.values import in_words
from nightjar.models.columns import LARGEST, FeatureColumn, to_frame

SHOWN = 3
"""How many rows are named per column."""


def describe_extremes(rows: pa.Table, features: Sequence[FeatureColumn], key: Sequence[str]) -> str:
    """A sentence for each feature with infinite numbers or some beyond `LARGEST`: how many rows, their values and keys.

    Empty if there are none.
    """
    sentences = []
    for feature in features:
        if feature.type != "number":
            continue
        values = to_frame(rows, [feature])[feature.name].to_numpy()
        beyond = np.flatnonzero(np.abs(values) > LARGEST)
        if len(beyond):
            keys = rows.take(beyond[:SHOWN]).select(list(key)).to_pylist()
            pairs = zip(beyond, keys, strict=False)
            shown = "; ".join(f"{feature.name}={values[at]:g} at {in_words(row_key)}" for at, row_key in pairs)
            more = " and others" if len(beyond) > SHOWN else ""
            sentences.append(f"{feature.name} is too great in {len(beyond):,} of {len(rows):,} rows: {shown}{more}. ")
    return "".join(sentences)
