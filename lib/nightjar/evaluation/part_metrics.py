"""The main metric of parts of a night's rows, such as those of one airport: what it is, and what it is expected to be.

What is expected is learned from all rows, as a part's own are few. Where a part turns out otherwise than all rows, its
own earlier nights show it, see `estimate_intervals`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from nightjar.evaluation.binary import Booleans
from nightjar.evaluation.criteria import of_metric
from nightjar.evaluation.estimates import Estimator, Method
from nightjar.evaluation.followed import Followed
from nightjar.evaluation.metric_report import Truth, figure, headline
from nightjar.evaluation.rows import Floats, RowNumbers
from nightjar.settings.task import Task

FEWEST = 10
"""Rows of a part below which it has no metric: one row would decide it."""


def part_metrics(truth: Truth, score: Floats, parts: Mapping[str, Booleans]) -> Followed:
    """The main metric of each part of at least 10 rows, with its interval; of a ranking none: parts cut its lists.

    Args:
        truth: rows of one night with known outcomes.
        score: of each row, of several classes (rows, classes).
        parts: name of a part -> whether each row is of it.
    """
    metric = headline(truth.task)
    criterion = of_metric(metric, truth.task, truth.standard)
    for of, rows in _large(truth.task, parts):
        part = truth.take(rows)
        label, own = criterion.columns(part.label, score[rows])
        yield of, metric.value, figure(criterion.measure, replace(part, label=label), own, **criterion.parameters)


def part_estimates(
    estimator: Estimator, score: Floats, weight: Floats | None, parts: Mapping[str, Booleans]
) -> Iterator[tuple[str, str, Mapping[Method, float]]]:
    """What the main metric of each part of at least 10 rows is expected to be, by each way that there is.

    Args:
        estimator: learned from earlier nights.
        score: of each row, of several classes (rows, classes).
        weight: how many rows each one stands for; None: one each.
        parts: name of a part -> whether each row is of it.

    Example:
        Scores of the first fifty rows tell them apart, those of the others do not.

        >>> from nightjar.evaluation.criteria import Standard
        >>> score = np.concatenate([np.tile([0.1, 0.9], 25), np.full(50, 0.5)])
        >>> parts = {"origin=JFK": np.arange(100) < 50, "origin=LGA": np.arange(100) >= 50}
        >>> estimator = Estimator.unlearned(Task.CLASSIFICATION, Standard())
        >>> for of, measure, by_method in part_estimates(estimator, score, None, parts):
        ...     print(of, measure, round(by_method[Method.CONFIDENCE], 2))
        origin=JFK roc_auc 0.9
        origin=LGA roc_auc 0.5
    """
    name = headline(estimator.task).value
    for of, rows in _large(estimator.task, parts):
        estimates = estimator.estimate(score[rows], None if weight is None else weight[rows], only=name)
        if name in estimates:
            yield of, name, estimates[name]


def _large(task: Task, parts: Mapping[str, Booleans]) -> Iterator[tuple[str, RowNumbers]]:
    for of, member in parts.items() if task is not Task.RANKING else ():
        rows = np.flatnonzero(member)
        if len(rows) >= FEWEST:
            yield of, rows
