"""What is decided about rows by their scores: tiers by thresholds, and which rows nobody should act on by score alone.

Tiers that have so many rows of each night wait until all rows are scored: see `scoring.capacity`.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from nightjar.evaluation.conformal import ConformalSets, names_of_sets
from nightjar.models.predictor import Predictor
from nightjar.registry.manifest import Manifest
from nightjar.registry.tiers import is_limited, tiers_of
from nightjar.settings.project import Project
from nightjar.settings.serving.abstention import Abstention
from nightjar.tables.predictions import ABSTAINED, PREDICTION_SET, RAW_SCORE

Floats = npt.NDArray[np.float64]
SHOWN = 5
"""How many features are named that lie out of range."""
OUT_OF_RANGE, UNSURE, SET = "out of range", "unsure", "conformal set"
"""How the reasons begin for which rows abstain."""
UNKNOWN = "UNKNOWN"
LARGEST = 2**60


def predict_both(predictor: Predictor, rows: pa.Table, manifest: Manifest) -> tuple[Floats, Floats | None]:
    """The scores, and what they were before calibration, where rows are ranked by that; otherwise None.

    Raises:
        ModelError: see `Predictor.predict`.
    """
    if not is_limited(manifest.thresholds):
        return predictor.predict(rows), None
    if predictor.calibration is None:
        scores = predictor.predict(rows)
        return scores, scores
    raw = replace(predictor, calibration=None).predict(rows)
    return predictor.calibration(raw), raw


def decision_columns(
    scores: Floats, raw: Floats | None, rows: pa.Table, predictor: Predictor, manifest: Manifest, project: Project
) -> dict[str, "pa.Array[Any]"]:
    """Column -> values: the tier by thresholds, the raw score, why the row abstains, its set of classes.

    Each is there only where the project or the model's tiers need it.

    Args:
        scores: as `Predictor.predict` gives them.
        raw: of each row, see `predict_both`.
        rows: of the feature table, with the columns that the model's tiers need.
        predictor: the model.
        manifest: its thresholds, ranges and sets.
        project: its settings.

    Raises:
        ModelError: an amount by which a tier decides is no number of 0 or more.
    """
    abstention, columns = project.serving.abstention, dict[str, "pa.Array[Any]"]()
    tiers: pa.Array[Any] = pa.nulls(len(rows), pa.string())
    if project.decision_tiers() and not manifest.classes:
        tiers = tiers_of(scores, rows, manifest.thresholds)
    if abstention.abstains():
        texts, sets = reasons_to_abstain(scores, rows, predictor, manifest, abstention)
        columns[ABSTAINED] = texts
        tiers = pa.array(
            np.where(texts.is_valid().to_numpy(False), abstention.tier, tiers.to_numpy(False)), pa.string()
        )
        if sets is not None:
            columns[PREDICTION_SET] = sets
    if project.decision_tiers() or abstention.abstains():
        columns["tier"] = tiers
    return columns if raw is None else {**columns, RAW_SCORE: pa.array(raw)}


def reasons_to_abstain(
    scores: Floats, rows: pa.Table, predictor: Predictor, manifest: Manifest, abstention: Abstention
) -> "tuple[pa.Array[Any], pa.Array[Any] | None]":
    """Of each row why nobody should act on its score, null where there is no reason; and its set of classes, if any.

    What is not known of a model, as of one that was trained before it was asked for, is a reason.
    """
    texts: list[list[str]] = [[] for _ in range(len(rows))]
    if abstention.out_of_range:
        for row, names in _out_of_range(rows, manifest, abstention.margin).items():
            shown = ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
            texts[row].append(f"{OUT_OF_RANGE}: {shown}")
    if abstention.spread is not None and predictor.members:
        for row in np.flatnonzero(spread_of(predictor, rows) > abstention.spread).tolist():
            texts[row].append(UNSURE)
    sets = None
    if abstention.error is not None:
        sets, of_sets = _sets(scores, manifest.sets)
        for row, text in of_sets.items():
            texts[row].append(text)
    return pa.array(["; ".join(one) or None for one in texts], pa.string()), sets


def spread_of(predictor: Predictor, rows: pa.Table) -> Floats:
    """The standard deviation of the members' scores of each row; of several classes the greatest one.

    Raises:
        ModelError: see `Predictor.predict`.
    """
    scores = np.stack([member.predict(rows) for member in predictor.members])
    deviation: Floats = scores.std(axis=0)
    return deviation if deviation.ndim == 1 else deviation.max(axis=1)


def _out_of_range(rows: pa.Table, manifest: Manifest, margin: float) -> dict[int, list[str]]:
    """Row -> the features that lie outside of what training had."""
    if not manifest.ranges and manifest.features:
        return {row: [UNKNOWN] for row in range(len(rows))}
    outside: dict[int, list[str]] = {}
    for one in manifest.ranges:
        for row in np.flatnonzero(one.outside(rows, margin)).tolist():
            outside.setdefault(row, []).append(one.name)
    return outside


def _sets(scores: Floats, sets: ConformalSets | None) -> "tuple[pa.Array[Any], dict[int, str]]":
    """The set of each row, null where nothing is known, and row -> the reason to abstain."""
    if sets is None or sets.unknown() is not None:
        reason = f"{SET}: {UNKNOWN}" + ("" if sets is None else f", {sets.unknown()}")
        return pa.nulls(len(scores), pa.list_(pa.string())), dict.fromkeys(range(len(scores)), reason)
    is_in = sets.contain(scores)
    first, number = np.unique(_codes(is_in), return_index=True, return_inverse=True)[1:]
    which = is_in[first]
    place_of: pa.Array[Any] = pa.array(number)
    names = names_of_sets(which, [one.value for one in sets.classes])
    reasons = {
        row: f"{SET}: {{{', '.join(own)}}}"
        for place, own in enumerate(names)
        if len(own) != 1
        for row in np.flatnonzero(number == place).tolist()
    }
    return pa.array(names, pa.list_(pa.string())).take(place_of), reasons


def _codes(is_in: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp]:
    """A number for each row, the same for the same set."""
    codes = np.zeros(len(is_in), np.intp)
    for own in is_in.T:  # numbers stay below the number of rows, however many classes there are
        codes = (
            np.unique(2 * codes + own, return_inverse=True)[1] if codes.max(initial=0) > LARGEST else 2 * codes + own
        )
    return codes
