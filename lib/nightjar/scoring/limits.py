"""Which rows of a night hold numbers that no model computes with."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from nightjar.models.columns import FeatureColumn, to_frame
from nightjar.models.shapes import LARGEST

SHOWN = 3
"""Rows of a column that are named."""


def too_great(rows: pa.Table, features: Sequence[FeatureColumn], key: Sequence[str]) -> str:
    """A sentence for each feature with numbers beyond `LARGEST` or infinite ones: in how many rows, which, and where.

    Empty where there are none.
    """
    told = []
    for feature in features:
        if feature.type != "number":
            continue
        values = to_frame(rows, [feature])[feature.name].to_numpy()
        beyond = np.flatnonzero(np.abs(values) > LARGEST)
        if len(beyond):
            named = rows.take(beyond[:SHOWN]).select(list(key)).to_pylist()
            shown = "; ".join(f"{values[at]:g} at {_key(one)}" for at, one in zip(beyond, named, strict=False))
            more = " and others" if len(beyond) > SHOWN else ""
            told.append(f"{feature.name} is too great in {len(beyond):,} of {len(rows):,} rows: {shown}{more}. ")
    return "".join(told)


def _key(named: dict[str, object]) -> str:
    return ", ".join(f"{name}={value}" for name, value in named.items())
