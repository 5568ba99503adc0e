"""How far annotators agree about the same items, beyond what chance alone would give.

A measure that these answers cannot give is None, never NaN: without items, or where everybody gives one and the same
answer to everything, chance alone would agree as well, and kappa is 0 / 0.
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
    """Who said what about which item: at most one answer of an annotator about an item.

    Attributes:
        item: the number of the item, from 0 up.
        annotator: the number of the annotator, from 0 up.
        answer: yes or no.
    """

    item: Codes
    annotator: Codes
    answer: Booleans

    def __post_init__(self) -> None:
        """Check that the three are of one length, and that nobody answers twice.

        Raises:
            LearningError: they are not, or somebody does.
        """
        lengths = [len(self.item), len(self.annotator), len(self.answer)]
        if len(set(lengths)) > 1:
            raise LearningError(f"Items, annotators and answers are {lengths} rows: each answer needs all three.")
        both = np.column_stack([self.item, self.annotator])
        said, times = np.unique(both, axis=0, return_counts=True)
        if len(said) < len(both):
            item, annotator = said[times > 1][0].tolist()
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

    Expected is what two annotators would agree on who answer at random, each with the shares of his own answers. None
    without items, or where both give one and the same answer to all.
    Source: Cohen (1960), Educational and Psychological Measurement 20(1), 37-46.

    Args:
        first: the answers of one annotator, of any kind that can be compared, without missing ones.
        second: those of the other one about the same items.

    Raises:
        LearningError: they are not of one length.
    """
    one, other = np.asarray(first), np.asarray(second)
    if one.ndim != 1 or one.shape != other.shape:
        raise LearningError(f"Answers of the shapes {one.shape} and {other.shape} are not about the same items.")
    kinds, codes = np.unique(np.concatenate([one, other]), return_inverse=True)
    table = np.zeros((len(kinds), len(kinds)), dtype=np.int64)
    np.add.at(table, (codes[: len(one)], codes[len(one) :]), 1)
    return _kappa_of(table)


def fleiss_kappa(counts: npt.ArrayLike) -> float | None:
    """Fleiss' kappa of many annotators: (observed - expected) / (1 - expected) agreement, at most 1.

    With n_ij answers j about item i, n_i in all: the pairs of answers about an item agree with the share
    P_i = sum_j n_ij (n_ij - 1) / (n_i (n_i - 1)). Observed is sum_i (n_i - 1) P_i / sum_i (n_i - 1), expected is
    sum_j p_j^2 with p_j the share of answer j among all. Of equally many answers about each item this is Fleiss' own
    kappa; the weights n_i - 1 are Fleiss and Cuzick's for unequal numbers, where one answer more about an item counts
    for as much as about any other. Items with fewer than two answers say nothing about agreement and are left out.

    Its limits: who gave an answer plays no part (annotators are taken as exchangeable, and items as theirs by chance),
    answers have no order, and with unequal numbers it has no simple standard error. None where no item has two
    answers, or where all answers are the same.
    Sources: Fleiss (1971), Psychological Bulletin 76(5), 378-382; Fleiss and Cuzick (1979), Applied Psychological
    Measurement 3(4), 537-542.

    Args:
        counts: whole numbers from 0 up, (items, kinds of answers): how often each answer was given about each item.

    Raises:
        LearningError: they are no such counts.
    """
    given = np.asarray(counts)
    if given.ndim != 2 or given.dtype.kind not in "iu" or (given < 0).any():
        raise LearningError(f"Counts of answers are whole numbers from 0 up, (items, answers); found {given!r:.200}.")
    given = given[given.sum(axis=1) >= 2]
    of_item = given.sum(axis=1)
    if not len(given):
        return None
    agreeing = (given * (given - 1)).sum(axis=1) / of_item
    observed = float(agreeing.sum() / (of_item - 1).sum())
    shares = given.sum(axis=0) / of_item.sum()
    return _beyond_chance(observed, float((shares**2).sum()), only_one=int((shares > 0).sum()) == 1)


def yes_and_no(answers: Answers) -> Counts:
    """How often each item was answered no and yes, (items, 2)."""
    counts = np.zeros((int(answers.item.max(initial=-1)) + 1, 2), dtype=np.int64)
    np.add.at(counts, (answers.item, answers.answer.astype(np.intp)), 1)
    return counts


def pairs(answers: Answers) -> list[Pair]:
    """Every two annotators who answered an item in common, by their numbers."""
    said = {answer: _items_by_annotator(answers, answer) for answer in (False, True)}
    both = {(one, other): (said[one].T @ said[other]).tocsr() for one in said for other in said}
    common = sparse.triu(sum(both.values()), k=1).tocoo()
    found = []
    for first, second in sorted(zip(common.row.tolist(), common.col.tolist(), strict=True)):
        table = np.array([[both[one, other][first, second] for other in said] for one in said], dtype=np.int64)
        items, agreed = int(table.sum()), int(np.trace(table))
        found.append(Pair(first, second, items, agreed, _kappa_of(table)))
    return found


def against_the_others(answers: Answers) -> list[AgainstOthers]:
    """Each annotator against the majority of the others, item by item; where the others tie, nothing is counted."""
    counts = yes_and_no(answers)[answers.item]
    said = answers.answer
    yes, no = counts[:, 1] - said, counts[:, 0] - ~said
    annotators = int(answers.annotator.max(initial=-1)) + 1
    judged = np.bincount(answers.annotator[yes != no], minlength=annotators)
    agreed = np.bincount(answers.annotator[(yes != no) & ((yes > no) == said)], minlength=annotators)
    answered = np.unique(answers.annotator).tolist()
    return [AgainstOthers(number, int(judged[number]), int(agreed[number])) for number in answered]


def _items_by_annotator(answers: Answers, answer: bool) -> Any:  # noqa: FBT001  (one of the two answers there are)
    """1 where the annotator gave this answer about the item; scipy's matrices have no types."""
    shape = (int(answers.item.max(initial=-1)) + 1, int(answers.annotator.max(initial=-1)) + 1)
    given = answers.answer == answer
    ones = np.ones(int(given.sum()), dtype=np.int64)
    return sparse.csr_matrix((ones, (answers.item[given], answers.annotator[given])), shape=shape)


def _kappa_of(table: Counts) -> float | None:
    """Cohen's kappa from (answer of the first, answer of the second) -> items."""
    items = int(table.sum())
    if not items:
        return None
    first, second = table.sum(axis=1) / items, table.sum(axis=0) / items
    only_one = int((table.sum(axis=0) + table.sum(axis=1) > 0).sum()) == 1
    return _beyond_chance(float(np.trace(table)) / items, float(first @ second), only_one=only_one)


def _beyond_chance(observed: float, expected: float, *, only_one: bool) -> float | None:
    """Nothing where only one answer is ever given: expected is then 1, up to rounding."""
    return None if only_one else (observed - expected) / (1 - expected)
