"""Whether columns differ together where each by itself does not: two figures of a sample of a night's rows.

Rows are numbers as models take them, (rows, columns): NaN where there is none; categories as the numbers of an encoder
that was fitted on the reference. Neither figure means anything by itself: `compare` takes it among those of the
reference's own nights, each measured against the other nights that lie as far away.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from nightjar.errors import LearningError
from nightjar.evaluation.rows import Floats, RowNumbers

SAMPLE = 2000
"""Rows of a side that are enough: a night and its reference are sampled down to so many."""
FEWEST = 10
"""Rows of a side below which nothing is said."""
_FOLDS = 3


@dataclass(frozen=True)
class Comparison:
    """A figure of tonight among those of the reference's own nights.

    Attributes:
        value: tonight's.
        usual: the median of theirs.
        p: the share of all nights, tonight among them, whose figure is at least as great.
    """

    value: float
    usual: float
    p: float


def sampled(rows: int) -> RowNumbers:
    """The numbers of the rows that are looked at, ascending: all, or of many a sample, the same one every time."""
    if rows <= SAMPLE:
        return np.arange(rows)
    return np.sort(np.random.default_rng(0).choice(rows, SAMPLE, replace=False))


def compare(value: float, nights: Sequence[float]) -> Comparison:
    """Take tonight's figure among those of reference nights.

    Raises:
        LearningError: fewer than 19 nights: none of them could be rarer than 1 in 20.

    Example:
        >>> compare(0.9, [0.5 + n / 100 for n in range(19)])
        Comparison(value=0.9, usual=0.59, p=0.05)
    """
    if len(nights) < 19:
        raise LearningError(f"{len(nights)} nights of reference are too few to compare with: expected 19 at least.")
    p = (1 + sum(one >= value for one in nights)) / (1 + len(nights))
    return Comparison(value, float(np.median(nights)), p)


def separability(night: npt.ArrayLike, reference: npt.ArrayLike) -> float:
    """How well a classifier tells a night's rows from those of the reference: its ROC AUC on rows it was not fitted to.

    About 0.5 where nothing differs, 1 where every row gives itself away. Small boosted trees, in three folds; samples
    of at most 2,000 rows a side, the same ones every time.

    Raises:
        LearningError: a side of fewer than 10 rows, or other columns.

    Source: Lopez-Paz and Oquab (2017), Revisiting classifier two-sample tests, International Conference on Learning
    Representations; here by the AUC, which does not depend on how many rows the sides have.

    Example:
        Two columns of the same values each; but tonight they go together.

        >>> random = np.random.default_rng(0)
        >>> first, second = random.normal(size=(2, 500))
        >>> separability(np.stack([first, first], axis=1), np.stack([first, second], axis=1)) > 0.8
        True
    """
    sides = [_sample(np.asarray(rows, np.float64)) for rows in (reference, night)]
    if sides[0].shape[1] != sides[1].shape[1]:
        raise LearningError(f"{sides[1].shape[1]} columns cannot be told from {sides[0].shape[1]} others.")
    rows, side = np.concatenate(sides), np.repeat([0, 1], [len(one) for one in sides])
    model = HistGradientBoostingClassifier(max_iter=30, max_leaf_nodes=8, early_stopping=False, random_state=0)
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=0)
    chance = cross_val_predict(model, rows, side, cv=folds, method="predict_proba")[:, 1]
    return float(roc_auc_score(side, chance))


@dataclass(frozen=True, eq=False)
class Components:
    """The directions in which rows of a reference vary together.

    Attributes:
        centre, scale: of each column, (columns,).
        directions: orthonormal, (components, columns).
    """

    centre: Floats
    scale: Floats
    directions: Floats

    def error(self, night: npt.ArrayLike) -> float:
        """How much of a night's rows the directions miss: the mean square of what is missed, in standard deviations.

        A value that is absent is its column's mean. Values beyond ten deviations count as ten: one is no change.

        Raises:
            LearningError: fewer than 10 rows, or other columns.
        """
        rows = _sample(np.asarray(night, np.float64))
        if rows.shape[1] != len(self.centre):
            raise LearningError(f"{rows.shape[1]} columns, but the components are of {len(self.centre)}.")
        standardised = _standardise(rows, self.centre, self.scale)
        missed = standardised - standardised @ self.directions.T @ self.directions
        return float((missed**2).mean())


def fit_components(reference: npt.ArrayLike, explained: float = 0.8) -> Components:
    """The principal components that explain so much of the variance of standardised columns, one at least, not all.

    Raises:
        LearningError: fewer than 10 rows.

    Source: Jackson and Mudholkar (1979), Control procedures for residuals associated with principal component analysis,
    Technometrics 21(3), 341-349.

    Example:
        Two columns that go together have one direction; rows on which they do not are missed.

        >>> first, second = np.random.default_rng(0).normal(size=(2, 500))
        >>> together, apart = np.stack([first, first + second / 10], axis=1), np.stack([first, second], axis=1)
        >>> components = fit_components(together)
        >>> len(components.directions), components.error(apart) > 50 * components.error(together)
        (1, True)
    """
    rows = _sample(np.asarray(reference, np.float64))
    present = np.isfinite(rows)
    count = np.maximum(present.sum(axis=0), 1)
    centre = np.where(present, rows, 0).sum(axis=0) / count
    scale = np.sqrt((np.where(present, rows - centre, 0) ** 2).sum(axis=0) / count)
    scale = np.where(scale > 0, scale, 1.0)
    _, sizes, directions = np.linalg.svd(_standardise(rows, centre, scale), full_matrices=False)
    total = np.cumsum(sizes**2)
    enough = int(np.searchsorted(total, explained * total[-1])) + 1
    return Components(centre, scale, directions[: max(1, min(enough, len(directions) - 1))])


def _standardise(rows: Floats, centre: Floats, scale: Floats) -> Floats:
    return np.nan_to_num(np.clip((rows - centre) / scale, -10, 10), nan=0.0)


def _sample(rows: Floats) -> Floats:
    if rows.ndim != 2 or len(rows) < FEWEST:
        raise LearningError(f"Rows of the shape {rows.shape}: expected (rows, columns) with {FEWEST} rows at least.")
    return rows[sampled(len(rows))]
