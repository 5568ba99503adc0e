"""Rows that never were, between rows of the rarer class and their neighbours of that class.

Neighbours are near as the estimator's inputs are, and the rows are made of what was there before the preparation. So
none has a value that cannot exist: half a level of a one-hot code, 2.4 failures, the mark of a null beside a number.
Sources: Chawla et al. (2002), SMOTE, Journal of Artificial Intelligence Research 16, 321-357, whose section 6.1 takes
levels from neighbours as well; He et al. (2008), ADASYN, IEEE International Joint Conference on Neural Networks.
"""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.neighbors import NearestNeighbors

from nightjar.errors import LearningError
from nightjar.models.examples import Rows
from nightjar.settings.preparation import ImbalanceKind

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Pairs:
    """Where rows are made.

    Attributes:
        base, neighbour: numbers of the training rows that each one lies between.
        part: of the way from the first to the second, 0 to 1.
    """

    base: Rows
    neighbour: Rows
    part: Floats


def pairs(
    inputs: Floats, label: Labels, kind: ImbalanceKind, *, rarer: bool, count: int, neighbours: int, seed: int
) -> Pairs:
    """Rows of the rarer class drawn at random (ADASYN: more where the other class is near), each with a neighbour.

    Args:
        inputs: of the estimator, without nulls, (rows, columns).
        label: of each row.
        kind: SMOTE or ADASYN.
        rarer: the class, of at least two rows.
        count: of rows to be made; ADASYN rounds at each row.
        neighbours: to draw one of; fewer where the class has no more rows.
        seed: of every random choice.

    Raises:
        LearningError: ADASYN finds no row of the other class near the rarer one.
    """
    own = np.flatnonzero(label == rarer)
    random, least = np.random.default_rng(seed), min(neighbours, len(own) - 1)
    near = NearestNeighbors(n_neighbors=least).fit(inputs[own]).kneighbors(return_distance=False)
    if kind is ImbalanceKind.ADASYN:
        around = NearestNeighbors(n_neighbors=least + 1).fit(inputs).kneighbors(inputs[own], return_distance=False)
        base = np.repeat(np.arange(len(own)), _times(label[around[:, 1:]] != rarer, count))
    else:
        base = random.integers(len(own), size=count)
    chosen = near[base, random.integers(least, size=len(base))]
    return Pairs(own[base], own[chosen], random.random(len(base)))


def between(frame: pd.DataFrame, where: Pairs, levels: Collection[str] = ()) -> pd.DataFrame:
    """The rows: measured numbers lie between, all else is that of the nearer of the two.

    Measured are numbers of a column that holds any that is not whole, if both rows have one.

    Args:
        frame: the training rows, as they are before the preparation.
        where: between which of them.
        levels: columns of numbers that are taken for categories.
    """
    made = frame.iloc[np.where(where.part < 0.5, where.base, where.neighbour)].reset_index(drop=True)
    for name in _measured(frame.drop(columns=list(levels))):
        made[name] = _between(frame[name].to_numpy(), where, made[name].to_numpy())
    return made


def _times(other: Labels, count: int) -> Rows:
    """How many rows are made at each row, by how many of its neighbours are of the other class."""
    shares = other.mean(axis=1)
    times: Rows = np.rint(count * shares / max(shares.sum(), 1e-300)).astype(np.intp)
    if not times.any():
        raise LearningError(
            f"ADASYN can make no row between {len(other)} of the rarer class and those of the other: too few of the "
            "other are near. Use SMOTE or OVER."
        )
    return times


def _measured(frame: pd.DataFrame) -> list[str]:
    numbers = frame.select_dtypes("number")
    known = numbers.fillna(0.0)
    return list(numbers.columns[(known != np.floor(known)).any().to_numpy()])


def _between(values: Floats, where: Pairs, nearer: Floats) -> Floats:
    first, second = values[where.base], values[where.neighbour]
    made = np.clip((1 - where.part) * first + where.part * second, np.minimum(first, second), np.maximum(first, second))
    return np.where(np.isnan(made), nearer, made)
