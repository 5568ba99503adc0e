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

ROWS_OF_STRATUM, FEW_STRATA = 2, 20
"""A column is no strata with fewer rows to a value than this on average, unless it has but a few values."""


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
        LearningError: the arrays are not of one length.
    """
    lengths = [len(order), len(day), len(order) if strata is None else len(strata)]
    if len(set(lengths)) > 1:
        raise LearningError(f"Order, days and strata are of {lengths} rows: each row needs all of them.")
    weight = np.ones(len(order))
    older = _older(day, settings.newest_days)
    for rows, share in _strata(strata, older, settings):
        numbers = np.unique(order[rows])
        kept = max(1, round(share * len(numbers)))
        weight[rows] = np.where(order[rows] <= numbers[kept - 1], len(numbers) / kept, 0)
    found = np.flatnonzero(weight)
    return Sampled(found, weight[found])


def strata_of(label: npt.NDArray[Any], table: pa.Table, settings: TrainingSample) -> "pa.Array[Any] | None":
    """The value that each row is stratified by; None where the rows are one stratum.

    Raises:
        LearningError: the column holds amounts, of which hardly two are the same.
    """
    if settings.stratify is None:
        return None
    of_label = settings.stratify == LABEL
    strata: pa.Array[Any] = pa.array(label) if of_label else table[settings.stratify].combine_chunks()
    values = pc.count_distinct(strata, mode="all").as_py()
    if values * ROWS_OF_STRATUM > max(len(strata), FEW_STRATA * ROWS_OF_STRATUM):
        raise LearningError(
            f"search.sample.stratify: {settings.stratify} has {values:,} values in {len(strata):,} rows, and of each a "
            "row is kept: hardly any would be left out. Choose a column with few values."
        )
    return strata


def _older(day: npt.NDArray[np.datetime64], newest_days: int | None) -> npt.NDArray[np.bool_]:
    if newest_days is None or not len(day):
        return np.ones(len(day), dtype=np.bool_)
    return np.asarray(day <= day.max() - np.timedelta64(newest_days, "D"))


def _strata(
    strata: "pa.Array[Any] | None", older: npt.NDArray[np.bool_], settings: TrainingSample
) -> list[tuple[Rows, float]]:
    """The rows of each stratum that may be left out, where there are any, and the share of them to keep."""
    if strata is None:
        every = [(np.flatnonzero(older), settings.fraction)]
    else:
        encoded: Any = pc.dictionary_encode(strata, null_encoding="encode")
        codes = encoded.indices.to_numpy()
        names = encoded.dictionary.cast(pa.string()).to_pylist()
        shares = [settings.fractions.get(name, settings.fraction) for name in names]
        every = [(np.flatnonzero(older & (codes == code)), share) for code, share in enumerate(shares)]
    return [(rows, share) for rows, share in every if len(rows)]
