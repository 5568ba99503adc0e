"""Whether contributions are those of the scores that were served: they have to sum to each row's raw score.

A library's own check of this kind compares its sums with its own idea of the model. Here they are compared with the
numbers that were served, so that an explainer that reads a model otherwise than its estimator does is found out.
"""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.special import expit, softmax

from nightjar.errors import ModelError
from nightjar.explanation.contributions import Contributions
from nightjar.explanation.raw_scores import LOG_ODDS, LOG_VALUE
from nightjar.models.boosters.xgboost_booster import XgBoost
from nightjar.models.ensembles.calibration import LEAST
from nightjar.models.predictor import Predictor

Floats = npt.NDArray[np.float64]

TOLERANCE = 1e-6
"""How far a sum may be from the raw score, and from the probability that it makes; of numbers above 1 relative."""
OF_32_BITS = 1e-5
"""The same of a model that computes with 32 bits."""
_ROUNDINGS = 8
"""Last digits in which the logarithm's argument may be off."""


def require_sums(predictor: Predictor, table: pa.Table, parts: Contributions, served: Floats) -> None:
    """Refuse contributions whose sums are not the raw scores of rows, or a served score that is not of that raw score.

    A score whose model is calibrated is computed once more, before and after calibration. On the scale of log-odds a
    probability near 0 or 1 tells its margin only as exactly as its own digits do: there it is the probability that has
    to agree. Of several classes margins are those to the likeliest one, since softmax takes no other difference.

    Args:
        predictor: the model.
        table: the rows.
        parts: their contributions.
        served: their scores, of several classes (rows, classes).

    Raises:
        ModelError: names the row that is farthest off.
    """
    raw = served if predictor.calibration is None else _uncalibrated(predictor, table, served)
    sums = parts.base + parts.values.sum(axis=2)
    greatest = np.maximum(np.abs(parts.values).max(axis=2, initial=0.0), np.abs(parts.base))
    narrow = _computes_with_32_bits(predictor)
    tolerance = (OF_32_BITS if narrow else TOLERANCE) * np.maximum(1.0, greatest)
    if predictor.classes:
        off = _of_classes(sums, raw[:, predictor.is_seen()], parts.scale, tolerance, narrow=narrow)
    else:
        # Sampled contributions are of log-odds that are clipped, so that no background row's are infinite.
        within = raw if parts.error is None else np.clip(raw, LEAST, 1 - LEAST) if parts.scale == LOG_ODDS else raw
        off = _differences(sums[:, 0], within, parts.scale, tolerance[:, 0], narrow=narrow)[:, np.newaxis]
    of_rows = np.nan_to_num(off, nan=np.inf).max(axis=1, initial=0.0)
    if (of_rows > 1).any():
        row = int(np.argmax(of_rows))
        raise ModelError(
            f"The reasons of {int((of_rows > 1).sum()):,} of {len(of_rows):,} rows do not explain their scores: in row "
            f"{row} contributions sum to {sums[row].tolist()} ({parts.scale}), and the score before calibration is "
            f"{np.atleast_1d(raw[row]).tolist()}. What explains {type(predictor.estimator).__name__} reads it wrongly: "
            "this is a defect, please report it with the model. To score without reasons: "
            "project.serving.reasons.tiers=[] project.serving.reasons.sample=0"
        )


def _uncalibrated(predictor: Predictor, table: pa.Table, served: Floats) -> Floats:
    raw = replace(predictor, calibration=None).predict(table)
    again = predictor.predict(table)
    if not np.allclose(again, served, rtol=0, atol=TOLERANCE):
        row = int(np.argmax(np.abs(again - served).reshape(len(served), -1).max(axis=1)))
        raise ModelError(
            f"The model gives row {row} the score {np.atleast_1d(again[row]).tolist()}, and it was served with "
            f"{np.atleast_1d(served[row]).tolist()}: there is nothing to explain. This is a defect, please report it."
        )
    return raw


def _of_classes(sums: Floats, raw: Floats, scale: str, tolerance: Floats, *, narrow: bool) -> Floats:
    """How far off each class of each row is, in tolerances: its probability, and its margin to the likeliest one."""
    if scale != LOG_ODDS:
        return np.abs(sums - raw) / tolerance
    row, likeliest = np.arange(len(raw)), raw.argmax(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(raw)
        open_digits = _ROUNDINGS * _digit(narrow=narrow) / raw
        margin, own = (one - one[row, likeliest][:, np.newaxis] for one in (logs, sums))
        of_margin = np.abs(own - margin) / (tolerance + open_digits)
    of_probability = np.abs(softmax(sums, axis=1) - raw) / (OF_32_BITS if narrow else TOLERANCE)
    is_open = np.isinf(margin) | np.isinf(open_digits)
    return np.asarray(np.where(is_open, of_probability, np.maximum(of_margin, of_probability)))


def _differences(sums: Floats, raw: Floats, scale: str, tolerance: Floats, *, narrow: bool) -> Floats:
    """How far off each row is, in tolerances."""
    if scale == LOG_VALUE:
        with np.errstate(divide="ignore"):
            return np.abs(sums - np.log(raw)) / tolerance
    if scale != LOG_ODDS:
        return np.abs(sums - raw) / tolerance
    with np.errstate(divide="ignore", invalid="ignore"):
        margin = np.log(raw) - np.log1p(-raw)
        open_digits = _ROUNDINGS * _digit(narrow=narrow) / np.minimum(raw, 1 - raw)
        of_margin = np.abs(sums - margin) / (tolerance + open_digits)
    of_probability = np.abs(expit(sums) - raw) / (OF_32_BITS if narrow else TOLERANCE)
    is_open = np.isinf(open_digits) | np.isinf(margin)
    return np.asarray(np.where(is_open, of_probability, np.maximum(of_margin, of_probability)))


def _digit(*, narrow: bool) -> float:
    """The last digit of 1."""
    return float(np.finfo(np.float32 if narrow else np.float64).eps)


def _computes_with_32_bits(predictor: Predictor) -> bool:
    return isinstance(predictor.estimator, XgBoost) or any(map(_computes_with_32_bits, predictor.members))
