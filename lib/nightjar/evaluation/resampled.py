"""A measure of resampled blocks: what it would be of all rows of the blocks that were drawn, each as often as it was.

Hundreds of resamples are asked for, so what the blocks say is worked out once where the measure allows it. The rows of
a resample are put together only for other measures.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from nightjar.evaluation.metrics import average_precision, brier, checked, log_loss, roc_auc
from nightjar.evaluation.regression import mae, rmse

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.intp]
Measure = Callable[[Floats, Floats], float | None]
"""A measure of labels and scores; None where the rows cannot answer it."""
Multiplicities = npt.NDArray[np.int64]
"""How often each block was drawn, in the order of the block codes."""
Resampled = Callable[[Multiplicities], float | None]


def resampled(label: Floats, score: Floats, codes: Codes, measure: Measure) -> Resampled:
    """The measure of a resample, from how often each block is in it.

    Args:
        label: of each row.
        score: of each row.
        codes: the number of each row's block, from 0.
        measure: what is computed.
    """
    prepare = _PREPARED.get(measure)
    return prepare(label, score, codes) if prepare else _of_rows(label, score, codes, measure)


def mean(values: Floats, codes: Codes) -> Resampled:
    """The mean of one value a row."""
    return _weighted(np.bincount(codes, values), np.bincount(codes))


def _weighted(sums: npt.NDArray[Any], sizes: npt.NDArray[np.intp]) -> Resampled:
    def value(drawn: Multiplicities) -> float | None:
        rows = int(drawn @ sizes)
        return float(drawn @ sums) / rows if rows else None

    return value


def _of_rows(label: Floats, score: Floats, codes: Codes, measure: Measure) -> Resampled:
    def value(drawn: Multiplicities) -> float | None:
        rows = np.repeat(np.arange(len(label)), drawn[codes])
        return measure(label[rows], score[rows])

    return value


def _by_block(label: Floats, score: Floats, codes: Codes, measure: Measure) -> tuple[Floats, npt.NDArray[np.intp]]:
    """The measure of each block by itself, and its rows."""
    order, sizes = np.argsort(codes, kind="stable"), np.bincount(codes)
    blocks = np.split(order, np.cumsum(sizes)[:-1])
    return np.array([measure(label[rows], score[rows]) for rows in blocks], np.float64), sizes


def _mean_of(measure: Measure) -> Callable[[Floats, Floats, Codes], Resampled]:
    """For a measure that is the mean of something over rows."""

    def prepare(label: Floats, score: Floats, codes: Codes) -> Resampled:
        each, sizes = _by_block(label, score, codes, measure)
        return _weighted(each * sizes, sizes)

    return prepare


def _rmse(label: Floats, score: Floats, codes: Codes) -> Resampled:
    each, sizes = _by_block(label, score, codes, rmse)
    squared = _weighted(each**2 * sizes, sizes)

    def value(drawn: Multiplicities) -> float | None:
        found = squared(drawn)
        return None if found is None else float(np.sqrt(found))

    return value


def _auc(label: Floats, score: Floats, codes: Codes) -> Resampled:
    """AUC where each row weighs as often as its block was drawn, without sorting again.

    The negatives are sorted once; where each positive stands among them does not change, only the weights do.
    Weights are whole numbers, so the sums are exact.
    """
    y, score = checked(label, score)
    order = np.argsort(score[~y])
    negatives, negative_codes = score[~y][order], codes[~y][order]
    by_score = np.argsort(score[y])  # neighbours look up neighbouring sums, which the cache likes
    positives, positive_codes = score[y][by_score], codes[y][by_score]
    below = np.searchsorted(negatives, positives, side="left")
    not_above = np.searchsorted(negatives, positives, side="right")
    weight_before = np.zeros(len(negatives) + 1, dtype=np.int64)

    def value(drawn: Multiplicities) -> float | None:
        np.cumsum(drawn[negative_codes], out=weight_before[1:])
        weight = drawn[positive_codes]
        pairs = int(weight.sum()) * int(weight_before[-1])
        won_twice = int(weight @ (weight_before[below] + weight_before[not_above]))  # a tie is won half
        return won_twice / (2 * pairs) if pairs else None

    return value


def _average_precision(label: Floats, score: Floats, codes: Codes) -> Resampled:
    """Average precision where each row weighs as often as its block was drawn, without sorting again."""
    y, score = checked(label, score)
    order = np.argsort(-score)
    positive, ordered = y[order], codes[order]
    last_of_tie = np.flatnonzero(np.diff(score[order], append=-np.inf))

    def value(drawn: Multiplicities) -> float | None:
        weight = drawn[ordered]
        rows = np.cumsum(weight)[last_of_tie]
        found = np.cumsum(weight * positive)[last_of_tie]
        if not len(found) or not found[-1]:
            return None
        precision = found / np.maximum(rows, 1)  # before the first drawn row there is nothing found either
        return float(np.diff(found, prepend=0) @ precision / found[-1])

    return value


_PREPARED: Mapping[Measure, Callable[[Floats, Floats, Codes], Resampled]] = {
    roc_auc: _auc,
    average_precision: _average_precision,
    log_loss: _mean_of(log_loss),
    brier: _mean_of(brier),
    mae: _mean_of(mae),
    rmse: _rmse,
}
"""The measures that need no rows of a resample."""
