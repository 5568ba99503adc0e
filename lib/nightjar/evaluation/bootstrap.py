"""Metrics in many resamples of whole blocks of time, at the price of one sort: the block bootstrap, exactly.

A resample draws as many blocks as there are, with replacement, each with all its rows. So it is told by how often each
block is drawn, w, and rows need not be copied:

- log loss is a ratio of sums over blocks, both linear in w;
- ROC AUC is 1 - w'Dw / (w'p * w'q): p and q are the weights of each block's positive and negative rows, and D holds for
  each pair of blocks the weight of the pairs of rows that are in the wrong order, ties counting half;
- average precision takes the weights of the positive and of all rows that score at least as high as each positive
  row: w times their sums by block.

Sources: Carlstein (1986), The use of subseries values for estimating the variance of a general statistic from a
stationary sequence, Annals of Statistics 14(3), 1171-1179, for blocks that do not overlap; Field and Welsh (2007),
Bootstrapping clustered data, Journal of the Royal Statistical Society B 69(3), 369-390.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from nightjar.errors import LearningError
from nightjar.evaluation.binary import Booleans, check_probabilities, log_losses
from nightjar.evaluation.rows import Floats, RowNumbers, Undefined, check_weight
from nightjar.settings.task import Metric

_STEPS = 1024  # at once: of a thousand resamples about 30 MB


@dataclass(frozen=True, eq=False)
class Resampled:
    """A metric in each resample in which it is defined.

    Attributes:
        values: one a resample, in their order.
        is_defined: for each resample whether it has a value.
        undefined: why the others have none; None: all have one.
    """

    values: Floats
    is_defined: Booleans
    undefined: Undefined | None


@dataclass(frozen=True, eq=False)
class _Rows:
    """Rows, and what they are resampled by."""

    outcome: Booleans
    score: Floats
    block: RowNumbers
    weight: Floats
    loss: Floats

    def take(self, rows: RowNumbers | Booleans) -> "_Rows":
        return _Rows(self.outcome[rows], self.score[rows], self.block[rows], self.weight[rows], self.loss[rows])


def draw_blocks(blocks: int, resamples: int, seed: int) -> Floats:
    """How often each block is drawn in each resample, (resamples, blocks); each draws as many as there are.

    Example:
        >>> draw_blocks(3, resamples=2, seed=0).sum(axis=1).tolist()
        [3.0, 3.0]
    """
    random = np.random.default_rng(seed)
    return random.multinomial(blocks, np.full(blocks, 1 / blocks), size=resamples).astype(np.float64)


def resample(
    label: npt.ArrayLike,
    score: npt.ArrayLike,
    block: RowNumbers,
    times: Floats,
    slices: Mapping[str, Booleans],
    weight: npt.ArrayLike | None = None,
) -> dict[str, dict[Metric, Resampled]]:
    """ROC AUC, average precision and log loss of each slice in each resample: those of its rows, each taken as often as
    its block is drawn.

    The same `times` for two models, or two slices, give pairs of values, for the differences between them.
    Time and memory grow with the positive rows times the resamples, and with the pairs of blocks.

    Args:
        label: True or False, (rows,).
        score: probabilities, (rows,).
        block: the number of each row's block, from 0.
        times: how often each block is drawn, (resamples, blocks), see `draw_blocks`.
        slices: name -> whether each row is one of it, (rows,); of all rows one that is True everywhere.
        weight: how many rows each one stands for, see `rows`.

    Raises:
        LearningError: see `binary.check_probabilities` and `rows.check_weight`; also blocks or slices of other rows.

    Example:
        Two nights, the first one drawn twice, then each once.

        >>> late, score, night = [True, False, False, True], [0.9, 0.2, 0.6, 0.4], np.array([0, 0, 1, 1])
        >>> result = resample(late, score, night, np.array([[2.0, 0.0], [1.0, 1.0]]), {"all": np.ones(4, bool)})
        >>> result["all"][Metric.ROC_AUC].values.tolist()
        [1.0, 0.75]
    """
    outcomes, scores = check_probabilities(label, score)
    weights = check_weight(weight, len(scores))
    for name, column in (("block", block), *slices.items()):
        if len(column) != len(scores):
            raise LearningError(f"{name} has {len(column)} rows beside {len(scores)} scores: each row needs its own.")
    if len(block) and not 0 <= int(block.min()) <= int(block.max()) < times.shape[1]:
        raise LearningError(
            f"Blocks are numbered {block.min()} to {block.max()}, but the resamples draw from {times.shape[1]}: "
            "number them from 0, and draw from as many."
        )
    order = np.argsort(-scores, kind="stable")
    ones = np.ones(len(scores))
    rows = _Rows(outcomes, scores, block, ones if weights is None else weights, log_losses(outcomes, scores))
    ranked = rows.take(order)
    return {name: _resample(ranked.take(chosen[order]), times) for name, chosen in slices.items()}


def _resample(rows: _Rows, times: Floats) -> dict[Metric, Resampled]:
    """Of rows by descending score."""
    blocks = times.shape[1]
    of_block, losses, of_positives = (
        np.bincount(rows.block, values, blocks)
        for values in (rows.weight, rows.weight * rows.loss, rows.weight * rows.outcome)
    )
    drawn, positives = times @ of_block, times @ of_positives
    negatives = times @ (of_block - of_positives)
    discordant, precision_sums = _rank_sums(rows, times)
    wrong_pairs = np.einsum("rb,rb->r", times @ discordant, times)
    no_rows = "no block that was drawn has a row"
    no_positive = "no block that was drawn has a positive row"
    one_class = "the blocks that were drawn have rows of one class only"
    return {
        Metric.ROC_AUC: _ratio(positives * negatives - wrong_pairs, positives * negatives, one_class),
        Metric.AVERAGE_PRECISION: _ratio(precision_sums, positives, no_positive),
        Metric.LOG_LOSS: _ratio(times @ losses, drawn, no_rows),
    }


def _ratio(numerator: Floats, denominator: Floats, reason: str) -> Resampled:
    is_defined = denominator > 0
    values = numerator[is_defined] / denominator[is_defined]
    return Resampled(values, is_defined, None if is_defined.all() else Undefined(reason))


def _rank_sums(rows: _Rows, times: Floats) -> tuple[Floats, Floats]:
    """The pairs in the wrong order by (block of the positive, of the negative), and the precisions of each resample."""
    by_block = np.ascontiguousarray(times.T)
    blocks = times.shape[1]
    discordant, precision_sums = np.zeros((blocks, blocks)), np.zeros(len(times))
    positives_above, negatives_above = np.zeros(blocks), np.zeros(blocks)
    for positive, tied, between in _steps(rows, blocks):
        positives = positives_above + np.cumsum(positive, axis=0)
        negatives = negatives_above + np.cumsum(between + tied, axis=0)
        discordant += positive.T @ (negatives - tied / 2)
        of_positive, reached = positives @ by_block, (positives + negatives) @ by_block
        precision = np.divide(of_positive, reached, out=of_positive, where=reached > 0)
        precision_sums += np.einsum("sr,sr->r", positive @ by_block, precision)
        positives_above, negatives_above = positives[-1], negatives[-1]
    return discordant, precision_sums


def _steps(rows: _Rows, blocks: int) -> Iterator[tuple[Floats, Floats, Floats]]:
    """For each score of a positive row, from the highest one, the weights by block, some thousand steps at once.

    They are those of the positive rows of the score, of the negative ones of the score, and of those between this score
    and that of the step before.
    """
    tie = np.cumsum(np.diff(rows.score, prepend=np.inf) != 0) - 1
    has_positive = np.bincount(tie, rows.outcome) > 0
    step: RowNumbers = (np.cumsum(has_positive) - has_positive)[tie]
    number = int(has_positive.sum())
    kinds = (rows.outcome, ~rows.outcome & has_positive[tie], ~has_positive[tie] & (step < number))
    tables: list[Any] = []
    for kind in kinds:
        places = (step[kind], rows.block[kind])
        tables.append(sparse.csr_array((rows.weight[kind], places), shape=(number, blocks)))
    for first in range(0, number, _STEPS):
        positive, tied, between = (table[first : first + _STEPS].toarray() for table in tables)
        yield positive, tied, between
