"""Ensembles: several fitted members, each with its own preparation, and one blend of their scores."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit, softmax
from sklearn.linear_model import LogisticRegression, Ridge

from nightjar.errors import LearningError
from nightjar.evaluation.rows import RowNumbers
from nightjar.models.columns import FeatureColumn
from nightjar.models.ensembles.calibration import log_odds
from nightjar.models.ensembles.out_of_fold import out_of_fold, take_rows
from nightjar.models.examples import Examples
from nightjar.models.predictor import Predictor
from nightjar.settings.model import Model
from nightjar.settings.task import Task

Floats = npt.NDArray[np.float64]
FitMember = Callable[[Model, Examples, int], Predictor]
"""Fits a member on some rows with a seed."""

SOLVER_STEPS = 1000
"""The most steps of the solver of a stacking's logistic model; a few dozen suffice."""
ROUNDING = 1e-9
"""Weights whose sum differs from 1 by less are those of a mean."""
BAGGED = 10
"""Members of a bagging, unless `count` is set."""


@dataclass(frozen=True)
class Blend:
    """A linear combination of scores, of several classes of each one's: `intercept + sum(weight * score)`.

    Attributes:
        weights: of each member.
        intercept: of the sum.
        log_odds: whether the sum is over the log-odds of the scores, and gives log-odds.
    """

    weights: tuple[float, ...]
    intercept: float = 0.0
    log_odds: bool = False

    def predict(self, inputs: Floats) -> Floats:
        """The blended score of each row, (rows,) or (rows, classes). `inputs` has the members in its last place."""
        scores = log_odds(inputs) if self.log_odds else inputs
        # One member after the other: the order of a matrix product's sums depends on the number of rows.
        total = np.full(scores.shape[:-1], self.intercept)
        for member, weight in enumerate(self.weights):
            total += weight * scores[..., member]
        if self.log_odds:
            return np.asarray(expit(total), dtype=np.float64)
        # Nine ninths of the probability 1 are 1.0000000000000002, which is none.
        return np.clip(total, scores.min(axis=-1), scores.max(axis=-1)) if self._is_mean() else total

    def _is_mean(self) -> bool:
        return self.intercept == 0 and min(self.weights) >= 0 and abs(sum(self.weights) - 1) < ROUNDING


@dataclass(frozen=True)
class ClassBlend:
    """A multinomial logistic model of the log-odds that the members give to each of several classes.

    Attributes:
        weights: for each class that it knows, of every class's log-odds by every member: class by class, each by
            member.
        intercepts: of each class that it knows.
    """

    weights: tuple[tuple[float, ...], ...]
    intercepts: tuple[float, ...]

    def predict(self, inputs: Floats) -> Floats:
        """The probabilities of the classes that it knows, (rows, classes). `inputs` is (rows, all classes, members)."""
        odds = log_odds(inputs).reshape(len(inputs), -1)
        total = np.tile(self.intercepts, (len(inputs), 1))
        for column, weights in enumerate(zip(*self.weights, strict=True)):  # one after the other, as in `Blend`
            total += odds[:, [column]] * weights
        return np.asarray(softmax(total, axis=1), dtype=np.float64)


def bagging(member: Model, examples: Examples, fit: FitMember, *, count: int, seed: int) -> Predictor:
    """The mean of models fitted on bootstraps: as many rows (of a ranking: lists) as there are, drawn with replacement.

    Preparation and resampling are fitted on the same rows, and inner splits keep their sides.
    Source: Breiman (1996), Bagging predictors, Machine Learning 24, 123-140.
    """
    members = [
        fit(member, take_rows(examples, _bootstrap(examples, seed + number)), seed + number) for number in range(count)
    ]
    return mean_of(members)


def mean_of(members: Sequence[Predictor]) -> Predictor:
    """The mean of the members' scores."""
    return _ensemble(members, Blend((1 / len(members),) * len(members)))


def voting(
    members: Sequence[Model],
    examples: Examples,
    fit: FitMember,
    *,
    weights: Sequence[float] | None,
    task: Task,
    seed: int,
) -> Predictor:
    """The mean of the members' scores, by weights if there are any.

    Scores of a ranking have no unit, so each member's are divided by their standard deviation within training lists.
    """
    predictors = [fit(member, examples, seed) for member in members]
    shares = np.ones(len(members)) if weights is None else np.asarray(weights, dtype=np.float64)
    shares /= shares.sum()
    if task is Task.RANKING and examples.query is not None:
        shares *= [_per_deviation(member.predict(examples.table), examples.query) for member in predictors]
    return _ensemble(predictors, Blend(tuple(shares.tolist())))


def stacking(
    members: Sequence[Model], examples: Examples, fit: FitMember, *, strength: float, task: Task, seed: int
) -> Predictor:
    """A linear model of the members' scores, learned from out-of-fold ones; the members are then fitted on all rows.

    For a classification it is logistic in the members' log-odds, otherwise a ridge on their scores. Of several classes
    it learns from folds alone whose training parts had as many classes as any, and knows those that their rows have; of
    any other the predictor takes the mean of the members' probabilities.
    Source: Wolpert (1992), Stacked generalization, Neural Networks 5, 241-259.

    Args:
        members: the models to be fitted.
        examples: with inner splits.
        fit: fits a member.
        strength: of the L2 penalty on the linear model's weights.
        task: of the label.
        seed: of every fit.

    Raises:
        LearningError: no inner splits, or a member cannot be fitted on one of them.
    """
    rows, scores = out_of_fold([partial(_with_seed, fit, member, seed) for member in members], examples, "stacking")
    used = _of_most_classes(scores) if task is Task.MULTICLASS else np.arange(len(rows))
    rows, scores = rows[used], scores[used]
    label, weight = examples.label[rows], None if examples.weight is None else examples.weight[rows]
    seen = tuple(np.unique(label).tolist()) if task is Task.MULTICLASS else ()
    blend = _fit_blend(scores, label, weight, strength, task)
    return _ensemble([fit(member, examples, seed) for member in members], blend, seen)


def _of_most_classes(scores: Floats) -> RowNumbers:
    """Rows of the folds whose training parts had the most classes, and the same ones: of several such the last.

    `scores` are (rows, classes, members), NaN of classes that a training part lacked.
    """
    had = np.asarray(np.isfinite(scores).all(axis=-1))
    counts = had.sum(axis=1)
    last = np.flatnonzero(counts == counts.max())[-1]
    return np.flatnonzero((had == had[last]).all(axis=1))


def _fit_blend(
    scores: Floats, label: npt.NDArray[Any], weight: Floats | None, strength: float, task: Task
) -> Blend | ClassBlend:
    if not task.has_classes:
        ridge = Ridge(alpha=strength).fit(scores, label, weight)
        return Blend(tuple(np.ravel(ridge.coef_).tolist()), float(np.ravel(ridge.intercept_)[0]))
    if (label == label[0]).all():
        raise LearningError(f"All {len(label)} out-of-fold rows are of one class: stacking needs two at least.")
    odds = log_odds(scores).reshape(len(scores), -1)
    inputs = np.asarray(
        np.isfinite(odds).all(axis=0)
    )  # of a class that no training part had there is nothing to learn from
    linear = LogisticRegression(C=1 / strength, max_iter=SOLVER_STEPS).fit(odds[:, inputs], label, weight)
    weights, intercepts = np.zeros((len(linear.coef_), len(inputs))), linear.intercept_.tolist()
    weights[:, inputs] = linear.coef_
    if task is Task.CLASSIFICATION:
        return Blend(tuple(weights[0].tolist()), intercepts[0], log_odds=True)
    if len(weights) == 1:  # of two classes, scikit-learn gives the second one's
        weights, intercepts = np.vstack([np.zeros_like(weights), weights]), [0.0, *intercepts]
    return ClassBlend(tuple(map(tuple, weights.tolist())), tuple(intercepts))


def _with_seed(fit: FitMember, member: Model, seed: int, examples: Examples) -> Predictor:
    return fit(member, examples, seed)


def _ensemble(members: Sequence[Predictor], blend: Blend | ClassBlend, seen: tuple[int, ...] = ()) -> Predictor:
    """The ensemble; of several classes `seen` are those that the blend knows, none: all."""
    columns: dict[FeatureColumn, None] = {column: None for member in members for column in member.features}
    classes = members[0].classes
    codes = seen or tuple(range(len(classes)))
    return Predictor(tuple(columns), None, blend, tuple(members), classes=classes, seen=codes)


def _per_deviation(score: Floats, query: RowNumbers) -> float:
    """1 / the standard deviation of scores around the mean of their list; 0 for scores constant within each list."""
    _, lists, sizes = np.unique(query, return_inverse=True, return_counts=True)
    deviation = float(np.std(score - (np.bincount(lists, score) / sizes)[lists]))
    rounding = 1e-9 * float(np.abs(score).max())  # the mean of equal scores need not be quite that score
    return 1 / deviation if deviation > rounding else 0.0


def _bootstrap(examples: Examples, seed: int) -> RowNumbers:
    """Row numbers of a bootstrap, ascending, so that the oldest row stays first."""
    random = np.random.default_rng(seed)
    rows = len(examples.label)
    if examples.query is None:
        return np.sort(random.integers(0, rows, rows))
    _, lists, sizes = np.unique(examples.query, return_inverse=True, return_counts=True)
    draws = np.bincount(random.integers(0, len(sizes), len(sizes)), minlength=len(sizes))
    return np.repeat(np.arange(rows), draws[lists])
