"""Whether two classifiers are right about different rows: tests that describe two models, and decide nothing.

McNemar's test takes rows for independent, which rows of one night are not, and so claims too much; Durkalski's takes
nights for independent. Promotion decides by the intervals of `intervals`.
"""

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from scipy import stats

from nightjar.evaluation.binary import Booleans
from nightjar.evaluation.clusters import FEWEST, Clusters, Codes
from nightjar.evaluation.metric_report import Truth, metric_difference
from nightjar.evaluation.rows import Floats
from nightjar.settings.task import Metric


@dataclass(frozen=True)
class Test:
    """A test of the hypothesis that as many rows are right by the one alone as by the other alone.

    Attributes:
        statistic: chi-squared with one degree of freedom, if it is so.
        p: the chance of a greater one.
    """

    statistic: float
    p: float


def mcnemar(first: Booleans, second: Booleans) -> Test | None:
    """McNemar's test; None where both are right about the same rows.

    Source: McNemar (1947), Note on the sampling error of the difference between correlated proportions or percentages,
    Psychometrika 12(2), 153-157; without a correction for continuity.

    Args:
        first: whether the one is right about each row, (rows,).
        second: whether the other is.

    Example:
        >>> only_first, only_second = np.arange(40) < 25, np.arange(40) >= 25
        >>> mcnemar(only_first, only_second).statistic
        2.5
    """
    return _test(first.astype(float) - second)


def durkalski(first: Booleans, second: Booleans, cluster: Codes) -> Test | None:
    """The same of rows in independent clusters; None of fewer than three, or where both are right alike in each.

    Source: Durkalski, Palesch, Lipsitz and Rust (2003), Analysis of clustered matched-pair data, Statistics in
    Medicine 22(15), 2417-2428: the differences of a cluster count by its mean.

    Args:
        first: whether the one is right about each row, (rows,).
        second: whether the other is.
        cluster: the number of each row's cluster, from 0.
    """
    rows = np.bincount(cluster)
    sums = np.bincount(cluster, first.astype(float) - second)
    means = sums[rows > 0] / rows[rows > 0]
    return _test(means) if len(means) >= FEWEST else None


def describe_pair(truth: Truth, first: Booleans, second: Booleans) -> dict[str, Any]:
    """How many rows are right by one of two models alone, and what both tests say of that; weights do not count.

    Args:
        truth: has the blocks of time that are taken for independent.
        first: whether the model that is replaced is right about each row.
        second: whether the new one is.
    """
    tests = {"mcnemar": mcnemar(first, second), "durkalski": durkalski(first, second, truth.clusters.block)}
    counts = {"champion_alone_right": int((first & ~second).sum()), "new_alone_right": int((second & ~first).sum())}
    return counts | {name: None if test is None else asdict(test) for name, test in tests.items()}


def delong(truth: Truth, first: Floats, second: Floats) -> dict[str, Any]:
    """The second's ROC AUC minus the first's, with the interval that holds if rows are independent.

    Source: DeLong, DeLong and Clarke-Pearson (1988), Comparing the areas under two or more correlated receiver
    operating characteristic curves, Biometrics 44(3), 837-845. Obuchowski's form for clusters is what decides.

    Args:
        truth: of a classification.
        first: scores.
        second: scores.
    """
    alone = np.arange(len(first))
    independent = replace(truth, clusters=Clusters(alone, alone))
    return asdict(metric_difference(Metric.ROC_AUC, independent, second, first))


def _test(differences: Floats) -> Test | None:
    """Of independent differences whose mean is 0 if the hypothesis holds."""
    spread = float(differences @ differences)
    if not spread:
        return None
    statistic = float(differences.sum()) ** 2 / spread
    return Test(statistic, float(stats.chi2.sf(statistic, 1)))
