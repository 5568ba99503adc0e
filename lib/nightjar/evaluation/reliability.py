"""How far probabilities are from the rates of what they announce, in bins of rows of similar probability.

`y` holds the outcomes (bool, or 0 and 1), `score` the predicted probabilities of the positive class. `weight` says how
many rows each one stands for, see `rows`. `bins` is the number of bins of equally many rows, or equal weight; rows of
one score share a bin, so many of them make fewer bins. With `bins=None` each distinct score is a bin of its own.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from nightjar.errors import LearningError
from nightjar.evaluation import regression
from nightjar.evaluation.binary import Booleans, check_probabilities
from nightjar.evaluation.influence import Distances, Influence
from nightjar.evaluation.rows import NO_ROWS, Floats, RowNumbers, Undefined, Value, drop_unweighted

_ROUNDING = 1e-15
"""So small a resolution is 0, but for rounding: all bins have one rate."""


@dataclass(frozen=True)
class BrierParts:
    """The Brier score as reliability - resolution + uncertainty + variance_within - covariance_within.

    Attributes:
        reliability: mean squared distance of the bins' mean probabilities from their rates; 0 is best.
        resolution: mean squared distance of the bins' rates from the rate of all rows; the greater the better.
        uncertainty: variance of the outcomes: the Brier score of always predicting that rate.
        variance_within: mean squared distance of probabilities from the mean of their bin; 0 for bins of one score.
        covariance_within: twice the mean product of that distance and of the outcome's from the bin's rate; 0 as well.
    """

    reliability: float
    resolution: float
    uncertainty: float
    variance_within: float
    covariance_within: float


@dataclass(frozen=True)
class ScoreGroup:
    """Rows of similar scores: how many, their mean score, and the mean of their outcomes, both weighted."""

    rows: int
    score: float
    outcome: float


@dataclass(frozen=True, eq=False)
class _Bins:
    """The rows with weight in their bins: mean probability and rate of each row's bin, and weights that add up to 1."""

    outcome: Floats
    probability: Floats
    weight: Floats
    mean: Floats
    rate: Floats
    number: RowNumbers
    share: Floats

    @property
    def base_rate(self) -> float:
        return float(self.weight @ self.outcome)

    def distances(self, own: Floats, *, squared: bool) -> Distances:
        """Of bins, each the mean of its rows' own ones, from which each row's is given."""
        return Distances(self.weight * own / self.share[self.number], self.number, self.share, squared)


def expected_calibration_error(
    y: npt.ArrayLike, score: npt.ArrayLike, weight: npt.ArrayLike | None = None, *, bins: int | None = 15
) -> Value:
    """Mean over rows of the distance between their bin's mean probability and its rate of True; undefined without rows.

    By chance it is above 0 for honest probabilities, too, the more so the fewer rows a bin has. The lower bound of its
    interval leaves that out; the usual corrections of the figure take rows as independent, as those of a night are not.
    Source: Nguyen and O'Connor (2015), Posterior calibration and exploratory analysis for NLP models, EMNLP.

    Raises:
        LearningError: see `binary.check_probabilities` and `rows.check_weight`; also fewer than one bin.

    Example:
        Rows with a probability of 0.25 are never True here, those with 0.75 always are.

        >>> expected_calibration_error(4 * [False] + 4 * [True], 4 * [0.25] + 4 * [0.75])
        0.25
    """
    binned = _bins(y, score, weight, bins)
    return binned if isinstance(binned, Undefined) else float(binned.weight @ np.abs(binned.mean - binned.rate))


def brier_parts(
    y: npt.ArrayLike, score: npt.ArrayLike, weight: npt.ArrayLike | None = None, *, bins: int | None = None
) -> BrierParts | Undefined:
    """The parts that the Brier score is made of, exactly, whatever the bins; undefined without rows.

    By distinct scores (`bins=None`) there are three, and nothing is binned. That is right for scores of few values: of
    scores that are all different each bin is a row, and reliability is the whole Brier score. With bins, what varies
    within them is told apart, instead of being lost in a sum that no longer fits.
    Sources: Murphy (1973), A new vector partition of the probability score, Journal of Applied Meteorology 12(4),
    595-600; within bins Stephenson, Coelho and Jolliffe (2008), Two extra components in the Brier score decomposition,
    Weather and Forecasting 23(4), 752-757.

    Raises:
        LearningError: see `binary.check_probabilities` and `rows.check_weight`; also fewer than one bin.

    Example:
        >>> brier_parts([True, False, True, True], [0.5, 0.5, 1.0, 1.0])
        BrierParts(reliability=0.0, resolution=0.0625, uncertainty=0.1875, variance_within=0.0, covariance_within=0.0)
    """
    binned = _bins(y, score, weight, bins)
    if isinstance(binned, Undefined):
        return binned
    w, rate = binned.weight, binned.base_rate
    apart = binned.probability - binned.mean
    resolved = float(w @ (binned.rate - rate) ** 2)
    return BrierParts(
        reliability=float(w @ (binned.mean - binned.rate) ** 2),
        resolution=resolved if resolved > _ROUNDING else 0.0,
        uncertainty=rate * (1 - rate),
        variance_within=float(w @ apart**2),
        covariance_within=float(2 * w @ (apart * (binned.outcome - binned.rate))),
    )


def reliability(
    y: npt.ArrayLike, score: npt.ArrayLike, weight: npt.ArrayLike | None = None, *, bins: int | None = None
) -> Value:
    """See `BrierParts`."""
    parts = brier_parts(y, score, weight, bins=bins)
    return parts if isinstance(parts, Undefined) else parts.reliability


