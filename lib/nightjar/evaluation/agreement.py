"""How far annotators agree about the same items, beyond what chance alone would give.

A measure that is undefined for these answers is None, never NaN: without items, or where everybody gives one and the
same answer to everything, chance alone would agree as well, and kappa is 0 / 0.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from nightjar.errors import LearningError

Codes = npt.NDArray[np.intp]
Booleans = npt.NDArray[np.bool_]
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Answers:
    """The annotators' answers about items: at most one answer of an annotator about an item.

    Attributes:
        item: the number of the item, from 0 up.
        annotator: the number of the annotator, from 0 up.
        answer: the number of what was answered, from 0 up; no and yes are 0 and 1.
    """

    item: Codes
    annotator: Codes
    answer: Codes

    def __post_init__(self) -> None:
        """Check the arrays.

        Raises:
            LearningError: the three are not of one length, or an annotator answers twice about an item.
        """
        lengths = [len(self.item), len(self.annotator), len(self.answer)]
        if len(set(lengths)) > 1:
            raise LearningError(f"Items, annotators and answers are {lengths} rows: each answer needs all three.")
        item_annotator = np.column_stack([self.item, self.annotator])
        keys, times = np.unique(item_annotator, axis=0, return_counts=True)
        if len(keys) < len(item_annotator):
            item, annotator = keys[times > 1][0].tolist()
            raise LearningError(f"Annotator {annotator} has several answers about item {item}: keep the last one.")


@dataclass(frozen=True)
class Pair:
    """Two annotators: the items that both answered, those on which they agree, and Cohen's kappa."""

    first: int
    second: int
    items: int
    agreed: int
    kappa: float | None


@dataclass(frozen=True)
class AgainstOthers:
    """One annotator: the items on which the others have a majority, and those on which it is the annotator's answer."""

    annotator: int
    items: int
    agreed: int


def cohen_kappa(first: npt.ArrayLike, second: npt.ArrayLike) -> float | None:
    """Cohen's kappa of two annotators: (observed - expected) / (1 - expected) agreement, at most 1.

    Expected is the agreement of two annotators who answer at random, each with the shares of his own answers. None
    without items, or where both give one and the same answer to all.
    Source: Cohen (1960), Educational and Psychological Measurement 20(1), 37-46.

    Args:
        first: the answers of one annotator, of any kind that can be compared, without missing ones.
        second: the answers of the other one about the same items.

    Raises:
        LearningError: they are not of one length.
    """
    one, other = np.asarray(first), np.asarray(second)
    if one.ndim != 1 or one.shape != other.shape:
        raise LearningError(f"Answers of the shapes {one.shape} and {other.shape} are not about the same items.")
    levels, codes = np.unique(np.concatenate([one, other]), return_inverse=True)
    table = np.zeros((len(levels), len(levels)), dtype=np.int64)
    np.add.at(table, (codes[: len(one)], codes[len(one) :]), 1)
    return _kappa_of(table)


def fleiss_kappa(counts: npt.ArrayLike) -> float | None:
    """Fleiss' kappa of many annotators: (observed - expected) / (1 - expected) agreement, at most 1.

    With n_ij answers j about item i, n_i in all: the pairs of answers about an item agree with the share
    P_i = sum_j n_ij (n_ij - 1) / (n_i (n_i - 1)). Observed is sum_i (n_i - 1) P_i / sum_i (n_i - 1), expected is
    sum_j p_j^2 with p_j the share of answer j among all. Of equally many answers about each item this is Fleiss' own
    kappa; the weights n_i - 1 are Fleiss and Cuzick's for unequal numbers, where one answer more about an item counts
    for as much as about any other. Items with fewer than two answers say nothing about agreement and are left out.

    Its limits: who gave an answer plays no part (annotators count as exchangeable, and as randomly assigned to items),
    answers have no order, and with unequal numbers it has no simple standard error. None where no item has two
    answers, or where all answers are the same.
    Sources: Fleiss (1971), Psychological Bulletin 76(5), 378-382; Fleiss and Cuzick (1979), Applied Psychological
    Measurement 3(4), 537-542.

    Args:
        counts: whole numbers from 0 up, (items, kinds of answers): how often each answer was given about each item.

    Raises:
        LearningError: the counts are not whole numbers from 0 up, or not two-dimensional.
    """
    table = np.asarray(counts)
    if table.ndim != 2 or table.dtype.kind not in "iu" or (table < 0).any():
        raise LearningError(f"Counts of answers are whole numbers from 0 up, (items, answers); found {table!r:.200}.")
    table = table[table.sum(axis=1) >= 2]
    answers_of_item = table.sum(axis=1)
    if not len(table):
        return None
    agreement = (table * (table - 1)).sum(axis=1) / answers_of_item
    observed = float(agreement.sum() / (answers_of_item - 1).sum())
    shares = table.sum(axis=0) / answers_of_item.sum()
    return _beyond_chance(observed, float((shares**2).sum()), only_one=int((shares > 0).sum()) == 1)


