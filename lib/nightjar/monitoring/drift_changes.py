"""What of a column changed: in which direction, by which bins, in which slices, and which columns changed together."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile

import numpy as np
import numpy.typing as npt
from scipy.cluster import hierarchy
from scipy.spatial.distance import squareform

from nightjar.evaluation.histograms import Bins, Counts
from nightjar.monitoring.drift_references import Reference

ALIKE = 0.5
"""Columns are one cluster where their changes correlate so much, on average, over the reference's nights."""
LEAST_NIGHTS = 10
"""From fewer nights no correlation is taken."""
EXPLAINS = 0.5
"""Of the change of all rows, the share that a slice has to make for it to be named."""


@dataclass(frozen=True)
class Change:
    """The change of one column: shares of rows by bin tonight minus those of the reference.

    Attributes:
        column: its name.
        direction: that difference, (bins,).
        bins: of the column.
    """

    column: str
    direction: npt.NDArray[np.float64]
    bins: Bins
    expected: npt.NDArray[np.float64]

    def along(self, counts: Counts) -> float:
        """How far some rows lie in the direction of the change; tonight's lie further than the reference's."""
        return float(_shares(counts) @ self.direction)


def change_of(column: str, reference: Reference, actual: Counts) -> Change:
    """The change of a column."""
    expected = _shares(reference.counts)
    return Change(column, _shares(actual) - expected, reference.bins, expected)


def clusters(changes: Sequence[Change], nights: Mapping[str, Counts]) -> list[list[str]]:
    """Columns that changed together: on the reference's nights, too, each went its way when the others went theirs.

    Args:
        changes: of the columns that moved.
        nights: column -> counts of the reference's nights, (nights, bins), of the same dates; of fewer than 10 nights
            each column is its own cluster.

    Example:
        >>> from nightjar.monitoring.drift_references import Reference
        >>> bins, whole = Bins("categorical", levels=("a",)), np.array([0, 50, 50])
        >>> nights = np.array([[0, 10 - n % 3, n % 3] for n in range(12)])
        >>> changes = [change_of(name, Reference(bins, whole), np.array([0, 1, 9])) for name in "xyz"]
        >>> clusters(changes, {"x": nights, "y": 2 * nights, "z": nights[:, ::-1] + [[0], [1], [4], [9]] * 3})
        [['x', 'y'], ['z']]
    """
    names = [one.column for one in changes]
    series = [_series(one, nights.get(one.column)) for one in changes]
    if len(names) < 2 or any(one is None for one in series) or len({len(one) for one in series if one is not None}) > 1:
        return [[name] for name in names]
    with np.errstate(invalid="ignore", divide="ignore"):
        correlation = np.nan_to_num(np.corrcoef(np.array(series)))
    apart = np.clip(1 - (correlation + correlation.T) / 2, 0, None)
    np.fill_diagonal(apart, 0)
    numbers = hierarchy.fcluster(hierarchy.average(squareform(apart, checks=False)), 1 - ALIKE, "distance")
    grouped: dict[int, list[str]] = {}
    for name, number in zip(names, numbers, strict=True):
        grouped.setdefault(int(number), []).append(name)
    return list(grouped.values())


def _series(change: Change, nights: Counts | None) -> npt.NDArray[np.float64] | None:
    if nights is None or len(nights) < LEAST_NIGHTS:
        return None
    shares: npt.NDArray[np.float64] = nights / np.maximum(nights.sum(axis=1, keepdims=True), 1)
    return np.asarray(shares @ change.direction, np.float64)


def name_of(columns: Sequence[str]) -> str:
    """A cluster's name: what its columns' names have in common, or its first column.

    Example:
        >>> name_of(["origin__late_rate_28d", "origin__mean_delay_28d"]), name_of(["speed"]), name_of(["a", "b", "c"])
        ('origin__*_28d', 'speed', 'a and 2 more')
    """
    if len(columns) == 1:
        return columns[0]
    tokens = [name.split("_") for name in columns]
    start = "_".join(_common(tokens))
    end = "_".join(_common([one[::-1] for one in tokens])[::-1])
    if not start and not end:
        return f"{columns[0]} and {len(columns) - 1} more"
    return f"{start}{'_' if start else ''}*{'_' if end else ''}{end}"


