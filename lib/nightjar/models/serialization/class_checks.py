"""Checks of an opened predictor of several classes: that its parts give probabilities of the same classes."""

from typing import Any

import numpy as np

from nightjar.errors import ModelError
from nightjar.models.ensembles.blending import Blend, ClassBlend
from nightjar.models.ensembles.calibration import PerClass
from nightjar.models.network.perceptron import Perceptron
from nightjar.models.predictor import Predictor


def require_fitting_classes(predictor: Predictor, where: str) -> None:
    """Check that estimator, members and calibration are of the predictor's classes, or that none has several.

    Raises:
        ModelError: they are not; `where` is the name of the artifact.
    """
    classes, seen = len(predictor.classes), predictor.seen
    is_apart = len(set(predictor.classes)) == classes and list(seen) == sorted({*seen} & {*range(classes)})
    if not is_apart or (len(seen) > 1) != (classes > 1):
        raise ModelError(f"{where}: of the classes {predictor.classes} it has seen {seen}, which no model of ours has.")
    parts = {
        "members": all(member.classes == predictor.classes for member in predictor.members),
        "calibration": _fits_calibration(predictor.calibration, classes),
        "estimator": _fits_estimator(predictor.estimator, predictor),
    }
    for name, fits in parts.items():
        if not fits:
            raise ModelError(f"{where}: its {name} gives no probabilities of {classes or 'two'} classes.")


def _fits_calibration(calibration: Any, classes: int) -> bool:
    if not isinstance(calibration, PerClass):
        return calibration is None or not classes
    return len(calibration.curves) == classes


def _fits_estimator(estimator: Any, predictor: Predictor) -> bool:
    classes, seen = len(predictor.classes), len(predictor.seen)
    if isinstance(estimator, ClassBlend):
        inputs = classes * len(predictor.members)
        sizes = {len(weights) for weights in estimator.weights}
        is_finite = np.isfinite([*estimator.intercepts, *(one for row in estimator.weights for one in row)]).all()
        return len(estimator.weights) == len(estimator.intercepts) == seen and sizes == {inputs} and bool(is_finite)
    if isinstance(estimator, Blend):
        return seen == classes
    if isinstance(estimator, Perceptron):
        return estimator.outputs == (seen or 1)
    return not classes or len(estimator.classes_) == seen