def counts_by_answer(answers: Answers) -> Counts:
    """How often each item was answered with each answer, (items, answers); with no and yes there are at least two."""
    kinds = max(2, int(answers.answer.max(initial=-1)) + 1)
    counts = np.zeros((int(answers.item.max(initial=-1)) + 1, kinds), dtype=np.int64)
    np.add.at(counts, (answers.item, answers.answer.astype(np.intp)), 1)
    return counts


def ahead(counts: Counts) -> Codes:
    """The answer that was given more often than any other about each item; -1 where several are first, or none is."""
    most = counts.max(axis=1, initial=0, keepdims=True)
    is_alone = ((counts == most).sum(axis=1) == 1) & (most[:, 0] > 0)
    return np.where(is_alone, counts.argmax(axis=1), -1)


def pairs(answers: Answers) -> list[Pair]:
    """Every two annotators who answered an item in common, sorted by their numbers."""
    answered = _items_by_annotator(answers, np.ones(len(answers.item), dtype=np.bool_))
    common = sparse.triu(answered.T @ answered, k=1).tocoo()
    order = np.lexsort((common.col, common.row))
    first, second, items = common.row[order], common.col[order], common.data[order]
    agreed, by_chance, only_one = np.zeros(len(items), np.int64), np.zeros(len(items)), np.zeros(len(items), np.bool_)
    for kind in np.unique(answers.answer):
        own = _items_by_annotator(answers, answers.answer == kind)
        agreed += _entries(own.T @ own, first, second)
        beside = own.T @ answered  # how often an annotator answers so about what another one has answered about
        of_first, of_second = _entries(beside, first, second), _entries(beside, second, first)
        by_chance += of_first / items * (of_second / items)
        only_one |= (of_first == items) & (of_second == items)
    kappas = [
        _beyond_chance(same / count, chance, only_one=bool(is_one))
        for same, count, chance, is_one in zip(agreed, items, by_chance, only_one, strict=True)
    ]
    columns = (first.tolist(), second.tolist(), items.tolist(), agreed.tolist(), kappas)
    return [Pair(*one) for one in zip(*columns, strict=True)]


def against_the_others(answers: Answers) -> list[AgainstOthers]:
    """Each annotator against what most of the others say, item by item; where these tie, nothing is counted."""
    others, answer = counts_by_answer(answers)[answers.item], answers.answer.astype(np.intp)
    others[np.arange(len(answer)), answer] -= 1
    first, annotators = ahead(others), int(answers.annotator.max(initial=-1)) + 1
    with_majority = np.bincount(answers.annotator[first >= 0], minlength=annotators)
    agreed = np.bincount(answers.annotator[first == answer], minlength=annotators)
    answered = np.unique(answers.annotator).tolist()
    return [AgainstOthers(number, int(with_majority[number]), int(agreed[number])) for number in answered]


def _items_by_annotator(answers: Answers, counts: Booleans) -> Any:
    """A sparse matrix (items, annotators), 1 where an answer counts; scipy's matrices have no types."""
    shape = (int(answers.item.max(initial=-1)) + 1, int(answers.annotator.max(initial=-1)) + 1)
    ones = np.ones(int(counts.sum()), dtype=np.int64)
    return sparse.csr_matrix((ones, (answers.item[counts], answers.annotator[counts])), shape=shape)


def _entries(matrix: Any, rows: Codes, columns: Codes) -> Counts:
    return np.asarray(matrix.tocsr()[rows, columns]).ravel().astype(np.int64) if len(rows) else np.zeros(0, np.int64)


def _kappa_of(table: Counts) -> float | None:
    """Cohen's kappa from counts of items, (answers of the first, answers of the second).

    Ours, not scikit-learn's `cohen_kappa_score`: that gives the same, but warns or raises where this is None, and takes
    some hundred times as long, which counts for thousands of pairs of annotators.
    """
    items = int(table.sum())
    if not items:
        return None
    first, second = table.sum(axis=1) / items, table.sum(axis=0) / items
    only_one = int((table.sum(axis=0) + table.sum(axis=1) > 0).sum()) == 1
    return _beyond_chance(float(np.trace(table)) / items, float(first @ second), only_one=only_one)


def _beyond_chance(observed: float, expected: float, *, only_one: bool) -> float | None:
    """(observed - expected) / (1 - expected); None for a single answer, where expected is 1 up to rounding."""
    return None if only_one else (observed - expected) / (1 - expected)
