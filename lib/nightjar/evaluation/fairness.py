"""Differences between groups of rows in what is decided for them.

Sources: Hardt, Price and Srebro (2016), Equality of opportunity in supervised learning, NeurIPS 29, for recall and the
false positive rate; Feldman et al. (2015), Certifying and removing disparate impact, KDD, for the selection rate.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from nightjar.evaluation.binary import Booleans
from nightjar.evaluation.clusters import Codes
from nightjar.evaluation.influence import of_ratio
from nightjar.evaluation.intervals import Interval, Scale, interval
from nightjar.evaluation.metric_report import Truth
from nightjar.evaluation.rows import Floats, RowNumbers

_ROWS_OF: Mapping[str, Callable[[Booleans], Booleans]] = {
    "selection_rate": lambda label: np.ones(len(label), bool),
    "recall": lambda label: label,
    "false_positive_rate": lambda label: ~label,
}
"""Rate -> which rows it is the acted-on share of, by their labels."""


@dataclass(frozen=True, eq=False)
class Decision:
    """A yes or no about each row.

    Attributes:
        truth: the rows, as two classes: whether yes was right.
        probability: that yes is right.
        acts: whether it was yes.
        of_class: the value of the class that was predicted or not; None: there are two classes, and yes is to act.
    """

    truth: Truth
    probability: Floats
    acts: Booleans
    of_class: str | None = None

    def named(self) -> dict[str, str]:
        """The class that it is about, as the evidence holds it: nothing where there are two."""
        return {} if self.of_class is None else {"class": self.of_class}


@dataclass(frozen=True)
class GroupDifference:
    """The rate of one group minus that of another one.

    Attributes:
        groups: their numbers.
        rates: theirs, None where a group has no rows of the rate.
        least: the rows that the rate of the smaller group is of.
        blocks: the blocks of time of these rows, of the group that has fewer.
        interval: of the difference.
    """

    groups: tuple[int, int]
    rates: tuple[float | None, float | None]
    least: int
    blocks: int
    interval: Interval


def group_differences(
    rate: str, truth: Truth, acts: Booleans, group: Codes, confidence: float, least_rows: int = 1
) -> Iterator[GroupDifference]:
    """The differences between all pairs of groups in a rate of decisions.

    Args:
        rate: `selection_rate`, `recall` or `false_positive_rate`.
        truth: of a classification.
        acts: whether each row is acted on.
        group: the number of each row's group, from 0.
        confidence: of each interval.
        least_rows: a group with fewer rows of the rate is not compared.

    Example:
        >>> from nightjar.evaluation.clusters import Clusters
        >>> from nightjar.settings.task import Task
        >>> night, group = np.repeat(np.arange(5), 4), np.tile([0, 0, 1, 1], 5)
        >>> truth = Truth(Task.CLASSIFICATION, np.tile([True, False], 10), Clusters(np.arange(20), night))
        >>> acts = np.tile([True, True, True, False], 5)
        >>> [one] = group_differences("selection_rate", truth, acts, group, 0.95)
        >>> one.groups, one.rates, one.interval.estimate
        ((0, 1), (1.0, 0.5), 0.5)
    """
    label = np.asarray(truth.label) == 1
    weight = np.ones(len(label)) if truth.weight is None else truth.weight
    counts = _ROWS_OF[rate](label) & (weight > 0)
    members = [np.flatnonzero(counts & (group == number)) for number in range(int(group.max(initial=-1)) + 1)]
    blocks = [truth.clusters.take(rows).blocks for rows in members]
    rates = [float(np.average(acts[rows], weights=weight[rows])) if rows.size else None for rows in members]
    for one, other in combinations(range(len(members)), 2):
        least, pair = min(len(members[one]), len(members[other])), (members[one], members[other])
        if least == 0:
            between = Interval(None, None, None, 0, "a group has no such rows")
        elif least < least_rows:
            reason = f"{least} rows of a group are fewer than {least_rows}"
            between = Interval(None, None, None, least, reason)
        else:
            between = _difference(truth, acts, weight, pair, confidence)
        yield GroupDifference((one, other), (rates[one], rates[other]), least, min(blocks[one], blocks[other]), between)


def _difference(
    truth: Truth, acts: Booleans, weight: Floats, members: tuple[RowNumbers, RowNumbers], confidence: float
) -> Interval:
    """By the rows of the two groups alone: others have no influence on it, and with many groups they are most rows."""
    used = np.concatenate(members)
    first = (np.arange(len(used)) < len(members[0])).astype(np.float64)
    weights, numerator, pair = weight[used], acts[used].astype(np.float64), (first, 1 - first)
    influences = [of_ratio(numerator * rows, rows, weights) for rows in pair]
    rates = [float(weights @ (numerator * rows) / (weights @ rows)) for rows in pair]
    clusters = truth.clusters.take(used)
    influence = influences[0].minus(influences[1])
    return interval(
        rates[0] - rates[1], influence, clusters, Scale.SIGNED_SHARE, size=max(rates), confidence=confidence
    )
