"""Rebalancing of unequal classes in training rows: class weights, and dropped, repeated or synthetic rows.

imbalanced-learn is imported where it is used: a search's workers start sooner without it.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from nightjar.errors import LearningError
from nightjar.evaluation.rows import RowNumbers
from nightjar.models.preprocessing.synthetic_rows import Pairs, draw_pairs
from nightjar.settings.preparation import Imbalance, ImbalanceKind

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.bool_] | npt.NDArray[np.int64]
Resampled = tuple[Floats, Labels, Floats | None]
Synthesiser = Callable[[Pairs], Floats]


def resample(
    inputs: Floats, label: Labels, weight: Floats | None, settings: Imbalance, seed: int, synthesise: Synthesiser
) -> Resampled:
    """Training rows with classes balanced as the settings say.

    Args:
        inputs: prepared, (rows, columns).
        label: booleans or numbers of classes, (rows,), of two classes at least.
        weight: of each row; None: one each.
        settings: the kind, and the ratio of the classes.
        seed: of every random choice.
        synthesise: gives the inputs of synthetic rows between pairs of rows.

    Returns:
        Inputs, labels and weights. Original rows keep their order and weight (`class_weight`: the sum of all weights
        stays). Repeated and synthetic ones follow; a synthetic row has the mean weight of its class. Weights are None
        if none were given and the kind makes none.

    Raises:
        LearningError: labels that are no classes or all alike, or rows from which no synthetic ones can be made.
    """
    if settings.kind is ImbalanceKind.NONE:
        return inputs, label, weight
    _check(label)
    if settings.kind is ImbalanceKind.CLASS_WEIGHT:
        return inputs, label, _class_weights(label, weight, settings.ratio)
    sizes = _new_sizes(label, settings)
    if not sizes:
        return inputs, label, weight
    if settings.kind in (ImbalanceKind.SMOTE, ImbalanceKind.ADASYN):
        return _add_synthetic_rows(inputs, label, weight, settings, sizes, seed, synthesise)
    rows = _sample_rows(settings, label, sizes, seed)
    return inputs[rows], label[rows], None if weight is None else weight[rows]


def _check(label: npt.NDArray[Any]) -> None:
    if label.dtype.kind not in "biu":
        raise LearningError(
            f"Only classes can be evened out: the labels are {label.dtype}, expected booleans or codes."
        )
    if (label == label[0]).all():
        raise LearningError(f"All {len(label)} training rows are of one class: there is nothing to even out.")


def _new_sizes(label: Labels, settings: Imbalance) -> Mapping[int, int]:
    """Class -> its rows afterwards, where they are to change: all to the ratio beside the rarest or most frequent."""
    classes, counts = np.unique(label, return_counts=True)
    rows = {int(one): int(count) for one, count in zip(classes, counts, strict=True)}
    least, most = min(rows.values()), max(rows.values())
    if settings.kind is ImbalanceKind.UNDER:
        return {one: int(least / settings.ratio) for one, count in rows.items() if least < settings.ratio * count}
    return {one: int(settings.ratio * most) for one, count in rows.items() if count < settings.ratio * most}


def _class_weights(label: Labels, weight: Floats | None, ratio: float) -> Floats:
    """The weights with those of lighter classes raised to the ratio, then all scaled so that the sum stays."""
    weights = np.ones(len(label)) if weight is None else weight
    classes, codes = np.unique(label, return_inverse=True)
    totals = np.bincount(codes, weights)
    heaviest = totals.max()
    lighter = totals < ratio * heaviest
    if not lighter.any():
        return weights
    if totals.min() <= 0:
        light = classes[np.argmin(totals)]
        raise LearningError(
            f"The rows of the class {light} weigh {totals.min():g} in all: class_weight cannot raise that."
        )
    factors = np.where(lighter, ratio * heaviest / totals, 1.0)
    balanced = weights * factors[codes]
    return np.asarray(balanced * (weights.sum() / balanced.sum()))


def _sample_rows(settings: Imbalance, label: Labels, sizes: Mapping[int, int], seed: int) -> RowNumbers:
    """Row numbers, chosen by labels alone: a subset in order, or all rows followed by the repeated ones."""
    from imblearn.over_sampling import RandomOverSampler  # noqa: PLC0415
    from imblearn.under_sampling import RandomUnderSampler  # noqa: PLC0415

    under = settings.kind is ImbalanceKind.UNDER
    sampler = (RandomUnderSampler if under else RandomOverSampler)(sampling_strategy=dict(sizes), random_state=seed)
    sampler.fit_resample(np.zeros((len(label), 1)), label.astype(np.int64))
    rows = np.asarray(sampler.sample_indices_)
    return np.sort(rows) if under else rows


def _add_synthetic_rows(
    inputs: Floats,
    label: Labels,
    weight: Floats | None,
    settings: Imbalance,
    sizes: Mapping[int, int],
    seed: int,
    synthesise: Synthesiser,
) -> Resampled:
    parts, weights = [inputs], [weight] if weight is not None else []
    labels: list[Any] = [label]
    for rarer, size in sizes.items():
        own = label == rarer
        _check_neighbours(inputs, int(own.sum()), settings)
        count = size - int(own.sum())
        pairs = draw_pairs(
            inputs, label, settings.kind, rarer=rarer, count=count, neighbours=settings.neighbours, seed=seed
        )
        synthetic = synthesise(pairs) if len(pairs.base) else inputs[:0]
        parts.append(synthetic)
        labels.append(np.full(len(synthetic), rarer, dtype=label.dtype))
        if weight is not None:
            weights.append(np.full(len(synthetic), weight[own].mean()))
    return np.vstack(parts), np.concatenate(labels), np.concatenate(weights) if weights else None


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
