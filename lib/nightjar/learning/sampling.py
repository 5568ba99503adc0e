"""The sample of training rows that a model is fitted on, and what each of them stands for."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from nightjar.errors import LearningError
from nightjar.learning.row_order import RowOrder
from nightjar.models.examples import Rows
from nightjar.settings.sampling import LABEL, TrainingSample

FEW = 20
"""So many rows may be kept beyond those that were asked for, as each stratum keeps one, however few there are."""


@dataclass(frozen=True, eq=False)
class Sampled:
    """The rows that are kept, ascending, and how many each of them stands for."""

    rows: Rows
    weight: npt.NDArray[np.float64]


def sampled(
    order: RowOrder, day: npt.NDArray[np.datetime64], strata: "pa.Array[Any] | None", settings: TrainingSample
) -> Sampled:
    """Of each stratum the asked share of its rows, those that come first in a random order.

    A share is rounded to whole rows, at least one. The weights of a stratum add up to its rows: each one kept stands
    for rows there are / rows kept. The newest dates are kept in full, with weight 1.

    Args:
        order: see `row_order`. Rows of one number are kept or left together and count as one: give those of one list,
            for a ranking, the number of their list.
        day: local date of each row.
        strata: the value that each row is stratified by, see `strata_of`; None: all rows are one stratum.
        settings: what to keep.

    Raises:
        LearningError: the arrays are not of one length, or one row of each stratum is far more than was asked for: the
            strata are amounts, say, of which hardly two are the same.
    """
    lengths = [len(order), len(day), len(order) if strata is None else len(strata)]
    if len(set(lengths)) > 1:
        raise LearningError(f"Order, days and strata are of {lengths} rows: each row needs all of them.")
    older = np.flatnonzero(_older(day, settings.newest_days))
    stratum, share = _strata(older, strata, settings)
    place, size = _places(stratum, order[older], len(share))
    kept = np.maximum(1, np.rint(share * size))
    _require_thinned(size, share, kept, settings)
    weight = np.ones(len(order))
    weight[older] = np.where(place < kept[stratum], (size / kept)[stratum], 0)
    found = np.flatnonzero(weight)
    return Sampled(found, weight[found])


def strata_of(label: npt.NDArray[Any], table: pa.Table, settings: TrainingSample) -> "pa.Array[Any] | None":
    """The value that each row is stratified by; None where the rows are one stratum."""
    if settings.stratify is None:
        return None
    return pa.array(label) if settings.stratify == LABEL else table[settings.stratify].combine_chunks()


def _older(day: npt.NDArray[np.datetime64], newest_days: int | None) -> npt.NDArray[np.bool_]:
    if newest_days is None or not len(day):
        return np.ones(len(day), dtype=np.bool_)
    return np.asarray(day <= day.max() - np.timedelta64(newest_days, "D"))


def _strata(
    rows: Rows, strata: "pa.Array[Any] | None", settings: TrainingSample
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """The stratum of each of the rows, numbered, and the share of each stratum to keep; there is none without a row."""
    if strata is None:
        return np.zeros(len(rows), dtype=np.int64), np.array([settings.fraction] if len(rows) else [])
    encoded: Any = pc.dictionary_encode(strata.take(rows), null_encoding="encode")
    names = encoded.dictionary.cast(pa.string()).to_pylist()
    shares = [settings.fractions.get(name, settings.fraction) for name in names]
    return encoded.indices.to_numpy().astype(np.int64), np.array(shares, dtype=np.float64)


def _places(
    stratum: npt.NDArray[np.int64], order: RowOrder, strata: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The place of each row within its stratum, from 0, and how many places each stratum has.

    Rows of one number share a place.
    """
    by = np.lexsort([order, stratum])
    of_stratum, number = stratum[by], order[by]
    begins = np.append(True, (of_stratum[1:] != of_stratum[:-1]) | (number[1:] != number[:-1]))[: len(by)]
    size = np.bincount(of_stratum[begins], minlength=strata)
    place = np.empty(len(by), dtype=np.int64)
    place[by] = np.cumsum(begins) - 1 - (np.cumsum(size) - size)[of_stratum]
    return place, size


def _require_thinned(
    size: npt.NDArray[np.int64],
    share: npt.NDArray[np.float64],
    kept: npt.NDArray[np.float64],
    settings: TrainingSample,
) -> None:
    """Refuse to keep more than twice what was asked for, or to leave out less than half of what was to be."""
    there, asked, found = size.sum(), (share * size).sum(), kept.sum()
    if settings.stratify is not None and found - asked > max(FEW, min(asked, (there - asked) / 2)):
        older = "" if settings.newest_days is None else " older than newest_days"
        raise LearningError(
            f"search.sample asks for {asked:,.0f} of {there:,} rows{older}, and {found:,.0f} would be kept: whole rows "
            f"(of a ranking: lists) of each of {len(size):,} values of {settings.stratify}, and one at least. Choose a "
            "column with fewer values (search.sample.stratify)."
        )
