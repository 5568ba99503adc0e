"""How good predictions are before their outcomes are known: what their own probabilities say, or what like ones lost.

Two ways, both learned from rows of earlier nights whose labels are final:

- **by confidence**: each row counts as one row of every class, by the probability of the class; every measure of the
  task is taken over these. The probabilities are first shifted and stretched so that they fit the earlier rows. It sees
  a night of harder rows, or of more positives that the features show; it cannot see outcomes that come otherwise for
  rows that look the same. Source: Guerra et al. (2024), Estimating model performance under covariate shift without
  labels (PAPE, and CBPE before it), arXiv:2401.08348; here with a logistic recalibration.
- **directly**: a row is expected to lose what earlier rows of like scores lost, on average; a list, what earlier lists
  of as widely spread scores were worth. The only way for amounts and rankings.

Nothing here says how far off an estimate may be: `estimate_intervals` does, by how far earlier ones were.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.special import expit

from nightjar.evaluation.criteria import Standard, of_metrics
from nightjar.evaluation.followed import POSITIVE_RATE
from nightjar.evaluation.log_odds import class_shifts, fit_log_odds, log_odds
from nightjar.evaluation.metric_report import Truth, values_by_list
from nightjar.evaluation.row_losses import LOSSES, losses_of_rows
from nightjar.evaluation.rows import Floats, RowNumbers, mean, number_or_none
from nightjar.settings.choices import Choice
from nightjar.settings.task import Task

BINS = 20
"""Of scores, as many rows in each, within which rows are alike."""
_PSEUDO_ROWS = 20  # of the mean of all, in each bin


class Method(Choice):
    """How a figure is estimated."""

    CONFIDENCE = "confidence"
    DIRECT = "direct"


Estimates = Mapping[str, Mapping[Method, float]]
"""Measure -> method -> the estimate; one that is undefined is left out."""


@dataclass(frozen=True, eq=False)
class LossesByScore:
    """The mean loss of rows by their scores.

    Attributes:
        edges: between the bins of scores, ascending.
        means: of the losses in each bin, drawn to the mean of all where a bin has few rows.
    """

    edges: Floats
    means: Floats

    @classmethod
    def fit(cls, score: Floats, loss: Floats, weight: Floats) -> "LossesByScore":
        """Learn from rows whose loss is known.

        Example:
            >>> score = np.repeat([0.1, 0.9], 500)
            >>> fitted = LossesByScore.fit(score, np.where(score > 0.5, 2.0, 1.0), np.ones(1000))
            >>> float(fitted.mean(np.array([0.1, 0.9, 0.9]), np.ones(3)).round(1))
            1.7
        """
        edges = np.unique(np.quantile(score, np.linspace(0, 1, BINS + 1)[1:-1], method="higher"))
        number = np.searchsorted(edges, score, side="right")
        size, total = (np.bincount(number, values, len(edges) + 1) for values in (weight, weight * loss))
        overall = float(total.sum() / size.sum())
        pseudo = _PSEUDO_ROWS * float(weight.mean())
        return cls(edges, (total + pseudo * overall) / (size + pseudo))

    def mean(self, score: Floats, weight: Floats) -> np.float64:
        """The mean loss that rows of such scores are expected to have."""
        return np.float64(np.average(self.means[np.searchsorted(self.edges, score, side="right")], weights=weight))


@dataclass(frozen=True, eq=False)
class Estimator:
    """What is learned from rows with known outcomes, to estimate the figures of rows without.

    Attributes:
        task: of the rows.
        standard: what measures ask of the project.
        shift: by which log-odds are raised once they are stretched; of several classes one for each.
        stretch: by which they are multiplied; of several classes 1.
        losses: measure of rows, or of lists -> what rows of like scores, or lists of like spread, have lost.
    """

    task: Task
    standard: Standard
    shift: Floats
    stretch: float = 1.0
    losses: Mapping[str, LossesByScore] = field(default_factory=dict)

    @classmethod
    def fit(cls, truth: Truth, score: Floats) -> "Estimator":
        """Learn from rows with final labels.

        Args:
            truth: of at least one row.
            score: of each row, of several classes (rows, classes).

        Raises:
            LearningError: labels or scores that the measures refuse.
        """
        weight = np.ones(len(truth.label)) if truth.weight is None else truth.weight
        if truth.task is Task.RANKING:
            return cls(truth.task, truth.standard, np.zeros(1), losses=_losses_of_lists(truth, score))
        by, losses = _certainty(truth.task, score), losses_of_rows(truth.task, truth.label, score, truth.standard)
        fitted = {name: LossesByScore.fit(by, values, weight) for name, values in losses.items()}
        shift, stretch = np.zeros(1), 1.0
        if truth.task is Task.CLASSIFICATION:
            shift, stretch = fit_log_odds(np.asarray(truth.label, np.float64), score, weight)
        elif truth.task is Task.MULTICLASS:
            shift = class_shifts(truth.label, score, weight)
        return cls(truth.task, truth.standard, shift, stretch, fitted)

    @classmethod
    def unlearned(cls, task: Task, standard: Standard) -> "Estimator":
        """What takes probabilities as they are, and knows no losses: of amounts and lists it estimates nothing."""
        return cls(task, standard, np.zeros(max(1, len(standard.classes))))

    def to_json(self) -> dict[str, Any]:
        """As the evidence of a version holds it, with the digits that any figure shows."""
        losses = {
            name: {"edges": _rounded(one.edges), "means": _rounded(one.means)} for name, one in self.losses.items()
        }
        return {"shift": _rounded(self.shift), "stretch": _rounded(np.array([self.stretch]))[0], "losses": losses}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any], task: Task, standard: Standard) -> "Estimator":
        """What `to_json` has given."""
        losses = {
            name: LossesByScore(np.array(one["edges"]), np.array(one["means"]))
            for name, one in stored["losses"].items()
        }
        return cls(task, standard, np.array(stored["shift"]), stored["stretch"], losses)

    def estimate(
        self,
        score: Floats,
        weight: Floats | None = None,
        query: RowNumbers | None = None,
        only: str | None = None,
    ) -> Estimates:
        """The figures that rows with such scores are expected to have, by every method that the task has.

        Args:
            score: of each row, of several classes (rows, classes); at least one row.
            weight: how many rows each one stands for; None: one each.
            query: of a ranking: the number of each row's list.
            only: the one metric that is asked for; None: all, and the share of positive rows.

        Example:
            >>> from nightjar.evaluation.clusters import Clusters
            >>> random, rows = np.random.default_rng(0), np.arange(5000)
            >>> score = random.uniform(0.1, 0.5, 5000)
            >>> truth = Truth(Task.CLASSIFICATION, random.random(5000) < score, Clusters(rows, rows))
            >>> expected = Estimator.fit(truth, score).estimate(np.full(100, 0.4))
            >>> float(round(expected["positive_rate"][Method.CONFIDENCE], 1))
            0.4
            >>> [float(round(value, 1)) for value in expected["log_loss"].values()]
            [0.7, 0.7]
        """
        weights = np.ones(len(score)) if weight is None else weight
        estimates: dict[str, dict[Method, float]] = {}
        if self.task.has_classes:
            chance = self.chances(score)
            values = _by_confidence(self.task, score, chance, weights, self.standard, only)
            estimates = {name: {Method.CONFIDENCE: value} for name, value in values.items()}
        by = _spreads(score, query) if self.task is Task.RANKING and query is not None else score
        by, weights = (by, np.ones(len(by))) if self.task is Task.RANKING else (_certainty(self.task, by), weights)
        for name, fitted in self.losses.items():
            if only not in (None, name):
                continue
            mean = fitted.mean(by, weights)
            finish = LOSSES[name].finish if name in LOSSES else None
            estimates.setdefault(name, {})[Method.DIRECT] = float(mean if finish is None else finish(mean))
        return estimates

    def chances(self, score: Floats) -> Floats:
        """The probabilities as earlier rows have borne them out: of True, or of each class."""
        if self.task is Task.MULTICLASS:
            weighed = score * np.exp(self.shift)
            total = weighed.sum(axis=1, keepdims=True)
            shares: Floats = np.divide(weighed, total, out=np.full_like(weighed, 1 / weighed.shape[1]), where=total > 0)
            return shares
        chances: Floats = expit(self.shift[0] + self.stretch * log_odds(score))
        return chances


def _by_confidence(
    task: Task, score: Floats, chance: Floats, weight: Floats, standard: Standard, only: str | None
) -> dict[str, float]:
    """Metrics over one row for each class that a row may turn out to have, by its probability."""
    if task is Task.CLASSIFICATION:
        chance = np.column_stack([1 - chance, chance])
    rows, classes = chance.shape
    number = np.repeat(np.arange(classes), rows)
    label = number if task is Task.MULTICLASS else number == 1
    scores = np.concatenate([score] * classes)
    weights = (chance * weight[:, None]).T.ravel()
    if task is Task.MULTICLASS and standard.decisions is not None:
        standard = _repeated(standard, classes)
    values = {
        name: one.measure(*one.columns(label, scores), weights, **one.parameters)
        for name, one in of_metrics(task, standard).items()
        if only in (None, name)
    }
    if task is Task.CLASSIFICATION and only in (None, POSITIVE_RATE):
        values[POSITIVE_RATE] = mean(label, weights)
    numbers = {name: number_or_none(value) for name, value in values.items()}
    return {name: value for name, value in numbers.items() if value is not None}


def _repeated(standard: Standard, times: int) -> Standard:
    decisions = standard.decisions
    repeated = None if decisions is None else np.tile(decisions, times)
    return Standard(standard.classes, standard.costs, standard.places, standard.quantile, repeated)


def _certainty(task: Task, score: Floats) -> Floats:
    """By what rows are alike: the score; of several classes the probability of the likeliest one."""
    greatest: Floats = score.max(axis=1) if task is Task.MULTICLASS else np.asarray(score, np.float64)
    return greatest


def _losses_of_lists(truth: Truth, score: Floats) -> dict[str, LossesByScore]:
    fitted = {}
    spreads, query = _spreads(score, truth.query), np.asarray(truth.query)
    lists = np.unique(query)
    for name, one in of_metrics(truth.task, truth.standard).items():
        first, values = values_by_list(one.measure, truth, score, **one.parameters)
        if len(first):
            of_lists = spreads[np.searchsorted(lists, query[first])]
            fitted[name] = LossesByScore.fit(of_lists, values, np.ones(len(first)))
    return fitted


def _spreads(score: Floats, query: RowNumbers | None) -> Floats:
    """The standard deviation of the scores of each list, in the order of the lists' numbers."""
    number = np.unique(np.asarray(query), return_inverse=True)[1]
    size = np.bincount(number)
    mean = np.bincount(number, score) / size
    spreads: Floats = np.sqrt(np.bincount(number, (score - mean[number]) ** 2) / size)
    return spreads


def _rounded(values: Floats) -> list[float]:
    return [float(f"{value:.9g}") for value in values]
