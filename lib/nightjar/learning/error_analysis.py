"""Where the winner fails, in its evidence and in files for people: see `learning.analysis`.

The evidence holds

- `slices`: parts of the final period's rows, as `text` and `conditions`, with `name` if it has one, `rows`, `share`,
  mean losses (`error`, `error_of_rest`, `baseline_error`), the difference of the first two as an interval that holds
  for all slices together (`estimate`, `low`, `high`, `reason`), `is_confirmed` (it is worse), `is_declared` (it was
  asked for, else it was found on the folds and is confirmed here), and of two classes the `calibration` error;
- `slices_searched`: the `loss`, the `baseline`, and how slices were found: `rows` and `columns` searched, the `of_rows`
  that the rows are a sample of, `least_rows`, `candidates` judged here, `confirmed`, the `confidence` of each interval,
  and where nothing could be found the `reason`;
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

from nightjar.evaluation.criteria import of_metric
from nightjar.evaluation.intervals import Interval
from nightjar.evaluation.metric_report import Truth, figure
from nightjar.evaluation.rows import Floats, RowNumbers
from nightjar.learning.analysis.learning_curve import learning_curve
from nightjar.learning.analysis.losses import Loss, loss_of
from nightjar.learning.analysis.over_time import losses_by_night, worst_rows
from nightjar.learning.analysis.slices import LossRows, analyse_slices, columns_of, declared_slices
from nightjar.learning.clusters import clusters_of
from nightjar.learning.evidence import Evidence
from nightjar.learning.fitting.candidates import Candidate
from nightjar.learning.fitting.fit import fit_candidate
from nightjar.learning.search.out_of_fold_scores import out_of_fold_scores
from nightjar.learning.training_plan import TrainingPlan
from nightjar.masking.evidence import mask_evidence
from nightjar.masking.values import masking_of

log = logging.getLogger("nightjar.train")

MOST_SEARCHED = 1_000_000
"""Of more rows a sample is searched for slices, so that time and memory do not grow with the folds."""


def add_error_analysis(
    evidence: Evidence, plan: TrainingPlan, winner: Candidate, scores: Mapping[str, Floats], out_of_fold: Floats | None
) -> tuple[Evidence, dict[str, pa.Table]]:
    """The evidence with where the winner fails, and files for people; Ray must have been started.

    Args:
        evidence: of the winner.
        plan: of the training.
        winner: of its search.
        scores: of the final period's rows, by name of a candidate, those of winner and baselines among them.
        out_of_fold: the winner's scores of the folds' test rows, NaN elsewhere; None: they are made here where needed.

    Raises:
        LearningError: as `out_of_fold_scores`.
    """
    rows, final, settings = plan.rows, plan.final.test, plan.project.analysis
    own, truth = scores[winner.name], plan.truth
    curve = _learning_curve(plan, winner, truth, own) if settings.learning_curve else []
    loss = loss_of(truth.task, plan.settings.metric, truth.standard)
    if loss is None:
        nothing = {"reason": "rows of a ranking have no loss of their own: its measures are of lists"}
        return replace(evidence, slices_searched=nothing, learning_curve=curve), {}
    losses = loss.of(truth.label, own)
    baseline = loss.of(truth.label, scores[evidence.difference["over"]])
    searched = None
    if settings.search:
        tested = out_of_fold_scores(plan.problem, winner) if out_of_fold is None else out_of_fold
        searched = searched_rows(plan, loss, tested)
    judged = LossRows(columns_of(rows, final), losses, plan.clusters, truth.weight)
    declared = declared_slices(settings, plan.project.promotion.slices.columns, judged.columns)
    entries, about = analyse_slices(searched, judged, baseline, declared, settings, truth, own)
    for entry in entries:
        if not entry["is_declared"]:
            log.info("%s", describe(mask_evidence(entry, masking_of(plan.project)), loss.name))
    evidence = replace(
        evidence,
        slices=entries,
        slices_searched={"loss": loss.name, "baseline": evidence.difference["over"], **about},
        by_night=losses_by_night(rows, final, own, losses, baseline),
        learning_curve=curve,
    )
    hidden = set(plan.project.group_columns())
    return evidence, {"worst_rows.csv": worst_rows(rows, final, own, losses, baseline, hidden)}


def describe(entry: Mapping[str, Any], loss: str) -> str:
    """A slice in words, for the log."""
    return (
        f"it is worse where {entry['text']}: {loss} {entry['error']:.4g} in {entry['rows']:,} rows, "
        f"{entry['error_of_rest']:.4g} in the others ({entry['low']:.4g} to {entry['high']:.4g} more); "
        f"the baseline {entry['baseline_error']:.4g}"
    )


def searched_rows(plan: TrainingPlan, loss: Loss, scores: Floats) -> LossRows | None:
    """The folds' test rows with their losses, of more than `MOST_SEARCHED` a sample; None: there are none.

    Columns of groups that are to be treated fairly are left out: groups have figures of their own.

    Args:
        plan: of the training.
        loss: of a row.
        scores: of all rows, NaN where no fold has tested.
    """
    rows = plan.rows
    is_scored = ~np.isnan(scores if scores.ndim == 1 else scores[:, 0])
    is_scored[plan.final.test] = False
    scored = np.flatnonzero(is_scored)
    if not len(scored):
        return None
    index = scored
    if len(scored) > MOST_SEARCHED:
        random = np.random.default_rng(plan.problem.seed)
        index = np.sort(random.choice(scored, MOST_SEARCHED, replace=False, shuffle=False))
    first, last = rows.day[index].min().item(), rows.day[index].max().item()
    clusters = clusters_of(rows, index, first, last, plan.project.label, plan.settings)
    weight = None if rows.weight is None else rows.weight[index]
    columns = columns_of(rows, index, plan.project.group_columns())
    return LossRows(columns, loss.of(rows.label[index], scores[index]), clusters, weight, len(scored))


def _learning_curve(plan: TrainingPlan, winner: Candidate, truth: Truth, scores: Floats) -> list[dict[str, Any]]:
    criterion, start = of_metric(plan.settings.metric, truth.task, truth.standard), plan.final.start

    def fit_scores(chosen: RowNumbers) -> Floats:
        predictor = fit_candidate(plan.rows, chosen, start, winner, plan.project, plan.settings)
        return predictor.predict(plan.rows.features.take(plan.final.test))

    def measure(of_rows: Floats) -> Interval:
        label, own = criterion.columns(truth.label, of_rows)
        return figure(criterion.measure, replace(truth, label=label), own, **criterion.parameters)

    return learning_curve(plan.rows, plan.final, fit_scores, scores, measure)
