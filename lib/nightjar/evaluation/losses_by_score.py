"""What rows of like scores lost."""

from dataclasses import dataclass

import numpy as np

from nightjar.evaluation.rows import Floats

BINS = 20
"""Of scores, as many rows in each, within which rows are alike."""
PSEUDO_ROWS = 20
"""Rows of the mean of all that are added to each part, so that one of few rows is drawn to it."""


@dataclass(frozen=True, eq=False)
class LossesByScore:
    """The mean loss of rows by their scores.

    Attributes:
        edges: between the bins of scores, ascending.
        means: of the losses in each bin, drawn to the mean of all where a bin has few rows.
    """

    edges: Floats
    means: Floats

    @classmethod
    def fit(cls, score: Floats, loss: Floats, weight: Floats) -> "LossesByScore":
        """Learn from rows whose loss is known.

        Example:
            >>> score = np.repeat([0.1, 0.9], 500)
            >>> fitted = LossesByScore.fit(score, np.where(score > 0.5, 2.0, 1.0), np.ones(1000))
            >>> float(fitted.mean(np.array([0.1, 0.9, 0.9]), np.ones(3)).round(1))
            1.7
        """
        edges = np.unique(np.quantile(score, np.linspace(0, 1, BINS + 1)[1:-1], method="higher"))
        number = np.searchsorted(edges, score, side="right")
        size, total = (np.bincount(number, values, len(edges) + 1) for values in (weight, weight * loss))
        overall = float(total.sum() / size.sum())
        pseudo = PSEUDO_ROWS * float(weight.mean())
        return cls(edges, (total + pseudo * overall) / (size + pseudo))

    def mean(self, score: Floats, weight: Floats) -> np.float64:
        """The mean loss that rows of such scores are expected to have."""
        return np.float64(np.average(self.means[np.searchsorted(self.edges, score, side="right")], weights=weight))
