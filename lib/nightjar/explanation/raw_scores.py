"""The raw score of a model: what is explained, before any calibration, and its scale."""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from nightjar.models.boosters.booster import Booster
from nightjar.models.ensembles.blending import Blend
from nightjar.models.ensembles.calibration import log_odds
from nightjar.models.network.perceptron import Perceptron
from nightjar.models.predictor import Predictor

Floats = npt.NDArray[np.float64]

LOG_ODDS, PROBABILITY, VALUE, LOG_VALUE = "log-odds", "probability", "value", "logarithm of the value"
"""Scales of raw scores."""

LOGISTIC = (LogisticRegression, LinearDiscriminantAnalysis)
"""Linear models of log-odds, of several classes of what softmax takes."""


def raw_scores(predictor: Predictor, frame: pd.DataFrame) -> Floats:
    """Scores before calibration, (rows, outputs), of a frame that has the features.

    They are log-odds of a model that computes these; of several classes probabilities, of those that training has seen.
    """
    scores = replace(predictor, calibration=None).scores(frame)
    if predictor.classes:
        return scores[:, predictor.is_seen()]
    return (log_odds(scores) if scale_of(predictor) == LOG_ODDS else scores)[:, np.newaxis]


def scale_of(predictor: Predictor) -> str:
    """The scale of `raw_scores`."""
    if predictor.classes:
        return PROBABILITY
    return LOG_ODDS if is_logistic(predictor) else PROBABILITY if has_classes(predictor) else VALUE


def has_classes(predictor: Predictor) -> bool:
    """Whether scores are probabilities by the estimator's own account."""
    estimator = predictor.estimator
    is_rate = getattr(estimator, "is_rate_", False)  # one that an earlier version stored does not say
    own = bool(predictor.classes) or hasattr(estimator, "predict_proba") or is_rate
    return own or any(map(has_classes, predictor.members))


def is_logistic(predictor: Predictor) -> bool:
    """Whether the estimator computes log-odds, and makes a probability of them."""
    estimator: Any = predictor.estimator
    if isinstance(estimator, Blend):
        return estimator.log_odds
    if isinstance(estimator, Perceptron):
        return estimator.probability
    is_boosting = isinstance(estimator, Booster | HistGradientBoostingClassifier)
    return isinstance(estimator, LOGISTIC) or (is_boosting and has_classes(predictor))