def resolution(
    y: npt.ArrayLike, score: npt.ArrayLike, weight: npt.ArrayLike | None = None, *, bins: int | None = None
) -> Value:
    """See `BrierParts`."""
    parts = brier_parts(y, score, weight, bins=bins)
    return parts if isinstance(parts, Undefined) else parts.resolution


def uncertainty(y: npt.ArrayLike, score: npt.ArrayLike, weight: npt.ArrayLike | None = None) -> Value:
    """See `BrierParts`."""
    parts = brier_parts(y, score, weight)
    return parts if isinstance(parts, Undefined) else parts.uncertainty


def score_groups(
    y: npt.ArrayLike, score: npt.ArrayLike, weight: npt.ArrayLike | None = None, *, groups: int = 10
) -> list[ScoreGroup]:
    """The rows in groups of equally many, or equal weight, by ascending score: what a reliability diagram shows.

    `y` may hold outcomes or amounts. Rows of one score share a group, so that there may be fewer groups.

    Raises:
        LearningError: see `regression.check_amounts` and `rows.check_weight`.

    Example:
        >>> score_groups([0, 0, 1, 1], [0.1, 0.3, 0.6, 0.8], groups=2)
        [ScoreGroup(rows=2, score=0.2, outcome=0.0), ScoreGroup(rows=2, score=0.7, outcome=1.0)]
    """
    amounts, scores, weights = drop_unweighted(*regression.check_amounts(y, score), weight)
    if not len(amounts):
        return []
    numbers = np.searchsorted(np.unique(_edges(scores, weights, groups)), scores, side="right")
    shares = np.ones(len(scores)) if weights is None else weights
    result = []
    for number in np.unique(numbers):
        of_group = numbers == number
        means = [float(np.average(values[of_group], weights=shares[of_group])) for values in (scores, amounts)]
        result.append(ScoreGroup(int(of_group.sum()), *means))
    return result


def of_calibration_error(label: Floats, score: Floats, weights: Floats, *, bins: int | None = 15) -> Influence:
    """The influence on `expected_calibration_error`, the bins being what they are."""
    binned = _in_bins(label == 1, score, weights, bins)
    gap = binned.mean - binned.rate
    side = np.where(np.abs(gap) > 1e-12, np.sign(gap), 0)  # that of a gap which is 0 but for rounding says nothing
    error = binned.probability - binned.outcome
    values = binned.weight * (side * error - binned.weight @ np.abs(gap))
    return Influence(values, (weights,), distances=binned.distances(error - gap, squared=False))


def of_reliability(label: Floats, score: Floats, weights: Floats, *, bins: int | None = None) -> Influence:
    """The influence on `reliability`, the bins being what they are."""
    binned = _in_bins(label == 1, score, weights, bins)
    gap = binned.mean - binned.rate
    moved = binned.probability - binned.outcome - gap
    values = binned.weight * (gap**2 + 2 * gap * moved - binned.weight @ gap**2)
    return Influence(values, (weights,), 2, binned.distances(moved, squared=True))


def of_resolution(label: Floats, score: Floats, weights: Floats, *, bins: int | None = None) -> Influence:
    """The influence on `resolution`, the bins being what they are."""
    binned = _in_bins(label == 1, score, weights, bins)
    gap = binned.rate - binned.base_rate
    moved = binned.outcome - binned.rate
    values = binned.weight * (gap**2 + 2 * gap * moved - binned.weight @ gap**2)
    distances = replace(binned.distances(moved, squared=True), from_mean=True)
    return Influence(values, (weights,), 2, distances)


def of_uncertainty(label: Floats, score: Floats, weights: Floats) -> Influence:
    """The influence on `uncertainty`."""
    binned = _in_bins(label == 1, score, weights, None)
    rate = binned.base_rate
    return Influence(binned.weight * (1 - 2 * rate) * (binned.outcome - rate), (weights,), degree=2)


def _bins(
    y: npt.ArrayLike, score: npt.ArrayLike, weight: npt.ArrayLike | None, bins: int | None
) -> "_Bins | Undefined":
    outcomes, probabilities, weights = drop_unweighted(*check_probabilities(y, score), weight)
    if bins is not None and bins < 1:
        raise LearningError(f"There are {bins} bins: expected 1 or more, or None for one of each distinct score.")
    return _in_bins(outcomes, probabilities, weights, bins) if len(outcomes) else NO_ROWS


def _in_bins(outcomes: Booleans, probabilities: Floats, weights: Floats | None, bins: int | None) -> _Bins:
    edges = np.unique(probabilities) if bins is None else _edges(probabilities, weights, bins)
    _, numbers = np.unique(np.searchsorted(edges, probabilities, side="right"), return_inverse=True)
    shares = np.ones(len(outcomes)) if weights is None else weights
    shares = shares / shares.sum()
    truth = outcomes.astype(np.float64)
    share = np.asarray(np.bincount(numbers, shares), np.float64)
    mean, rate = (np.bincount(numbers, shares * values) / share for values in (probabilities, truth))
    return _Bins(truth, probabilities, shares, mean[numbers], rate[numbers], numbers, share)


def _edges(probabilities: Floats, weight: Floats | None, bins: int) -> Floats:
    """The scores at which bins of equal weight begin, the first one's left out.

    The least weight counts as one row, so that only proportions matter: whole-number weights of which one is 1 give
    the same bins as repeated rows.
    """
    order = np.argsort(probabilities)
    rows = np.ones(len(order)) if weight is None else np.round(weight / max(weight.min(), 1e-9), 9)
    cumulative = np.cumsum(rows[order])
    before = np.round(np.arange(1, bins) * cumulative[-1] / bins, 9)  # it may be a row's: no rounding error moves it
    edges: Floats = probabilities[order[np.searchsorted(cumulative, before, side="right").clip(max=len(order) - 1)]]
    return edges
