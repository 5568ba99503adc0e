"""How often each text of a column is there in each period, in bounded memory."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from nightjar.asof.values import Ints
from nightjar.profiling.stored.lowest import Distinct

MOST_LEVELS = 10_000
"""Different texts that are counted. Where there are more, the rarest are given up, again and again."""


@dataclass(frozen=True)
class Levels:
    """The texts of a column over time.

    Attributes:
        names: of the texts that are counted, the most frequent first.
        counts: facts with each text, in each period.
        is_complete: whether every text is counted; otherwise the counts are those since a text was last given up.
        distinct: different texts in each period; beyond a thousand known to about 3%.
    """

    names: tuple[str, ...]
    counts: Ints
    is_complete: bool
    distinct: Ints


class LevelCounter:
    """Counts the texts of a column while facts come in batches."""

    def __init__(self, periods: int) -> None:
        """None so far."""
        self._places = dict[str, int]()
        self._counts = np.zeros((0, periods), np.int64)
        self._is_complete = True
        self._distinct = Distinct(periods)

    def add(self, periods: Ints, texts: "pa.Array[Any]") -> None:
        """Count the texts of a batch, none of them null."""
        encoded: Any = texts.dictionary_encode()
        number = self._counts.shape[1]
        pairs, counts = np.unique(encoded.indices.to_numpy().astype(np.int64) * number + periods, return_counts=True)
        names = encoded.dictionary.to_pylist()
        self._distinct.add(pairs % number, pairs // number, names)
        places = np.array([self._places.setdefault(name, len(self._places)) for name in names], np.int64)
        new = np.zeros((len(self._places) - len(self._counts), number), np.int64)
        self._counts = np.concatenate([self._counts, new])
        np.add.at(self._counts, (places[pairs // number], pairs % number), counts)
        if len(self._places) > 2 * MOST_LEVELS:
            self._give_up_rarest()

    def levels(self) -> Levels:
        """What was counted."""
        order = self._by_frequency()
        names = list(self._places)
        sorted_names = tuple(names[place] for place in order.tolist())
        return Levels(sorted_names, self._counts[order], self._is_complete, self._distinct.counts())

    def _by_frequency(self) -> Ints:
        return np.argsort(-self._counts.sum(axis=1), kind="stable")

    def _give_up_rarest(self) -> None:
        chosen = np.sort(self._by_frequency()[:MOST_LEVELS])
        names = list(self._places)
        self._places = {names[place]: number for number, place in enumerate(chosen.tolist())}
        self._counts, self._is_complete = self._counts[chosen], False
