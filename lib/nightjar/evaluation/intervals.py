"""How far a measure can be trusted: bootstrap intervals over whole blocks.

The unit of evidence is the night, not the row: rows of one day share weather and shocks, so whole blocks (days,
groups) are resampled with replacement. Intervals that resample rows are several times too narrow.

Source: the percentile interval of Efron and Tibshirani (1993), An Introduction to the Bootstrap, section 13.3, with
clusters as the units drawn as in Field and Welsh (2007), Bootstrapping clustered data, Journal of the Royal
Statistical Society B 69(3), 369-390. With few blocks (below about 20) such intervals are somewhat too narrow.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nightjar.errors import LearningError
from nightjar.evaluation import resampled
from nightjar.evaluation.regression import checked_amounts
from nightjar.evaluation.resampled import Codes, Multiplicities, Resampled, measured
from nightjar.evaluation.rows import Measure, counting, mean

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
    weight: npt.ArrayLike | None = None,
    resamples: int = 500,
    level: float = 0.95,
    seed: int,
) -> Interval:
    """The measure of all rows, with the central `level` of its values over resampled blocks.

    `y` holds labels of any task, `block` names each row's block: dates, numbers or strings. The same seed gives the
    same interval, whatever the order of the rows. Measures that `resampled` knows are not computed anew for every
    resample. `weight` says how many rows each one stands for, see `rows`; blocks of weight 0 are not drawn either.

    Raises:
        LearningError: rows that `checked_amounts`, `rows.checked_weight` or the measure refuses, a missing block, no
            resamples, or a level outside (0, 1).
    """
    labels, scores = checked_amounts(y, score)
    at, weights = counting(weight, len(labels))
    codes, blocks = _codes(block, at, rows=len(labels))
    estimate = measured(labels[at], scores[at], measure, weights)
    of_draw = resampled.resampled(labels[at], scores[at], codes, measure, weights)
    return _percentile_interval(estimate, of_draw, _draws(blocks, resamples, seed), level)


def mean_block_bootstrap(
    values: npt.ArrayLike,
    block: npt.ArrayLike,
    *,
    weight: npt.ArrayLike | None = None,
    resamples: int = 500,
    level: float = 0.95,
    seed: int,
) -> Interval:
    """The mean of finite values, such as one for each list of a ranking, with its interval; None without values.

    Raises:
        LearningError: as `block_bootstrap`.
    """
    numbers, _ = checked_amounts(values, values)
    at, weights = counting(weight, len(numbers))
    codes, blocks = _codes(block, at, rows=len(numbers))
    estimate, of_draw = mean(numbers[at], weights), resampled.mean(numbers[at], codes, weights)
    return _percentile_interval(estimate, of_draw, _draws(blocks, resamples, seed), level)


def paired_block_bootstrap(
    y: npt.ArrayLike,
    score_a: npt.ArrayLike,
    score_b: npt.ArrayLike,
    block: npt.ArrayLike,
    measure: Measure,
    *,
    weight: npt.ArrayLike | None = None,
    resamples: int = 500,
    level: float = 0.95,
    seed: int,
) -> Interval:
    """The difference a - b of the measure, both models scored on the same resamples of the same rows.

    What the two share (hard nights, easy nights) cancels: the interval is narrower than two separate ones suggest.

    Raises:
        LearningError: as `block_bootstrap`.
    """
    labels, a = checked_amounts(y, score_a)
    _, b = checked_amounts(y, score_b)
    at, weights = counting(weight, len(labels))
    codes, blocks = _codes(block, at, rows=len(labels))
    labels, a, b = labels[at], a[at], b[at]
    of_a, of_b = (resampled.resampled(labels, scores, codes, measure, weights) for scores in (a, b))
    draws = _draws(blocks, resamples, seed)
    estimate = _difference(*(measured(labels, scores, measure, weights) for scores in (a, b)))
    return _percentile_interval(estimate, lambda drawn: _difference(of_a(drawn), of_b(drawn)), draws, level)


def _codes(block: npt.ArrayLike, at: slice | Codes, *, rows: int) -> tuple[Codes, int]:
    """The block of each row that counts as a number from 0, and how many there are; sorted, whatever the row order."""
    named = np.asarray(block)
    if named.shape != (rows,):
        raise LearningError(f"block has the shape {named.shape} beside {rows} rows: each row belongs to one block.")
    if (named.dtype.kind in "mM" and np.isnat(named).any()) or (named.dtype.kind == "f" and np.isnan(named).any()):
        raise LearningError("block is missing in some rows: each row belongs to one block, such as its run date.")
    try:
        names, codes = np.unique(named[at], return_inverse=True)
    except TypeError as error:
        raise LearningError(f"block mixes types or misses values, so blocks cannot be told apart: {error}.") from error
    return codes, len(names)


def _draws(blocks: int, resamples: int, seed: int) -> Iterator[Multiplicities]:
    """How often each block is drawn, once per resample. One block says nothing about other nights: no draws."""
    if resamples < 1:
        raise LearningError(f"resamples is {resamples}: at least 1 is needed, 500 is usual.")
    random = np.random.default_rng(seed)
    return (
        np.bincount(random.integers(blocks, size=blocks), minlength=blocks)
        for _ in range(resamples if blocks > 1 else 0)
    )


def _percentile_interval(
    estimate: float | None, of_draw: Resampled, draws: Iterator[Multiplicities], level: float
) -> Interval:
    if not 0 < level < 1:
        raise LearningError(f"level is {level}: an interval covers a share between 0 and 1, such as 0.95.")
    if estimate is None:
        return Interval(None, None, None)
    values = [of_draw(drawn) for drawn in draws]
    defined = [value for value in values if value is not None]
    if not defined or len(defined) < _LEAST_DEFINED * len(values):
        return Interval(estimate, None, None)
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return Interval(estimate, float(low), float(high))


def _difference(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else a - b
