"""Fitting: a model's settings and training rows in, a predictor out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from nightjar.errors import LearningError
from nightjar.models.checking import NO_MEMBERS, check_model, select_features
from nightjar.models.columns import FeatureColumn
from nightjar.models.ensembles.blending import BAGGED, bagging, stacking, voting
from nightjar.models.ensembles.calibration import fit_calibration, fit_per_class
from nightjar.models.ensembles.out_of_fold import out_of_fold
from nightjar.models.examples import Examples
from nightjar.models.label_validation import check_examples
from nightjar.models.predictor import Predictor
from nightjar.models.single_estimator import fit_single
from nightjar.settings.model import ENSEMBLES, Calibration, Estimator, Model
from nightjar.settings.task import Task


def fit(
    model: Model,
    examples: Examples,
    *,
    features: Sequence[FeatureColumn],
    task: Task = Task.CLASSIFICATION,
    seed: int,
    members: Mapping[str, Model] = NO_MEMBERS,
) -> Predictor:
    """Fit one candidate, its preparation, resampling and calibration included, on these rows and no others.

    Args:
        model: without a space: every parameter has its value. Its `drop` features are not used.
        examples: labelled rows, oldest first; they are not changed. Columns that are no features are ignored.
        features: the candidates. The predictor requires those only that its estimator reads: none for MAJORITY and
            MEAN, the one column for RATE, those of its expression for RULE.
        task: of the label.
        seed: of every random choice. The same rows and seed give the same predictor.
        members: candidate -> model, for ensembles.

    Raises:
        LearningError: no rows; labels, weights or lists that teach nothing; a table that differs from the features,
            infinite values, no feature with a value; weights for an estimator that takes none; a calibration or a
            stacking without inner splits; and what `check_model` refuses.
    """
    check_model(model, features, task, members, weighted=examples.weight is not None)
    return _fit(_Candidate(features, task, members), model, examples, seed)


@dataclass(frozen=True)
class _Candidate:
    """The arguments that a model and its members share."""

    features: Sequence[FeatureColumn]
    task: Task
    members: Mapping[str, Model]


def _fit(candidate: _Candidate, model: Model, examples: Examples, seed: int) -> Predictor:
    if model.calibration is Calibration.NONE:
        return _fit_scores(candidate, model, examples, seed)
    fit_uncalibrated = partial(_fit_scores, candidate, model, seed=seed)
    rows, scores = out_of_fold([fit_uncalibrated], examples, f"{model.calibration.word} calibration")
    labelled = check_examples(examples, candidate.task)
    weight = None if labelled.weight is None else labelled.weight[rows]
    fit_curve = fit_per_class if labelled.classes else fit_calibration
    curve = fit_curve(model.calibration, scores[..., 0], labelled.label[rows], weight)
    return replace(fit_uncalibrated(examples), calibration=curve)


def _fit_scores(candidate: _Candidate, model: Model, examples: Examples, seed: int) -> Predictor:
    """Fit everything but the calibration."""
    rows = check_examples(examples, candidate.task)
    if model.estimator in ENSEMBLES:
        return _fit_ensemble(candidate, model, rows, seed)
    try:
        return fit_single(model, rows, select_features(model, candidate.features), candidate.task, seed)
    except (TypeError, ValueError, np.linalg.LinAlgError) as error:
        settings = f"{model.class_name or model.estimator.word} with {dict(model.parameters)}"
        raise LearningError(f"{settings} cannot be fitted to {len(rows.label)} rows: {error}") from error


def _fit_ensemble(candidate: _Candidate, model: Model, rows: Examples, seed: int) -> Predictor:
    member = partial(_fit, candidate)
    members = [candidate.members[name] for name in model.members]
    if model.estimator is Estimator.BAGGING:
        return bagging(members[0], rows, member, count=model.parameters.get("count", BAGGED), seed=seed)
    if model.estimator is Estimator.VOTING:
        weights = model.parameters.get("weights")
        return voting(members, rows, member, weights=weights, task=candidate.task, seed=seed)
    strength = model.parameters.get("strength", 1.0)
    return stacking(members, rows, member, strength=strength, task=candidate.task, seed=seed)
