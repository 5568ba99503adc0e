"""How far a measure can be trusted: bootstrap intervals over whole blocks.

The unit of evidence is the night, not the row: rows of one day share weather and shocks, so whole blocks (days,
groups) are resampled with replacement. Intervals that resample rows are several times too narrow.

Source: the percentile interval of Efron and Tibshirani (1993), An Introduction to the Bootstrap, section 13.3, with
clusters as the units drawn as in Field and Welsh (2007), Bootstrapping clustered data, Journal of the Royal
Statistical Society B 69(3), 369-390. With few blocks (below about 20) such intervals are somewhat too narrow.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nightjar.errors import LearningError
from nightjar.evaluation.metrics import checked, roc_auc

Measure = Callable[[npt.NDArray[np.bool_], npt.NDArray[np.float64]], float | None]
"""A measure of outcomes and scores; None where the rows cannot answer it."""

_Multiplicities = npt.NDArray[np.int64]  # how often each block was drawn, in the order of the block codes
_Resampled = Callable[[_Multiplicities], float | None]

_LEAST_DEFINED = 0.95  # share of resamples that must have a value; fewer, and the interval speaks of a lucky subset


@dataclass(frozen=True)
class Interval:
    """A measure with its bounds, in the measure's own unit.

    `estimate` is the measure of all rows, None where undefined. `low` and `high` are None where there is no evidence
    for bounds: no estimate, fewer than two blocks, or the measure undefined in more than 5% of the resamples.
    """

    estimate: float | None
    low: float | None
    high: float | None


def block_bootstrap(
    y: npt.ArrayLike,
    score: npt.ArrayLike,
    block: npt.ArrayLike,
    measure: Measure,
    *,
    resamples: int = 500,
    level: float = 0.95,
    seed: int,
) -> Interval:
    """The measure of all rows, with the central `level` of its values over resampled blocks.

    `block` names each row's block: dates, numbers or strings. The same seed gives the same interval, whatever the
    order of the rows. `roc_auc` costs one sort and then about three passes over the rows a resample; any other
    measure is called on every resample's rows.

    Raises:
        LearningError: rows that `metrics.checked` refuses, a missing block, no resamples, or a level outside (0, 1).
    """
    outcomes, scores = checked(y, score)
    codes, blocks = _codes(block, rows=len(outcomes))
    resampled = _resampled(outcomes, scores, codes, measure)
    draws = _draws(blocks, resamples, seed)
    return _percentile_interval(measure(outcomes, scores), resampled, draws, level)


def paired_block_bootstrap(
    y: npt.ArrayLike,
    score_a: npt.ArrayLike,
    score_b: npt.ArrayLike,
    block: npt.ArrayLike,
    measure: Measure,
    *,
    resamples: int = 500,
    level: float = 0.95,
    seed: int,
) -> Interval:
    """The difference a - b of the measure, both models scored on the same resamples of the same rows.

    What the two share (hard nights, easy nights) cancels: the interval is narrower than two separate ones suggest.

    Raises:
        LearningError: as `block_bootstrap`.
    """
    outcomes, a = checked(y, score_a)
    _, b = checked(y, score_b)
    codes, blocks = _codes(block, rows=len(outcomes))
    of_a, of_b = _resampled(outcomes, a, codes, measure), _resampled(outcomes, b, codes, measure)
    draws = _draws(blocks, resamples, seed)
    estimate = _difference(measure(outcomes, a), measure(outcomes, b))
    return _percentile_interval(estimate, lambda drawn: _difference(of_a(drawn), of_b(drawn)), draws, level)


def _codes(block: npt.ArrayLike, *, rows: int) -> tuple[npt.NDArray[np.intp], int]:
    """Each row's block as a number from 0, and how many blocks there are; sorted, so row order does not matter."""
    named = np.asarray(block)
    if named.shape != (rows,):
        raise LearningError(f"block has the shape {named.shape} beside {rows} rows: each row belongs to one block.")
    if (named.dtype.kind in "mM" and np.isnat(named).any()) or (named.dtype.kind == "f" and np.isnan(named).any()):
        raise LearningError("block is missing in some rows: each row belongs to one block, such as its run date.")
    try:
        names, codes = np.unique(named, return_inverse=True)
    except TypeError as error:
        raise LearningError(f"block mixes types or misses values, so blocks cannot be told apart: {error}.") from error
    return codes, len(names)


def _draws(blocks: int, resamples: int, seed: int) -> Iterator[_Multiplicities]:
    """How often each block is drawn, once per resample. One block says nothing about other nights: no draws."""
    if resamples < 1:
        raise LearningError(f"resamples is {resamples}: at least 1 is needed, 500 is usual.")
    random = np.random.default_rng(seed)
    return (
        np.bincount(random.integers(blocks, size=blocks), minlength=blocks)
        for _ in range(resamples if blocks > 1 else 0)
    )


def _resampled(
    y: npt.NDArray[np.bool_], score: npt.NDArray[np.float64], codes: npt.NDArray[np.intp], measure: Measure
) -> _Resampled:
    if measure is roc_auc:
        return _resampled_auc(y, score, codes)

    def value(drawn: _Multiplicities) -> float | None:
        rows = np.repeat(np.arange(len(y)), drawn[codes])
        return measure(y[rows], score[rows])

    return value


def _resampled_auc(y: npt.NDArray[np.bool_], score: npt.NDArray[np.float64], codes: npt.NDArray[np.intp]) -> _Resampled:
    """AUC where each row weighs as often as its block was drawn, without sorting again.

    The negatives are sorted once; where each positive stands among them does not change, only the weights do.
    Weights are whole numbers, so the sums are exact.
    """
    order = np.argsort(score[~y])
    negatives, negative_codes = score[~y][order], codes[~y][order]
    by_score = np.argsort(score[y])  # neighbours look up neighbouring sums, which the cache likes
    positives, positive_codes = score[y][by_score], codes[y][by_score]
    below = np.searchsorted(negatives, positives, side="left")
    not_above = np.searchsorted(negatives, positives, side="right")
    weight_before = np.zeros(len(negatives) + 1, dtype=np.int64)

    def value(drawn: _Multiplicities) -> float | None:
        np.cumsum(drawn[negative_codes], out=weight_before[1:])
        weight = drawn[positive_codes]
        pairs = int(weight.sum()) * int(weight_before[-1])
        won_twice = int(weight @ (weight_before[below] + weight_before[not_above]))  # a tie is won half
        return won_twice / (2 * pairs) if pairs else None

    return value


def _percentile_interval(
    estimate: float | None, resampled: _Resampled, draws: Iterator[_Multiplicities], level: float
) -> Interval:
    if not 0 < level < 1:
        raise LearningError(f"level is {level}: an interval covers a share between 0 and 1, such as 0.95.")
    if estimate is None:
        return Interval(None, None, None)
    values = [resampled(drawn) for drawn in draws]
    defined = [value for value in values if value is not None]
    if not defined or len(defined) < _LEAST_DEFINED * len(values):
        return Interval(estimate, None, None)
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return Interval(estimate, float(low), float(high))


def _difference(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else a - b
