"""The winner's nights as monitoring would have followed them, to hold the nights to come to."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from nightjar.evaluation.clusters import Clusters
from nightjar.evaluation.criteria import standard_of
from nightjar.evaluation.metric_report import Truth
from nightjar.evaluation.rehearsal import Days, rehearse
from nightjar.evaluation.rows import Floats, RowNumbers
from nightjar.learning.data.training_set import TrainingSet
from nightjar.learning.evidence import Evidence
from nightjar.learning.training_plan import TrainingPlan
from nightjar.settings.project import Project
from nightjar.tables.parts import parts_of, watched_parts
from nightjar.timeline import cutoff, moment


def add_rehearsal(evidence: Evidence, plan: TrainingPlan, final_scores: Floats, scores: Floats | None) -> Evidence:
    """The evidence with what was realised, and would have been estimated, on each night that a fit had not seen.

    Args:
        evidence: of the winner.
        plan: of the training.
        final_scores: the winner's scores of the final period's rows.
        scores: of each row by a fit that had not seen it, NaN where there is none; None: of that period alone.
    """
    rows, final = plan.rows, plan.final.test
    if scores is None:
        scores = np.full(len(rows.label), np.nan)
        scores[final] = final_scores
    scored = np.flatnonzero(~np.isnan(scores.reshape(len(scores), -1)).any(axis=1))
    truth = _truth(rows, scored, plan.project)
    by = watched_parts(plan.project)
    parts = {} if rows.slices is None else parts_of(rows.slices.take(scored), by)
    past = rehearse(rows.day[scored], _final_on(rows, scored, plan.project), truth, scores[scored], parts)
    return replace(evidence, rehearsal=past.to_json())


def _truth(rows: TrainingSet, which: RowNumbers, project: Project) -> Truth:
    entity = np.arange(len(which)) if rows.entity is None else rows.entity[which]
    query = None if rows.query is None else rows.query[which]
    weight = None if rows.weight is None else rows.weight[which]
    clusters = Clusters(entity, np.zeros(len(which), np.intp))
    return Truth(project.label.task, rows.label[which], clusters, query, weight, standard_of(project))


def _final_on(rows: TrainingSet, which: RowNumbers, project: Project) -> Days:
    """The first run date at which the label of each row is final."""
    predicted = rows.prediction_time[which].astype("datetime64[us]").astype(np.int64)
    final = project.label.final_at(predicted, project.zone)
    midnights, day = list[int](), date.fromisoformat(str(rows.day[which[0]]))
    first = np.datetime64(day)
    while not midnights or midnights[-1] < final.max():
        midnights.append(moment(cutoff(day, project.zone)))
        day += timedelta(days=1)
    number: npt.NDArray[np.intp] = np.searchsorted(midnights, final)
    return first + number.astype("timedelta64[D]")
