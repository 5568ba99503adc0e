"""Histograms that can be counted in parts, stored, and compared night after night.

Bins are fitted once, on a model's training data; every later night is counted into the same bins. Counts are int64
and add up: the counts of a table are the sum of the counts of its batches.

    numeric       [null or NaN, below edges[0], [edges[0], edges[1]), ..., at or above edges[-1]]
    categorical   [null, levels[0], levels[1], ..., any other level]
"""

import itertools
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from nightjar.errors import LearningError

MOST_LEVELS = 100
"""How many levels of a categorical column get a bin of their own."""

ArrowColumn: TypeAlias = "pa.Array[Any] | pa.ChunkedArray[Any]"
Counts: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Bins:
    """The bins into which one column's values are counted.

    Attributes:
        kind: "numeric" (bins between edges) or "categorical" (one bin per level).
        edges: numeric only: finite, ascending, in the column's unit. A bin holds its lower edge, not its upper.
        levels: categorical only: the most frequent first.

    Raises:
        LearningError: edges that are not finite and ascending, repeated levels, or edges and levels mixed.
    """

    kind: Literal["numeric", "categorical"]
    edges: tuple[float, ...] = ()
    levels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.kind not in ("numeric", "categorical"):
            raise LearningError(f"Bins of the kind {self.kind!r}: expected 'numeric' or 'categorical'.")
        if (self.kind == "numeric" and self.levels) or (self.kind == "categorical" and self.edges):
            raise LearningError(f"Bins of the kind {self.kind!r} hold edges and levels that do not belong together.")
        if not np.isfinite(self.edges).all() or any(a >= b for a, b in itertools.pairwise(self.edges)):
            raise LearningError(f"The edges of bins must be finite and ascending: {self.edges}.")
        if len(set(self.levels)) < len(self.levels):
            raise LearningError(f"The levels of bins must differ from each other: {self.levels}.")

    @property
    def size(self) -> int:
        """The length of a count vector of these bins."""
        return len(self.edges) + 2 if self.kind == "numeric" else len(self.levels) + 2

    def to_json(self) -> str:
        """One line of JSON from which `from_json` makes the same bins, to the last bit."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> "Bins":
        """The bins that `to_json` wrote.

        Raises:
            LearningError: the text is something else.
        """
        try:
            stored = json.loads(text)
            return cls(stored["kind"], tuple(map(float, stored["edges"])), tuple(map(str, stored["levels"])))
        except (KeyError, TypeError, ValueError) as error:
            raise LearningError(f"These are not bins written by to_json: {text[:200]!r}.") from error


def fit_bins(column: ArrowColumn, *, bins: int = 50) -> Bins:
    """Fit bins to a column; the same values in any order give the same bins.

    Numbers, decimals and booleans: edges at quantiles, so that bins hold about equal shares. Up to `bins` distinct
    values get a bin each; a value with more than a bin's share gets its own. Values below the least or above the
    greatest one of this column have bins of their own, empty here: drift often shows there first. Nulls, NaN and
    infinities set no edges.
    Strings: the 100 most frequent levels, equally frequent ones in code point order.

    Raises:
        LearningError: a column that is neither numbers, booleans nor strings, or fewer than 1 bin.

    Example:
        >>> fit_bins(pa.array(["b", "a", "b"])).levels
        ('b', 'a')
        >>> fit_bins(pa.array([1, 1, 2, 2]), bins=2).edges
        (1.0, 2.0, 2.0000000000000004)
    """
    if bins < 1:
        raise LearningError(f"bins is {bins}: a histogram has at least 1.")
    if is_text(column.type):
        return Bins("categorical", levels=_frequent_levels(column))
    if is_number(column.type):
        finite = [values[np.isfinite(values)] for values in map(_floats, _chunks(column))]
        return Bins("numeric", edges=_equal_mass_edges(np.concatenate([np.empty(0), *finite]), bins))
    raise LearningError(f"A column of type {column.type} has no histogram: expected numbers, booleans or strings.")


def count(bins: Bins, column: ArrowColumn) -> Counts:
    """The number of rows in each bin, in the layout of this module's head.

    Infinities fall into the outermost bins. Integers and decimals are compared as float64.

    Raises:
        LearningError: the column is of another kind than the bins.

    Example:
        >>> bins = fit_bins(pa.array(["a", "a", "b"]))
        >>> count(bins, pa.array(["b", "c", None])).tolist()  # nulls, a, b, any other level
        [1, 0, 1, 1]
    """
    _require_fit(bins, column)
    count_chunk = _count_numbers if bins.kind == "numeric" else _count_levels
    total = np.zeros(bins.size, dtype=np.int64)
    for chunk in _chunks(column):
        total += count_chunk(bins, chunk)
    return total


def bin_numbers(bins: Bins, column: ArrowColumn) -> npt.NDArray[np.intp]:
    """The place of each row in the counts, in the layout of this module's head.

    Raises:
        LearningError: the column is of another kind than the bins.

    Example:
        >>> bin_numbers(fit_bins(pa.array(["a", "a", "b"])), pa.array(["b", None, "c"])).tolist()
        [2, 0, 3]
    """
    _require_fit(bins, column)
    numbers = [_bin_numbers(bins, chunk) for chunk in _chunks(column)]
    return np.concatenate([np.empty(0, np.intp), *numbers])


def _bin_numbers(bins: Bins, chunk: "pa.Array[Any]") -> npt.NDArray[np.intp]:
    if bins.kind == "categorical":
        texts: Any = _texts(chunk)
        return np.where(texts.is_null(), 0, _level_numbers(bins, texts) + 1)
    is_present = np.asarray(_plain(chunk).is_valid())
    values = np.full(len(chunk), np.nan)
    values[is_present] = _floats(chunk)
    numbers = np.searchsorted(np.array(bins.edges, np.float64), values, side="right") + 1
    numbers[np.isnan(values)] = 0
    return numbers


def _require_fit(bins: Bins, column: ArrowColumn) -> None:
    fits = is_number if bins.kind == "numeric" else is_text
    if not fits(column.type) and not pa.types.is_null(column.type):
        raise LearningError(f"A column of type {column.type} cannot be counted into {bins.kind} bins.")


def _equal_mass_edges(values: npt.NDArray[np.float64], bins: int) -> tuple[float, ...]:
    """The first value of each equal share, and the end of the last. A value that starts two shares has a bin alone.

    Args:
        values: finite; they are sorted in place.
        bins: shares, unless there are fewer distinct values.
    """
    if not len(values):
        return ()
    values.sort()
    is_new = values[1:] != values[:-1]
    if np.count_nonzero(is_new) < bins:
        starts = values[np.concatenate([[True], is_new])]
    else:
        shares = values[np.floor(np.arange(bins) * (len(values) / bins)).astype(np.intp)]
        heavy = shares[:-1][shares[:-1] == shares[1:]]
        after = np.searchsorted(values, heavy, side="right")
        starts = np.unique(np.concatenate([shares, values[after[after < len(values)]]]))
    edges = [*starts, math.nextafter(values[-1], math.inf)]
    return tuple(float(edge) + 0.0 for edge in edges if np.isfinite(edge))  # -0.0 is 0.0


def _frequent_levels(column: ArrowColumn) -> tuple[str, ...]:
    levels, rows = pc.value_counts(_texts(column).drop_null()).flatten()
    ranked = pa.table({"level": levels, "rows": rows}).sort_by([("rows", "descending"), ("level", "ascending")])
    return tuple(map(str, ranked["level"].slice(0, MOST_LEVELS).to_pylist()))


def _count_numbers(bins: Bins, chunk: "pa.Array[Any]") -> Counts:
    # Sorted values and a search for each edge: several times as fast as a search for each value. NaN sorts last.
    values = np.sort(_floats(chunk))
    present = int(np.searchsorted(values, np.inf, side="right"))
    below = np.searchsorted(values[:present], np.array(bins.edges, np.float64), side="left")
    return _with_nulls(len(chunk) - present, np.diff(below, prepend=0, append=present))


def _count_levels(bins: Bins, chunk: "pa.Array[Any]") -> Counts:
    levels, rows = pc.value_counts(_texts(chunk).drop_null()).flatten()
    counts = np.zeros(bins.size - 1, np.int64)
    np.add.at(counts, _level_numbers(bins, levels), rows.to_numpy())
    return _with_nulls(len(chunk) - int(counts.sum()), counts)


def _level_numbers(bins: Bins, levels: ArrowColumn) -> npt.NDArray[np.intp]:
    """The number of each text's level; that of any other, and of nulls, is the number of levels."""
    numbers = pc.index_in(levels, value_set=pa.array(bins.levels, type=pa.large_string()))
    return np.asarray(numbers.fill_null(len(bins.levels)), np.intp)


