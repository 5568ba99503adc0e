"""Rebalancing of unequal classes in training rows: class weights, and dropped, repeated or synthetic rows.

imbalanced-learn is imported where it is used: a search's workers start sooner without it.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from nightjar.errors import LearningError
from nightjar.evaluation.rows import RowNumbers
from nightjar.models.preprocessing.synthetic_rows import Pairs, draw_pairs
from nightjar.settings.preparation import Imbalance, ImbalanceKind

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.bool_]
Resampled = tuple[Floats, Labels, Floats | None]
Synthesiser = Callable[[Pairs], Floats]


def resample(
    inputs: Floats, label: Labels, weight: Floats | None, settings: Imbalance, seed: int, synthesise: Synthesiser
) -> Resampled:
    """Training rows with classes balanced as the settings say.

    Args:
        inputs: prepared, (rows, columns).
        label: booleans, (rows,), of both classes.
        weight: of each row; None: one each.
        settings: the kind, and the ratio of the classes.
        seed: of every random choice.
        synthesise: gives the inputs of synthetic rows between pairs of rows.

    Returns:
        Inputs, labels and weights. Original rows keep their order and weight (`class_weight`: the sum of all weights
        stays). Repeated and synthetic ones follow; a synthetic row has the mean weight of its class. Weights are None
        if none were given and the kind makes none.

    Raises:
        LearningError: labels that are no booleans or all alike, or rows from which no synthetic ones can be made.
    """
    if settings.kind is ImbalanceKind.NONE:
        return inputs, label, weight
    _check(label)
    if settings.kind is ImbalanceKind.CLASS_WEIGHT:
        return inputs, label, _class_weights(label, weight, settings.ratio)
    positives = int(label.sum())
    rarer, other = sorted((positives, len(label) - positives))
    if rarer >= settings.ratio * other:
        return inputs, label, weight
    if settings.kind in (ImbalanceKind.SMOTE, ImbalanceKind.ADASYN):
        return _add_synthetic_rows(inputs, label, weight, settings, seed, synthesise)
    rows = _sample_rows(settings, label, seed)
    return inputs[rows], label[rows], None if weight is None else weight[rows]


def _check(label: npt.NDArray[Any]) -> None:
    if label.dtype != np.bool_:
        raise LearningError(f"Only classes can be evened out: the labels are {label.dtype}, expected booleans.")
    if label.all() or not label.any():
        raise LearningError(f"All {len(label)} training rows are of one class: there is nothing to even out.")


def _class_weights(label: Labels, weight: Floats | None, ratio: float) -> Floats:
    """The weights with those of the lighter class raised, then all scaled so that the sum stays."""
    weights = np.ones(len(label)) if weight is None else weight
    totals = [float(weights[label == value].sum()) for value in (False, True)]
    lighter = totals[True] < totals[False]
    light, heavy = min(totals), max(totals)
    if light >= ratio * heavy:
        return weights
    if light <= 0:
        raise LearningError(f"The rows of the class {lighter} weigh {light:g} in all: class_weight cannot raise that.")
    balanced = np.where(label == lighter, weights * (ratio * heavy / light), weights)
    return np.asarray(balanced * (weights.sum() / balanced.sum()))


def _sample_rows(settings: Imbalance, label: Labels, seed: int) -> RowNumbers:
    """Row numbers, chosen by labels alone: a subset in order, or all rows followed by the repeated ones."""
    from imblearn.over_sampling import RandomOverSampler  # noqa: PLC0415
    from imblearn.under_sampling import RandomUnderSampler  # noqa: PLC0415

    under = settings.kind is ImbalanceKind.UNDER
    sampler = (RandomUnderSampler if under else RandomOverSampler)(sampling_strategy=settings.ratio, random_state=seed)
    sampler.fit_resample(np.zeros((len(label), 1)), label)
    rows = np.asarray(sampler.sample_indices_)
    return np.sort(rows) if under else rows


def _add_synthetic_rows(
    inputs: Floats, label: Labels, weight: Floats | None, settings: Imbalance, seed: int, synthesise: Synthesiser
) -> Resampled:
    rarer = bool(label.mean() < 0.5)
    rows = int((label == rarer).sum())
    _check_neighbours(inputs, rows, settings)
    count = int(settings.ratio * (len(label) - rows) - rows)
    pairs = draw_pairs(
        inputs, label, settings.kind, rarer=rarer, count=count, neighbours=settings.neighbours, seed=seed
    )
    synthetic = synthesise(pairs) if len(pairs.base) else inputs[:0]
    labels = np.concatenate([label, np.full(len(synthetic), rarer)])
    if weight is not None:
        weight = np.concatenate([weight, np.full(len(synthetic), weight[label == rarer].mean())])
    return np.vstack([inputs, synthetic]), labels, weight


def _check_neighbours(inputs: Floats, rows: int, settings: Imbalance) -> None:
    if rows < 2:
        raise LearningError(
            f"{settings.kind.word} makes rows between neighbours: the rarer class has {rows} row only. Use over or "
            "class_weight, or train on more days."
        )
    nulls = np.flatnonzero(np.isnan(inputs).any(axis=0))
    if len(nulls):
        raise LearningError(
            f"{settings.kind.word} makes rows between neighbours, and cannot where there are nulls: found some in "
            f"{len(nulls)} prepared columns. Choose what nulls become (number.missing), or use over."
        )
