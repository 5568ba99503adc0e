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
    weight = np.ones(len(order))
    older = _older(day, settings.newest_days)
    thinned = []
    for rows, share in _strata(strata, older, settings):
        numbers = np.unique(order[rows])
        kept = max(1, round(share * len(numbers)))
        weight[rows] = np.where(order[rows] <= numbers[kept - 1], len(numbers) / kept, 0)
        thinned.append((len(numbers), share, kept))
    _require_thinned(thinned, settings.stratify)
    found = np.flatnonzero(weight)
    return Sampled(found, weight[found])


def strata_of(label: npt.NDArray[Any], table: pa.Table, settings: TrainingSample) -> "pa.Array[Any] | None":
    """The value that each row is stratified by; None where the rows are one stratum."""
    if settings.stratify is None:
        return None
    return pa.array(label) if settings.stratify == LABEL else table[settings.stratify].combine_chunks()


def _require_thinned(strata: list[tuple[int, float, int]], column: str | None) -> None:
    """Refuse to keep more than twice what was asked for, or to leave out less than half of what was to be.

    Args:
        strata: of each: how many there are, the share to keep, how many are kept.
        column: that they are made of; None: there is but one.
    """
    there, kept = sum(count for count, _, _ in strata), sum(kept for _, _, kept in strata)
    asked = sum(share * count for count, share, _ in strata)
    if column is not None and kept - asked > max(FEW, min(asked, (there - asked) / 2)):
        raise LearningError(
            f"search.sample asks for {asked:,.0f} of {there:,} rows (or lists), and {kept:,} would be kept, as one at "
            f"least is of each of {len(strata):,} values of {column}. Choose a column with fewer values "
            "(search.sample.stratify), or larger shares."
        )


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