def _with_nulls(nulls: int, counts: npt.NDArray[np.intp]) -> Counts:
    return np.concatenate([np.array([nulls], dtype=np.int64), counts.astype(np.int64)])


def _floats(chunk: "pa.Array[Any]") -> npt.NDArray[np.float64]:
    """The values that are not null. Booleans become 0 and 1."""
    present = _plain(chunk).drop_null()
    if pa.types.is_boolean(present.type):
        present = present.cast(pa.int8())
    return np.asarray(present.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False), dtype=np.float64)


def _texts(column: ArrowColumn) -> ArrowColumn:
    """Strings in one type: Arrow has no kernels for views, and dictionaries differ from chunk to chunk."""
    return _plain(column).cast(pa.large_string())


def _plain(column: ArrowColumn) -> ArrowColumn:
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column


def _chunks(column: ArrowColumn) -> "Sequence[pa.Array[Any]]":
    return column.chunks if isinstance(column, pa.ChunkedArray) else [column]


def is_number(kind: pa.DataType) -> bool:
    """Whether values of the type are counted as numbers; models take the same types for numbers."""
    numbers = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_boolean)
    return any(is_one(_value_type(kind)) for is_one in numbers)


def is_text(kind: pa.DataType) -> bool:
    """Whether values of the type are counted as levels; models take the same types for categories."""
    texts = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    return any(is_one(_value_type(kind)) for is_one in texts)


def _value_type(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind
