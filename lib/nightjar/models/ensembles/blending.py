"""Ensembles: several fitted members, each with its own preparation, and one blend of their scores."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
from scipy.special import expit
from sklearn.linear_model import LogisticRegression, Ridge

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

BAGGED = 10
"""Members of a bagging, unless `count` is set."""


@dataclass(frozen=True)
class Blend:
    """A linear combination of scores: `intercept + sum(weight * score)`.

    Attributes:
        weights: of each member.
        intercept: of the sum.
        log_odds: whether the sum is over the log-odds of the scores, and gives log-odds.
    """

    weights: tuple[float, ...]
    intercept: float = 0.0
    log_odds: bool = False

    def predict(self, inputs: Floats) -> Floats:
        """The blended score of each row, (rows,). `inputs` is (rows, members)."""
        scores = log_odds(inputs) if self.log_odds else inputs
        # One member after the other: the order of a matrix product's sums depends on the number of rows.
        total = np.full(len(scores), self.intercept)
        for member, weight in enumerate(self.weights):
            total += weight * scores[:, member]
        return np.asarray(expit(total), dtype=np.float64) if self.log_odds else total


def bagging(member: Model, examples: Examples, fit: FitMember, *, count: int, seed: int) -> Predictor:
    """The mean of models fitted on bootstraps: as many rows (of a ranking: lists) as there are, drawn with replacement.

    Preparation and resampling are fitted on the same rows, and inner splits keep their sides.
    Source: Breiman (1996), Bagging predictors, Machine Learning 24, 123-140.
    """
    members = [
        fit(member, take_rows(examples, _bootstrap(examples, seed + number)), seed + number) for number in range(count)
    ]
    return _ensemble(members, Blend((1 / count,) * count))


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

    For a classification it is logistic in the members' log-odds, otherwise a ridge on their scores.
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
    weight = None if examples.weight is None else examples.weight[rows]
    if task is Task.CLASSIFICATION:
        linear = LogisticRegression(C=1 / strength).fit(log_odds(scores), examples.label[rows], weight)
    else:
        linear = Ridge(alpha=strength).fit(scores, examples.label[rows], weight)
    coefficients, intercept = np.ravel(linear.coef_).tolist(), float(np.ravel(linear.intercept_)[0])
    blend = Blend(tuple(coefficients), intercept, log_odds=task is Task.CLASSIFICATION)
    return _ensemble([fit(member, examples, seed) for member in members], blend)


def _with_seed(fit: FitMember, member: Model, seed: int, examples: Examples) -> Predictor:
    return fit(member, examples, seed)


def _ensemble(members: Sequence[Predictor], blend: Blend) -> Predictor:
    columns: dict[FeatureColumn, None] = {column: None for member in members for column in member.features}
    return Predictor(tuple(columns), None, blend, tuple(members))


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