def _common(texts: Sequence[Sequence[str]]) -> list[str]:
    """The first parts in which all agree."""
    return [parts[0] for parts in takewhile(lambda parts: len(set(parts)) == 1, zip(*texts, strict=False))]


@dataclass(frozen=True)
class BinChange:
    """A bin whose share changed.

    Attributes:
        words: its rows, see `bin_in_words`.
        clause: the same as what is said of a column, such as "is below 0.1, less than ever in training,".
        now, before: its share of the rows tonight, and of the reference's.
    """

    words: str
    clause: str
    now: float
    before: float


def most_changed(change: Change, most: int = 2) -> Iterator[BinChange]:
    """The bins that changed most."""
    for place in map(int, np.argsort(-np.abs(change.direction), kind="stable")[:most]):
        if abs(change.direction[place]) >= 0.01:
            before = float(change.expected[place])
            words, clause = bin_in_words(change.bins, place), clause_of_bin(change.bins, place)
            yield BinChange(words, clause, before + float(change.direction[place]), before)


def bin_in_words(bins: Bins, place: int) -> str:
    """The rows of a bin, in words.

    Example:
        >>> bins = Bins("numeric", edges=(0.0, 2.5))
        >>> [bin_in_words(bins, place) for place in range(4)]
        ['no value', 'below 0', '0 to 2.5', 'from 2.5']
    """
    if place == 0:
        return "no value"
    if bins.kind == "categorical":
        return bins.levels[place - 1] if place <= len(bins.levels) else "levels that training did not have"
    if place == 1:
        return f"below {bins.edges[0]:.4g}" if bins.edges else "any value"
    return (
        f"from {bins.edges[-1]:.4g}"
        if place == bins.size - 1
        else f"{bins.edges[place - 2]:.4g} to {bins.edges[place - 1]:.4g}"
    )


def clause_of_bin(bins: Bins, place: int) -> str:
    """What a column is in the rows of a bin.

    Example:
        >>> bins = Bins("numeric", edges=(0.0, 2.5))
        >>> clause_of_bin(bins, 0), clause_of_bin(bins, 1), clause_of_bin(bins, 2)
        ('has no value', 'is below 0, less than ever in training,', 'is 0 to 2.5')
    """
    words = bin_in_words(bins, place)
    if place == 0 or (bins.kind == "categorical" and place > len(bins.levels)):
        return f"has {words}"
    if bins.kind == "numeric" and bins.edges and place in (1, bins.size - 1):
        return f"is {words}, {'less' if place == 1 else 'more'} than ever in training,"
    return f"is {words}"


def slices_that_explain(
    change: Change, reference: Reference, slices: Mapping[str, Counts], rows: int
) -> Iterator[tuple[str, float, float]]:
    """Slices whose own rows make most of the change: name, share of the change, share of the rows; the greatest first.

    A slice is named only where it makes half as much again as its share of the rows.
    """
    whole = float(change.direction @ change.direction)
    shares = []
    for name, counts in slices.items():
        expected = reference.slices.get(name)
        if expected is None or not expected.sum() or not counts.sum() or not whole:
            continue
        of_rows = float(counts.sum() / max(rows, 1))
        explained = of_rows * (change.along(counts) - change.along(expected)) / whole
        if explained >= EXPLAINS and explained >= 1.5 * of_rows:
            shares.append((name, explained, of_rows))
    yield from sorted(shares, key=lambda one: (-one[1], one[0]))


def _shares(counts: Counts) -> npt.NDArray[np.float64]:
    return np.asarray(counts, np.float64) / max(int(counts.sum()), 1)
