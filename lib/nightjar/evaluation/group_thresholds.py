"""Thresholds by group, such that each group is acted on as often as all rows are, or as often of its True rows.

A score is moved to where it would lie among all rows: if a share p of the group's rows score as high, to the greatest
score that a share p of all rows reaches, so that no group is acted on more often than all rows are. Moved scores have
one threshold for all, so that every rule of a tier applies to them; a group's own threshold is the least score that is
moved to it.

Sources: Hardt, Price and Srebro (2016), Equality of opportunity in supervised learning, NeurIPS 29, for thresholds by
group; for the scores that are moved Feldman et al. (2015), Certifying and removing disparate impact, KDD.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nightjar.evaluation.binary import Booleans
from nightjar.evaluation.rows import Floats, RowNumbers
from nightjar.settings.fairness import UnseenGroup


@dataclass(frozen=True, eq=False)
class MovedScores:
    """How the scores of each group are moved.

    Attributes:
        knots: group -> its scores, ascending, and what they are moved to, not descending; linear between.
        unseen: what is done to scores of a group that is not among them.
    """

    knots: Mapping[int, tuple[Floats, Floats]]
    unseen: UnseenGroup

    def move(self, score: Floats, group: RowNumbers) -> Floats:
        """The moved scores; NaN stays. A group without knots is an unseen one."""
        moved = self._of_unseen(score)
        for number in self.knots:
            own = group == number
            moved[own] = np.interp(score[own], *self.knots[number])
        return moved

    def threshold(self, value: float, group: int | None) -> float:
        """The least score of a group that is moved to `value` or above; None: of an unseen one.

        Above 1, as no score is, where none is moved so far.
        """
        number = -1 if group is None else group
        low, high = 0.0, 1.0
        if not self._reaches(high, number, value):
            return max(value, float(np.nextafter(1.0, 2.0)))
        if self._reaches(low, number, value):
            return low
        while (middle := (low + high) / 2) not in (low, high):
            low, high = (low, middle) if self._reaches(middle, number, value) else (middle, high)
        return high

    def _reaches(self, score: float, group: int, value: float) -> bool:
        return bool(self.move(np.array([score]), np.array([group]))[0] >= value)

    def _of_unseen(self, score: Floats) -> Floats:
        if self.unseen is UnseenGroup.OVERALL or not self.knots:
            return score.copy()
        moved = [np.interp(score, *knots) for knots in self.knots.values()]
        of_all: Floats = np.min(moved, axis=0) if self.unseen is UnseenGroup.HIGHEST else np.max(moved, axis=0)
        return np.where(np.isnan(score), np.nan, of_all)


def fit_moved_scores(
    score: Floats,
    group: RowNumbers,
    counts: Booleans,
    weight: npt.NDArray[np.float64] | None,
    *,
    least_rows: int,
    unseen: UnseenGroup,
) -> MovedScores:
    """Learn from rows how scores are to be moved.

    Args:
        score: probabilities, by fits that have not seen the rows.
        group: the number of each row's group.
        counts: the rows whose share is to be equal: all of them, or the True ones.
        weight: how many rows each one stands for; None: one each.
        least_rows: a group with fewer of these rows counts as unseen.
        unseen: what is done to its scores.

    Example:
        >>> score, group = np.array([0.2, 0.4, 0.6, 0.8]), np.array([0, 0, 1, 1])
        >>> moved = fit_moved_scores(
        ...     score, group, np.ones(4, bool), None, least_rows=1, unseen=UnseenGroup.OVERALL
        ... )
        >>> moved.move(score, group).tolist()
        [0.2, 0.6, 0.2, 0.6]
        >>> moved.threshold(0.6, 0), moved.threshold(0.6, 1), moved.threshold(0.6, None)
        (0.4, 0.8, 0.6)
    """
    weights = np.ones(len(score)) if weight is None else weight
    rows = np.flatnonzero(counts & (weights > 0))
    values, exceeding = _exceeding(score[rows], weights[rows])
    knots = {}
    for number in np.unique(group[rows]):
        own = rows[group[rows] == number]
        if len(own) >= least_rows:
            knots[int(number)] = _knots(*_exceeding(score[own], weights[own]), values, exceeding)
    return MovedScores(knots, unseen)


def _exceeding(score: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """The distinct scores, ascending, and the share of the rows that score as high or higher."""
    values, place = np.unique(score, return_inverse=True)
    above: Floats = np.cumsum(np.bincount(place, weight)[::-1])[::-1].astype(np.float64)
    return values, above / above[0] if len(above) else above


def _knots(own: Floats, share: Floats, values: Floats, exceeding: Floats) -> tuple[Floats, Floats]:
    """The group's scores beside the greatest scores that as great a share of all rows reaches; 0 and 1 stay."""
    places = np.searchsorted(-exceeding, -share * (1 - 1e-12), side="right") - 1  # up to rounding
    moved = values[places]
    low, high = np.zeros(int(own[0] > 0)), np.ones(int(own[-1] < 1))
    return np.concatenate([low, own, high]), np.concatenate([low, moved, high])
