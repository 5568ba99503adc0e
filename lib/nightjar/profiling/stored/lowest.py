"""The rows with the least numbers of each period, kept while rows come in batches: samples, and counts of what differs.

Rows that are numbered at random are a sample of their period. Different values, each numbered by its hash, tell how
many there are by how close the least hashes lie to 0 (Bar-Yossef et al., 2002, "Counting distinct elements in a data
stream").
"""

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from nightjar.asof.values import Ints

Numbers = npt.NDArray[np.float64]
SAMPLED = 5_000
"""Facts of a period that quantiles are of, at most."""
HASHES = 1_024
"""Different values of a period that are counted one by one; of more the number is known to about 3%."""


class Sample:
    """Some facts of each period, drawn at random and always the same ones, with their numbers."""

    def __init__(self, periods: int, columns: int) -> None:
        """A sample without facts."""
        self._random = np.random.default_rng(0)
        self._limits = np.full(periods, np.inf)
        self._periods, self._draws = np.empty(0, np.int64), np.empty(0)
        self._values = np.empty((0, columns))

    def add(self, periods: Ints, values: list[Numbers]) -> None:
        """Draw some of a batch of facts.

        Args:
            periods: of each fact.
            values: of each column; NaN: none.
        """
        draws = self._random.random(len(periods))
        drawn = np.flatnonzero(draws < self._limits[periods])
        rows = np.column_stack([column[drawn] for column in values]) if values else np.empty((len(drawn), 0))
        self._periods = np.concatenate([self._periods, periods[drawn]])
        self._draws = np.concatenate([self._draws, draws[drawn]])
        self._values = np.concatenate([self._values, rows])
        chosen = _lowest(self._periods, self._draws, SAMPLED, self._limits)
        self._periods, self._draws, self._values = self._periods[chosen], self._draws[chosen], self._values[chosen]

    def quantiles(self, column: int, shares: tuple[float, ...]) -> Numbers:
        """The least value that at least so large a share of the values is at or below: a row for each period."""
        quantiles = np.full((len(self._limits), len(shares)), np.nan)
        for period in np.unique(self._periods).tolist():
            values = self._values[self._periods == period, column]
            values = values[~np.isnan(values)]
            if len(values):
                quantiles[period] = np.quantile(values, shares, method="inverted_cdf")
        return quantiles


class Distinct:
    """How many different values there are in each period."""

    def __init__(self, periods: int) -> None:
        """None so far."""
        self._limits = np.full(periods, np.inf)
        self._periods, self._hashes = np.empty(0, np.int64), np.empty(0)

    def add(self, periods: Ints, places: Ints, texts: Sequence[str]) -> None:
        """Take some texts into account.

        Args:
            periods: in which each of some texts is.
            places: of these among the texts.
            texts: different ones.
        """
        digests = b"".join(hashlib.blake2b(text.encode(), digest_size=8).digest() for text in texts)
        hashes = (np.frombuffer(digests, np.uint64) / 2.0**64)[places]
        new = hashes < self._limits[periods]
        periods, hashes = (
            np.concatenate([self._periods, periods[new]]),
            np.concatenate([self._hashes, hashes[new]]),
        )
        order = np.lexsort([hashes, periods])
        periods, hashes = periods[order], hashes[order]
        is_first = np.append(True, (np.diff(periods) != 0) | (np.diff(hashes) != 0))[: len(periods)]
        periods, hashes = periods[is_first], hashes[is_first]
        chosen = _lowest(periods, hashes, HASHES, self._limits)
        self._periods, self._hashes = periods[chosen], hashes[chosen]

    def counts(self) -> Ints:
        """Of each period: exact up to 1,023, estimated beyond."""
        counts = np.bincount(self._periods, minlength=len(self._limits))
        is_full = counts >= HASHES
        counts[is_full] = np.round((HASHES - 1) / self._limits[is_full])
        return counts


def _lowest(periods: Ints, numbers: Numbers, most: int, limits: Numbers) -> Ints:
    """The rows with the least numbers of each period, which set its limit once there are as many as there may be."""
    order = np.lexsort([numbers, periods])
    counts = np.bincount(periods, minlength=len(limits))
    ranks = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
    chosen = order[ranks < most]
    last = order[ranks == most - 1]
    limits[periods[last]] = numbers[last]
    return chosen
