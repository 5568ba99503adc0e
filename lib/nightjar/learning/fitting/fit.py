"""Fit a candidate on some training rows: sampled, with inner splits, and with self-training on rows without a label."""

from datetime import date
from functools import partial

from nightjar.errors import LearningError
from nightjar.evaluation.rows import RowNumbers
from nightjar.learning.data.training_set import TrainingSet
from nightjar.learning.fitting.candidates import Candidate
from nightjar.learning.fitting.fit_sets import FitSet, make_fit_set
from nightjar.learning.fitting.mitigation import fit_fairly
from nightjar.learning.labels.self_training import self_train
from nightjar.models.fitting import fit
from nightjar.models.predictor import Predictor
from nightjar.settings.learning import Search
from nightjar.settings.project import Project
from nightjar.settings.task import Task
from nightjar.tables import groups


def fit_candidate(
    rows: TrainingSet, train: RowNumbers, before: date, candidate: Candidate, project: Project, settings: Search
) -> Predictor:
    """Fit a candidate on the rows of these numbers with the search's seed.

    Args:
        rows: all rows.
        train: numbers of those that may be fitted on.
        before: the first date that the fit must not use.
        candidate: what is fitted.
        project: its task and zone.
        settings: the sample, the kind of splits, the seed.

    Raises:
        LearningError: it cannot be fitted to them; see `models.estimators.fit` and `make_fit_set`.
    """
    depth = candidate.model.inner_depth(candidate.members)
    fit_set = make_fit_set(rows, train, before, depth, settings, project.zone)
    return fit_on(fit_set, rows, candidate, project.label.task, settings.seed)


def fit_on(fit_set: FitSet, rows: TrainingSet, candidate: Candidate, task: Task, seed: int) -> Predictor:
    """Fit a candidate on a fit set.

    Raises:
        LearningError: it cannot be fitted to it; see `models.estimators.fit`.
    """
    model, examples = candidate.model, fit_set.examples(rows)
    fit_to = partial(fit, model, features=rows.columns, task=task, seed=seed, members=candidate.members)
    if candidate.mitigation is not None:
        return fit_fairly(fit_to, examples, _groups(rows, candidate)[fit_set.rows], candidate.mitigation, seed)
    if model.self_training.floor is None:
        return fit_to(examples)
    if rows.unlabelled is None:
        raise LearningError(f"{candidate.name} is self-trained, but no rows without a label were read.")
    time = rows.prediction_time[fit_set.rows]
    return self_train(fit_to, examples, time, rows.unlabelled, fit_set.before, model.self_training).model


def _groups(rows: TrainingSet, candidate: Candidate) -> RowNumbers:
    """The number of each row's group, by the columns of the mitigation."""
    columns = [] if candidate.mitigation is None else candidate.mitigation.columns
    if candidate.model.self_training.floor is not None:
        raise LearningError(f"{candidate.name} is self-trained: rows without a label have no part in a mitigation.")
    if rows.slices is None or not set(columns) <= set(rows.slices.column_names):
        raise LearningError(f"{candidate.name} is fitted by groups of {', '.join(columns)}, which were not read.")
    return groups.codes(rows.slices, columns)
