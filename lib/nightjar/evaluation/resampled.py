"""A measure of resampled blocks: what it would be of all rows of the blocks that were drawn, each as often as it was.

With weights, a row counts as often as its block was drawn times its weight, which is above 0 here.

Hundreds of resamples are asked for, so what the blocks say is worked out once where the measure allows it. The rows of
a resample are put together only for other measures.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from nightjar.evaluation.metrics import average_precision, brier, checked, log_loss, roc_auc
from nightjar.evaluation.regression import mae, rmse
from nightjar.evaluation.rows import Floats, Measure

Codes = npt.NDArray[np.intp]
Multiplicities = npt.NDArray[np.int64]
"""How often each block was drawn, in the order of the block codes."""
Resampled = Callable[[Multiplicities], float | None]
Prepare = Callable[[Floats, Floats, Codes, Floats | None], Resampled]


def measured(label: Floats, score: Floats, measure: Measure, weight: Floats | None) -> float | None:
    """The measure of these rows; it need not take weights where there are none."""
    return measure(label, score) if weight is None else measure(label, score, weight)


def resampled(label: Floats, score: Floats, codes: Codes, measure: Measure, weight: Floats | None = None) -> Resampled:
    """The measure of a resample, from how often each block is in it.

    Args:
        label: of each row.
        score: of each row.
        codes: the number of each row's block, from 0.
        measure: what is computed.
        weight: of each row.
    """
    prepare = _PREPARED.get(measure)
    return prepare(label, score, codes, weight) if prepare else _of_rows(label, score, codes, measure, weight)


def mean(values: Floats, codes: Codes, weight: Floats | None = None) -> Resampled:
    """The mean of one value a row."""
    each = values if weight is None else values * weight
    return _weighted(np.bincount(codes, each), np.bincount(codes, weight))


def _weighted(sums: npt.NDArray[Any], sizes: npt.NDArray[Any]) -> Resampled:
    def value(drawn: Multiplicities) -> float | None:
        rows = (drawn @ sizes).item()
        return float(drawn @ sums) / rows if rows else None

    return value


def _of_rows(label: Floats, score: Floats, codes: Codes, measure: Measure, weight: Floats | None) -> Resampled:
    def value(drawn: Multiplicities) -> float | None:
        rows = np.repeat(np.arange(len(label)), drawn[codes])
        return measured(label[rows], score[rows], measure, _taken(weight, rows))

    return value


def _taken(weight: Floats | None, rows: Codes) -> Floats | None:
    return None if weight is None else weight[rows]


def _times(codes: Codes, weight: Floats | None, rows: Codes) -> Callable[[Multiplicities], npt.NDArray[Any]]:
    """How often each of these rows counts in a resample. Whole numbers without weights, so that sums are exact."""
    drawn_codes, each = codes[rows], _taken(weight, rows)
    return lambda drawn: drawn[drawn_codes] if each is None else drawn[drawn_codes] * each


def _by_block(
    label: Floats, score: Floats, codes: Codes, measure: Measure, weight: Floats | None
) -> tuple[Floats, npt.NDArray[Any]]:
    """The measure of each block by itself, and its rows, or their weight."""
    order = np.argsort(codes, kind="stable")
    blocks = np.split(order, np.cumsum(np.bincount(codes))[:-1])
    values = [measured(label[rows], score[rows], measure, _taken(weight, rows)) for rows in blocks]
    return np.array(values, np.float64), np.bincount(codes, weight)


def _mean_of(measure: Measure) -> Prepare:
    """For a measure that is the mean of something over rows."""

    def prepare(label: Floats, score: Floats, codes: Codes, weight: Floats | None) -> Resampled:
        each, sizes = _by_block(label, score, codes, measure, weight)
        return _weighted(each * sizes, sizes)

    return prepare


def _rmse(label: Floats, score: Floats, codes: Codes, weight: Floats | None) -> Resampled:
    each, sizes = _by_block(label, score, codes, rmse, weight)
    squared = _weighted(each**2 * sizes, sizes)

    def value(drawn: Multiplicities) -> float | None:
        found = squared(drawn)
        return None if found is None else float(np.sqrt(found))

    return value


def _auc(label: Floats, score: Floats, codes: Codes, weight: Floats | None) -> Resampled:
    """AUC where each row weighs as often as its block was drawn, without sorting again.

    The negatives are sorted once; where each positive stands among them does not change, only how often it counts.
    """
    y, score = checked(label, score)
    negatives = np.flatnonzero(~y)[np.argsort(score[~y])]
    positives = np.flatnonzero(y)[np.argsort(score[y])]  # neighbours look up neighbouring sums, which the cache likes
    below = np.searchsorted(score[negatives], score[positives], side="left")
    not_above = np.searchsorted(score[negatives], score[positives], side="right")
    of_negatives, of_positives = (_times(codes, weight, rows) for rows in (negatives, positives))
    before = np.zeros(len(negatives) + 1, dtype=np.int64 if weight is None else np.float64)

    def value(drawn: Multiplicities) -> float | None:
        np.cumsum(of_negatives(drawn), out=before[1:])
        times = of_positives(drawn)
        pairs = times.sum().item() * before[-1].item()
        won_twice = (times @ (before[below] + before[not_above])).item()  # a tie is won half
        return won_twice / (2 * pairs) if pairs else None

    return value


def _average_precision(label: Floats, score: Floats, codes: Codes, weight: Floats | None) -> Resampled:
    """Average precision where each row weighs as often as its block was drawn, without sorting again."""
    y, score = checked(label, score)
    order = np.argsort(-score)
    positive, of_ordered = y[order], _times(codes, weight, order)
    last_of_tie = np.flatnonzero(np.diff(score[order], append=-np.inf))

    def value(drawn: Multiplicities) -> float | None:
        times = of_ordered(drawn)
        rows = np.cumsum(times)[last_of_tie]
        found = np.cumsum(times * positive)[last_of_tie]
        if not len(found) or not found[-1]:
            return None
        precision = found / np.where(rows > 0, rows, 1)  # before the first drawn row there is nothing found either
        return float(np.diff(found, prepend=0) @ precision / found[-1])

    return value


_PREPARED: Mapping[Measure, Prepare] = {
    roc_auc: _auc,
    average_precision: _average_precision,
    log_loss: _mean_of(log_loss),
    brier: _mean_of(brier),
    mae: _mean_of(mae),
    rmse: _rmse,
}
"""The measures that need no rows of a resample."""
