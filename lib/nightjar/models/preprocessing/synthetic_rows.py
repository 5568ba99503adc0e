"""Synthetic rows between rows of the rarer class and their neighbours of that class.

Neighbours are those in the estimator's inputs, but rows are interpolated in the raw features, before the preparation.
So no row has an impossible value: half a level of a one-hot code, 2.4 failures, a null indicator beside a number.
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
from nightjar.evaluation.rows import RowNumbers
from nightjar.settings.preparation import ImbalanceKind

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.bool_] | npt.NDArray[np.int64]


@dataclass(frozen=True)
class Pairs:
    """The pairs of training rows between which synthetic rows are made.

    Attributes:
        base, neighbour: numbers of the training rows of each pair.
        part: of the way from the first to the second, 0 to 1.
    """

    base: RowNumbers
    neighbour: RowNumbers
    part: Floats


def draw_pairs(
    inputs: Floats, label: Labels, kind: ImbalanceKind, *, rarer: int, count: int, neighbours: int, seed: int
) -> Pairs:
    """Rows of the rarer class drawn at random (ADASYN: more where other classes are near), each with a neighbour.

    Args:
        inputs: of the estimator, without nulls, (rows, columns).
        label: of each row.
        kind: SMOTE or ADASYN.
        rarer: the class, of at least two rows.
        count: of synthetic rows.
        neighbours: the number of neighbours to draw from; fewer where the class has no more rows. For ADASYN also the
            number of neighbours of either class by which a row is near the other class.
        seed: of every random choice.

    Raises:
        LearningError: ADASYN finds no row of the other class among the neighbours of any row of the rarer one.
    """
    own = np.flatnonzero(label == rarer)
    random, most = np.random.default_rng(seed), min(neighbours, len(own) - 1)
    near = NearestNeighbors(n_neighbors=most).fit(inputs[own]).kneighbors(return_distance=False)
    if kind is ImbalanceKind.ADASYN:
        around = NearestNeighbors(n_neighbors=min(neighbours + 1, len(inputs)))
        around = around.fit(inputs).kneighbors(inputs[own], return_distance=False)
        base = np.repeat(np.arange(len(own)), _rows_to_make(label[around[:, 1:]] != rarer, count))
    else:
        base = random.integers(len(own), size=count)
    partners = near[base, random.integers(most, size=len(base))]
    return Pairs(own[base], own[partners], random.random(len(base)))


def interpolate(frame: pd.DataFrame, pairs: Pairs, levels: Collection[str] = ()) -> pd.DataFrame:
    """The synthetic rows: measurements are interpolated, all other values are those of the nearer row.

    Measurements are the numbers of columns that hold any number that is not whole, where both rows have one.

    Args:
        frame: the training rows, as they are before the preparation.
        pairs: between which of them.
        levels: columns of numbers that are taken for categories.
    """
    synthetic = frame.iloc[np.where(pairs.part < 0.5, pairs.base, pairs.neighbour)].reset_index(drop=True)
    for name in _columns_of_measurements(frame.drop(columns=list(levels))):
        synthetic[name] = _interpolate_column(frame[name].to_numpy(), pairs, synthetic[name].to_numpy())
    return synthetic


def _rows_to_make(other: npt.NDArray[np.bool_], count: int) -> RowNumbers:
    """The number of synthetic rows at each row, by the share of its neighbours in the other class; `count` in all.

    The sums up to each row are rounded, so that few rows to be made at many are not rounded to none.
    """
    cumulative = np.cumsum(other.mean(axis=1))
    if not cumulative[-1]:
        raise LearningError(
            f"adasyn makes rows where the other class is near, and it is near none of the {len(other):,} rows of the "
            f"rarer class: all of their {other.shape[1]} nearest neighbours are of their own. Raise "
            "imbalance.neighbours, or use smote or over."
        )
    times: RowNumbers = np.diff(np.rint(count * cumulative / cumulative[-1]), prepend=0).astype(np.intp)
    return times


def _columns_of_measurements(frame: pd.DataFrame) -> list[str]:
    numbers = frame.select_dtypes("number")
    filled = numbers.fillna(0.0)
    return list(numbers.columns[(filled != np.floor(filled)).any().to_numpy()])


def _interpolate_column(values: Floats, pairs: Pairs, nearer: Floats) -> Floats:
    first, second = values[pairs.base], values[pairs.neighbour]
    mix = np.clip((1 - pairs.part) * first + pairs.part * second, np.minimum(first, second), np.maximum(first, second))
    return np.where(np.isnan(mix), nearer, mix)
