"""Fits that even out how groups are treated: by weights, by resampling, or by refits under a constraint.

All of it is learned from the rows that are fitted on. The predictor reads no group: only the fit knows them.

Sources: for weights and resampling Kamiran and Calders (2012), Data preprocessing techniques for classification without
discrimination, Knowledge and Information Systems 33, 1-33; for the constraint Agarwal, Beygelzimer, Dudík, Langford and
Wallach (2018), A reductions approach to fair classification, ICML. Theirs is a randomised choice among the refits, by
exponentiated gradient; here it is their mean, so that a row has one score, and dual ascent moves the multipliers, since
a few refits have to do.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from nightjar.errors import LearningError
from nightjar.evaluation.binary import Booleans
from nightjar.evaluation.rows import Floats, RowNumbers
from nightjar.evaluation.swaps import share_of, threshold_at
from nightjar.models.ensembles.blending import mean_of
from nightjar.models.ensembles.out_of_fold import take_rows
from nightjar.models.examples import Examples
from nightjar.models.predictor import Predictor
from nightjar.settings.fairness import Mitigation, MitigationKind, Parity

Fit = Callable[[Examples], Predictor]
_STEP = 1.0  # of the multipliers, by the difference of rates that a refit leaves


def fit_fairly(fit: Fit, examples: Examples, group: RowNumbers, mitigation: Mitigation, seed: int) -> Predictor:
    """Fit so that groups are treated more alike.

    Args:
        fit: of the candidate, as it is.
        examples: the rows, of two classes.
        group: of each row, a number from 0.
        mitigation: one before or in training.
        seed: of the resampling.

    Raises:
        LearningError: what the fit refuses, among it weights for an estimator that takes none.
    """
    least_rows = mitigation.least_rows
    if mitigation.kind is MitigationKind.REWEIGHING:
        return fit(replace(examples, weight=_weights(examples) * balancing_factors(examples, group, least_rows)))
    if mitigation.kind is MitigationKind.RESAMPLING:
        return fit(take_rows(examples, resampled_rows(examples, group, seed, least_rows)))
    return _reduce(fit, examples, group, mitigation)


def balancing_factors(examples: Examples, group: RowNumbers, least_rows: int = 1) -> Floats:
    """The factor of each row's weight with which label and group are independent: of a cell of both, its share if they
    were, divided by its share. Rows of groups that are smaller keep their weight.

    Example:
        >>> import pyarrow as pa
        >>> rows = Examples(pa.table({"x": range(5)}), np.array([True, True, False, True, False]))
        >>> balancing_factors(rows, np.array([0, 0, 0, 1, 1])).round(3).tolist()
        [0.9, 0.9, 1.2, 1.2, 0.8]
    """
    is_large = np.bincount(group)[group] >= least_rows
    weight, label = _weights(examples) * is_large, (examples.label == 1).astype(np.intp)
    cell = 2 * group + label
    of_cell, of_group, of_label = (np.bincount(codes, weight) for codes in (cell, group, label))
    expected = of_group[group] * of_label[label] / max(weight.sum(), 1e-300)
    factors: Floats = np.divide(expected, of_cell[cell], out=np.ones(len(cell)), where=of_cell[cell] > 0)
    return factors


def resampled_rows(examples: Examples, group: RowNumbers, seed: int, least_rows: int = 1) -> RowNumbers:
    """Row numbers, ascending, with as many rows of each cell of group and label as `balancing_factors` asks for.

    Of a cell that shrinks a random part stays; of one that grows all rows stay, and random ones are repeated.
    """
    random, cell = np.random.default_rng(seed), 2 * group + (examples.label == 1)
    factors, chosen = balancing_factors(examples, group, least_rows), []
    for number in np.unique(cell):
        rows = np.flatnonzero(cell == number)
        size = max(1, round(len(rows) * float(factors[rows[0]])))
        whole, rest = divmod(size, len(rows))
        chosen += [np.tile(rows, whole), random.choice(rows, rest, replace=False)]
    return np.sort(np.concatenate(chosen))


def _reduce(fit: Fit, examples: Examples, group: RowNumbers, mitigation: Mitigation) -> Predictor:
    """The mean of the later refits, each with rows that count by how far the ones before it have missed the goal."""
    label, weight = examples.label == 1, _weights(examples)
    if label.all() or not label.any():
        raise LearningError(f"All {len(label)} training rows have the label {bool(label[0])}: nothing can be learned.")
    of_goal = label if mitigation.goal is Parity.EQUAL_OPPORTUNITY else np.ones(len(label), bool)
    of_goal = of_goal & (np.bincount(group, of_goal)[group] >= mitigation.least_rows)
    if not of_goal.any():
        return fit(examples)
    share = np.bincount(group, weight * of_goal) / (weight @ of_goal)
    multiplier, refits = np.zeros(len(share)), []
    for _ in range(mitigation.fits):
        per_share = np.divide(multiplier, share, out=np.zeros(len(share)), where=share > 0)
        reward = np.where(label, 1.0, -1.0) + of_goal * (multiplier @ (share > 0) - per_share[group])
        refit = fit(replace(examples, label=reward > 0, weight=weight * np.abs(reward)))
        refits.append(refit)
        score = refit.predict(examples.table)
        acts = score >= threshold_at(share_of(label, weight), score, weight)
        multiplier += _STEP * _gaps(acts, group, weight * of_goal)
    return mean_of(refits[len(refits) // 2 :])


def _gaps(acts: Booleans, group: RowNumbers, weight: Floats) -> Floats:
    """Each group's acted-on share minus that of all rows; 0 of a group without rows."""
    of_group = np.bincount(group, weight)
    rates = np.divide(np.bincount(group, weight * acts), of_group, out=np.zeros(len(of_group)), where=of_group > 0)
    overall = float(weight @ acts / weight.sum())
    return np.where(of_group > 0, rates - overall, 0.0)


def _weights(examples: Examples) -> Floats:
    return np.ones(len(examples.label)) if examples.weight is None else examples.weight
