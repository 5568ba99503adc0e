"""The figures of one night that are followed from night to night, so that a change is seen.

| measure | says | of |
|---|---|---|
| `label_shift` | outcome minus score, on average: the prior has moved, or the calibration | all rows, each class |
| `excess_loss` | log loss minus what the probabilities themselves make expected, apart from the level of the night: \
rows that look the same have other outcomes | all rows, parts |
| `label_shift_against_rest` | that of a part minus that of all other rows: what moves every row of a night cancels | \
parts |

Source of `excess_loss`: the test of Spiegelhalter (1986), Probabilistic prediction in patient management and clinical
trials, Statistics in Medicine 5(5), 421-433, with log loss in place of squares: its mean is 0 where outcomes come as
the probabilities say, and its rows are (score - outcome) x log-odds of the score. The log-odds are taken from their
mean, by weights of score x (1 - score): then a night on which all outcomes are likelier moves it in second order only
(the efficient score of the slope beside an intercept: Cox, 1958, Two further applications of a model for binary
regression, Biometrika 45, 562-565).
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from nightjar.evaluation.binary import Booleans
from nightjar.evaluation.criteria import of_metrics
from nightjar.evaluation.influence import of_ratio
from nightjar.evaluation.intervals import Interval, Scale, interval
from nightjar.evaluation.log_odds import log_odds
from nightjar.evaluation.metric_report import Truth, figure, mean_interval
from nightjar.evaluation.rows import Floats
from nightjar.settings.task import Task

ALL = "all"
"""The slice that has every row."""
POSITIVE_RATE = "positive_rate"
LABEL_SHIFT, EXCESS_LOSS, AGAINST_REST = "label_shift", "excess_loss", "_against_rest"
_TINY = np.finfo(np.float64).eps
Followed = Iterator[tuple[str, str, Interval]]
"""Slice, measure, and its value with an interval over the entities of the night."""


def metric_figures(truth: Truth, score: Floats) -> Followed:
    """The metrics of the task, of all rows; of two classes the share of positive ones, too."""
    for name, criterion in of_metrics(truth.task, truth.standard).items():
        label, own = criterion.columns(truth.label, score)
        yield ALL, name, figure(criterion.measure, replace(truth, label=label), own, **criterion.parameters)
    if truth.task is Task.CLASSIFICATION:
        yield ALL, POSITIVE_RATE, mean_interval(np.asarray(truth.label, np.float64), truth.clusters, truth.weight)


def shift_figures(truth: Truth, score: Floats, parts: Mapping[str, Booleans]) -> Followed:
    """What is in the table above, of all rows and of each part; of a ranking nothing, as its scores have no unit.

    Args:
        truth: rows with known outcomes.
        score: of each row, of several classes (rows, classes).
        parts: name of a slice -> whether each row is of it.

    Example:
        A part whose rows are late twice as often as predicted, beside one that is as predicted.

        >>> from nightjar.evaluation.clusters import Clusters
        >>> late, rows = np.tile([True, True, False, False, True, False, False, False], 20), np.arange(160)
        >>> truth = Truth(Task.CLASSIFICATION, late, Clusters(rows, 0 * rows))
        >>> part = {"origin=JFK": np.tile(np.arange(8) < 4, 20)}
        >>> for of, measure, one in shift_figures(truth, np.full(160, 0.25), part):
        ...     print(of, measure, round(one.estimate, 3))
        all label_shift 0.125
        all excess_loss 0.0
        origin=JFK label_shift 0.25
        origin=JFK excess_loss 0.0
        origin=JFK label_shift_against_rest 0.25
    """
    if truth.task is Task.RANKING or not len(truth.label):
        return
    shifts = _shifts(truth, score)
    for name, values in (shifts | _losses(truth, score)).items():
        yield ALL, name, mean_interval(values, truth.clusters, truth.weight, Scale.PLAIN)
    for of, member in parts.items():
        rows = np.flatnonzero(member)
        if not len(rows):
            continue
        part = truth.take(rows)
        own = {name: values[rows] for name, values in shifts.items()}
        for name, values in (own | _losses(part, score[rows])).items():
            yield of, name, mean_interval(values, part.clusters, part.weight, Scale.PLAIN)
        for name, values in shifts.items():
            yield of, against_rest(name), difference_of_means(values, member, truth)


def against_rest(measure: str) -> str:
    """The measure that compares a part's with that of all other rows; of one class its value stays at the end."""
    name, bracket, value = measure.partition("[")
    return f"{name}{AGAINST_REST}{bracket}{value}"


def difference_of_means(values: Floats, member: Booleans, truth: Truth) -> Interval:
    """The mean of one value a row over the members minus that over all other rows; undefined without either."""
    if member.all() or not member.any():
        return Interval(None, None, None, int(member.sum()), "there are no other rows" if member.any() else "no rows")
    weight = np.ones(len(values)) if truth.weight is None else truth.weight
    sides = [member.astype(np.float64), (~member).astype(np.float64)]
    if any(not weight @ side for side in sides):
        return Interval(None, None, None, int(member.sum()), "rows of one side have no weight")
    # `of_ratio` takes amounts of 0 or more; a constant on both sides cancels in the difference.
    lifted = values - values.min()
    own, rest = (of_ratio(lifted * side, side, weight) for side in sides)
    means = [float(weight @ (values * side) / (weight @ side)) for side in sides]
    one = interval(means[0] - means[1], own.minus(rest), truth.clusters, Scale.PLAIN, size=max(map(abs, means)))
    return Interval(one.estimate, one.low, one.high, int(member.sum()), one.reason)


def _shifts(truth: Truth, score: Floats) -> dict[str, Floats]:
    if truth.task is not Task.MULTICLASS:
        return {LABEL_SHIFT: np.asarray(truth.label, np.float64) - score}
    return {
        f"{LABEL_SHIFT}[{name}]": (truth.label == number) - score[:, number]
        for number, name in enumerate(truth.standard.classes)
    }


def _losses(truth: Truth, score: Floats) -> dict[str, Floats]:
    """Of each row its log loss beyond the entropy of its probabilities, each class from its own level."""
    if not truth.task.has_classes:
        return {}
    weight = np.ones(len(score)) if truth.weight is None else truth.weight
    if truth.task is Task.CLASSIFICATION:
        surplus, odds = score - np.asarray(truth.label, np.float64), log_odds(score)
        return {EXCESS_LOSS: surplus * _from_level(odds, score, weight)}
    logs = np.log(np.clip(score, _TINY, 1))
    surplus = score - (truth.label[:, None] == np.arange(score.shape[1]))
    levels = [_from_level(logs[:, number], score[:, number], weight) for number in range(score.shape[1])]
    return {EXCESS_LOSS: (surplus * np.column_stack(levels)).sum(axis=1)}


def _from_level(values: Floats, score: Floats, weight: Floats) -> Floats:
    """Values minus their mean, by how much a row's outcome can say."""
    says = weight * score * (1 - score)
    level = says @ values / says.sum() if says.sum() > 0 else 0.0
    return np.asarray(values - level, np.float64)
