"""The sample of training rows that a model is fitted on, and the weights of its rows."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from nightjar.errors import LearningError
from nightjar.evaluation.rows import RowNumbers
from nightjar.learning.data.row_order import RowOrder
from nightjar.settings.sampling import LABEL, TrainingSample

ALLOWED_SURPLUS = 20
"""So many rows more than requested may always be kept: each stratum keeps at least one."""


@dataclass(frozen=True, eq=False)
class Sample:
    """The numbers of the sampled rows, ascending, and their weights."""

    rows: RowNumbers
    weight: npt.NDArray[np.float64]


def draw_sample(
    order: RowOrder, day: npt.NDArray[np.datetime64], strata: "pa.Array[Any] | None", settings: TrainingSample
) -> Sample:
    """Draw the requested share of each stratum's rows: those that come first in a random order.

    A share is rounded to whole rows, at least one. The weights of a stratum add up to its rows: each is
    the stratum's rows / its rows kept. The newest dates are kept in full, with weight 1.

    Args:
        order: see `row_order`. Rows of one number are kept or dropped together and count as one: for a ranking,
            give the rows of a list one number.
        day: local date of each row.
        strata: the value that each row is stratified by, see `strata_of`; None: all rows are one stratum.
        settings: what to keep.

    Raises:
        LearningError: the arrays are not of one length, or one row of each stratum is far more than was requested:
            strata may be amounts, for example, of which hardly two are the same.
    """
    lengths = [len(order), len(day), len(order) if strata is None else len(strata)]
    if len(set(lengths)) > 1:
        raise LearningError(f"Order, days and strata are of {lengths} rows: each row needs all of them.")
    older = np.flatnonzero(_older(day, settings.newest_days))
    stratum, share = _strata(older, strata, settings)
    rank, size = _rank_within(stratum, order[older], len(share))
    quota = np.maximum(1, np.rint(share * size))
    _require_smaller(size, share, quota, settings)
    weight = np.ones(len(order))
    weight[older] = np.where(rank < quota[stratum], (size / quota)[stratum], 0)
    selected = np.flatnonzero(weight)
    return Sample(selected, weight[selected])


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
    rows: RowNumbers, strata: "pa.Array[Any] | None", settings: TrainingSample
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """The number of each row's stratum, and the share of each stratum to keep; without rows there is no stratum."""
    if strata is None:
        return np.zeros(len(rows), dtype=np.int64), np.array([settings.fraction] if len(rows) else [])
    encoded: Any = pc.dictionary_encode(strata.take(rows), null_encoding="encode")
    names = encoded.dictionary.cast(pa.string()).to_pylist()
    shares = [settings.fractions.get(name, settings.fraction) for name in names]
    return encoded.indices.to_numpy().astype(np.int64), np.array(shares, dtype=np.float64)


def _rank_within(
    stratum: npt.NDArray[np.int64], order: RowOrder, strata: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The rank of each row within its stratum, from 0, and how many ranks each stratum has.

    Rows of one number share a rank.
    """
    by = np.lexsort([order, stratum])
    of_stratum, number = stratum[by], order[by]
    begins = np.append(True, (of_stratum[1:] != of_stratum[:-1]) | (number[1:] != number[:-1]))[: len(by)]
    size = np.bincount(of_stratum[begins], minlength=strata)
    rank = np.empty(len(by), dtype=np.int64)
    rank[by] = np.cumsum(begins) - 1 - (np.cumsum(size) - size)[of_stratum]
    return rank, size


def _require_smaller(
    size: npt.NDArray[np.int64],
    share: npt.NDArray[np.float64],
    quota: npt.NDArray[np.float64],
    settings: TrainingSample,
) -> None:
    """Raise where more than twice the requested rows are kept, or less than half of the others are dropped."""
    total, requested, sampled = size.sum(), (share * size).sum(), quota.sum()
    if settings.stratify is not None and sampled - requested > max(
        ALLOWED_SURPLUS, min(requested, (total - requested) / 2)
    ):
        older = "" if settings.newest_days is None else " older than newest_days"
        raise LearningError(
            f"search.sample asks for {requested:,.0f} of {total:,} rows{older}, and {sampled:,.0f} would be kept: "
            f"whole rows (of a ranking: lists) of each of {len(size):,} values of {settings.stratify}, and one at "
            "least. Choose a column with fewer values (search.sample.stratify)."
        )
