"""Where the winner fails, in its evidence and in files for people: see `learning.analysis`.

The evidence holds

- `slices`: parts of the final period's rows, as `text` and `conditions`, with `name` if it has one, `rows`, `share`,
  mean losses (`error`, `error_of_rest`, `baseline_error`), the `difference` of the first two as an interval that holds
  for all slices together, `is_confirmed` (it is worse), `is_declared` (it was asked for, else it was found on the folds
  and is confirmed here), and of two classes the `calibration` error;
- `slices_searched`: the `loss`, the `baseline`, and how slices were found: `rows` and `columns` searched, `least_rows`,
  `candidates` judged here, `confirmed`, the `confidence` of each interval, and the `reason` why nothing could be found;
- `by_night`: of each night of the period `rows`, mean losses (`error`, `baseline_error`), and `residual`, the mean of
  outcome minus score;
- `learning_curve`: of ever longer spans of training days `days`, `rows`, the first `night`, and the metric's interval.
"""

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from nightjar.evaluation.clusters import Clusters
from nightjar.evaluation.criteria import of_metric
from nightjar.evaluation.intervals import Interval
from nightjar.evaluation.metric_report import Truth, figure
from nightjar.evaluation.rows import Floats, RowNumbers
from nightjar.learning.analysis.learning_curve import learning_curve
from nightjar.learning.analysis.losses import Loss, loss_of
from nightjar.learning.analysis.over_time import losses_by_night, worst_rows
from nightjar.learning.analysis.slices import LossRows, analyse_slices, declared_slices
from nightjar.learning.clusters import clusters_of
from nightjar.learning.data.training_set import TrainingSet
from nightjar.learning.evidence import Evidence
from nightjar.learning.fitting.candidates import Candidate
from nightjar.learning.fitting.fit import fit_candidate
from nightjar.learning.search.out_of_fold_scores import out_of_fold_scores
from nightjar.learning.search.problem import Problem
from nightjar.learning.splits.folding import Fold
from nightjar.settings.learning import Search
from nightjar.settings.project import Project

log = logging.getLogger("nightjar.train")


def add_error_analysis(
    evidence: Evidence,
    problem: Problem,
    winner: Candidate,
    final: Fold,
    clusters: Clusters,
    scores: Mapping[str, Floats],
    out_of_fold: Floats | None,
    project: Project,
    settings: Search,
) -> tuple[Evidence, dict[str, pa.Table]]:
    """The evidence with its `slices`, `slices_searched`, `by_night` and `learning_curve`, and files for people.

    Ray must have been started.

    Args:
        evidence: of the winner.
        problem: the search's.
        winner: its best candidate.
        final: the final period.
        clusters: of its rows.
        scores: as `evidence.judge` returns them.
        out_of_fold: the winner's scores of the folds' test rows, NaN elsewhere; None: they are made here where needed.
        project: its settings.
        settings: of the search.

    Raises:
        LearningError: as `out_of_fold_scores`.
    """
    rows, own = problem.rows, scores[winner.name]
    test = rows.examples(final.test)
    truth = Truth(problem.task, test.label, clusters, test.query, test.weight, problem.standard)
    curve = (
        _learning_curve(problem, winner, final, truth, own, project, settings)
        if project.analysis.learning_curve
        else []
    )
    loss = loss_of(problem.task, settings.metric, problem.standard)
    if loss is None:
        nothing = {"reason": "rows of a ranking have no loss of their own: its measures are of lists"}
        return replace(evidence, slices_searched=nothing, learning_curve=curve), {}
    losses = loss.of(test.label, own)
    baseline = loss.of(test.label, scores[evidence.difference["over"]])
    searched = None
    if project.analysis.search:
        if out_of_fold is None:
            out_of_fold = out_of_fold_scores(problem, winner)
        searched = _searched(problem, loss, out_of_fold, final, project, settings)
    judged = LossRows(_columns(rows, final.test), losses, clusters, test.weight)
    declared = declared_slices(project.analysis, project.promotion.slices.columns, judged.columns)
    entries, about = analyse_slices(searched, judged, baseline, declared, project.analysis, truth, own)
    for entry in entries:
        if not entry["is_declared"]:
            log.info("%s", describe(entry, loss.name))
    evidence = replace(
        evidence,
        slices=entries,
        slices_searched={"loss": loss.name, "baseline": evidence.difference["over"], **about},
        by_night=losses_by_night(rows, final.test, own, losses, baseline),
        learning_curve=curve,
    )
    hidden = set(project.promotion.fairness.columns)
    return evidence, {"worst_rows.csv": worst_rows(rows, final.test, own, losses, baseline, hidden)}


def describe(entry: Mapping[str, Any], loss: str) -> str:
    """A slice in words, for the log."""
    difference = entry["difference"]
    return (
        f"it is worse where {entry['text']}: {loss} {entry['error']:.4g} in {entry['rows']:,} rows, "
        f"{entry['error_of_rest']:.4g} in the others ({difference['low']:.4g} to {difference['high']:.4g} more); "
        f"the baseline {entry['baseline_error']:.4g}"
    )


def _searched(
    problem: Problem, loss: Loss, scores: Floats, final: Fold, project: Project, settings: Search
) -> LossRows | None:
    """The folds' test rows with their losses; None: there are none."""
    rows = problem.rows
    is_scored = ~np.isnan(scores if scores.ndim == 1 else scores[:, 0])
    is_scored[final.test] = False
    index = np.flatnonzero(is_scored)
    if not len(index):
        return None
    first, last = rows.day[index].min().item(), rows.day[index].max().item()
    clusters = clusters_of(rows, index, first, last, project.label, settings)
    weight = None if rows.weight is None else rows.weight[index]
    return LossRows(_columns(rows, index), loss.of(rows.label[index], scores[index]), clusters, weight)


def _columns(rows: TrainingSet, index: RowNumbers) -> pa.Table:
    """The columns by which slices may be told apart: features, and those that the settings name besides."""
    table = rows.features
    if rows.slices is not None:
        for name, column in zip(rows.slices.column_names, rows.slices.columns, strict=True):
            table = table if name in table.column_names else table.append_column(name, column)
    return table.take(index)


def _learning_curve(
    problem: Problem, winner: Candidate, final: Fold, truth: Truth, scores: Floats, project: Project, settings: Search
) -> list[dict[str, Any]]:
    rows, criterion = problem.rows, of_metric(settings.metric, problem.task, problem.standard)

    def fit_scores(chosen: RowNumbers) -> Floats:
        predictor = fit_candidate(rows, chosen, final.start, winner, project, settings)
        return predictor.predict(rows.features.take(final.test))

    def measure(of_rows: Floats) -> Interval:
        label, own = criterion.columns(truth.label, of_rows)
        return figure(criterion.measure, replace(truth, label=label), own, **criterion.parameters)

    return learning_curve(rows, final, fit_scores, scores, measure)
