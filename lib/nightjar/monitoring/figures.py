"""The figures of one night's predictions whose outcomes are known."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nightjar.evaluation.acting import calibration_gap
from nightjar.evaluation.confusion import confusion
from nightjar.evaluation.criteria import decided
from nightjar.evaluation.intervals import Interval
from nightjar.evaluation.metric_report import Truth, intervals
from nightjar.evaluation.metrics import measures
from nightjar.evaluation.reliability import score_groups
from nightjar.evaluation.rows import Floats, RowNumbers, Undefined, Value, number_or_none
from nightjar.settings.task import Task

ALL = "all"
GROUPS = 10


@dataclass(frozen=True)
class Figure:
    """One measured value.

    Attributes:
        of: the rows it is about: all; decile 1 to 10, by ascending score; tier X, those that a decision was the same
            for; or class X, those whose outcome is X.
        measure: its name, see `metrics.measures`.
        interval: the value with its bounds, which some have; `rows` 0: not counted.
    """

    of: str
    measure: str
    interval: Interval


def plain(of: str, measure: str, value: Value, rows: int = 0) -> Figure:
    """A figure that has no interval."""
    reason = value.reason if isinstance(value, Undefined) else None
    return Figure(of, measure, Interval(number_or_none(value), None, None, rows, reason))


def night_figures(truth: Truth, score: Floats) -> Iterator[Figure]:
    """Every figure of the task; what was predicted and what came of it by deciles of scores; of several classes also
    what each class was taken for.

    Labels and scores are as `measures` takes them. The deciles of several classes are by the probability of the
    predicted class, and what comes of it is whether the prediction is right.

    Raises:
        LearningError: see `metrics.measures`.
    """
    task, label, weight, standard = truth.task, truth.label, truth.weight, truth.standard
    whole = intervals(truth, score)
    yield from (Figure(ALL, name, one) for name, one in whole.items())
    values = measures(task, label, score, truth.query, weight, standard)
    yield from (plain(ALL, name, value, len(label)) for name, value in values.items() if name not in whole)
    if task is Task.RANKING or not len(label):
        return
    outcomes, scores = np.asarray(label, np.float64), score
    if task is Task.MULTICLASS:
        chosen = decided(score, standard)
        outcomes, scores = (chosen == label).astype(np.float64), score[np.arange(len(score)), chosen]
        yield from _confused(label, chosen, weight, standard.classes)
    name = {Task.CLASSIFICATION: "positive_rate", Task.MULTICLASS: "accuracy"}.get(task, "mean_label")
    for number, group in enumerate(score_groups(outcomes, scores, weight, groups=GROUPS), start=1):
        for measure, value in (("mean_score", group.score), (name, group.outcome)):
            yield plain(f"decile {number}", measure, value, group.rows)


def tier_figures(truth: Truth, score: Floats, tiers: npt.NDArray[np.object_]) -> Iterator[Figure]:
    """What was predicted and what came of it in each tier; of the gap between the two an interval.

    Args:
        truth: of two classes.
        score: of each row.
        tiers: the name of the one that each row was served in; None: in none.
    """
    label = np.asarray(truth.label, np.float64)
    for name in sorted({tier for tier in tiers if tier is not None}):
        rows = np.asarray(tiers == name)
        gap, weight = calibration_gap(truth, score, rows), None if truth.weight is None else truth.weight[rows]
        if gap.rows:
            for measure, values in (("mean_score", score), ("positive_rate", label)):
                yield plain(f"tier {name}", measure, float(np.average(values[rows], weights=weight)), gap.rows)
            yield Figure(f"tier {name}", "calibration_gap", gap)


def _confused(
    label: RowNumbers, chosen: RowNumbers, weight: Floats | None, classes: tuple[str, ...]
) -> Iterator[Figure]:
    """Of each class that has rows: the shares that were taken for each class, where above 0."""
    shares = confusion(label, chosen, weight, classes=len(classes))
    rows = np.bincount(label, minlength=len(classes))
    for actual, predicted in zip(*np.nonzero(shares), strict=True):
        share = float(shares[actual, predicted] / shares[actual].sum())
        yield plain(f"class {classes[actual]}", f"predicted[{classes[predicted]}]", share, int(rows[actual]))
