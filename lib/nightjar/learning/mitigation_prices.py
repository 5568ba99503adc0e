"""What a mitigation changes, and its price: the winner with it and without it, on the folds and on the final period.

Both act on as many rows of the folds, and from the same threshold on in the final period: the share that the last tier
acts on, or without tiers that of the True rows. Nothing is chosen by these figures.

The evidence holds, as `mitigation`, for each kind `kind`, `columns`, `goal`, whether it `is_used`, the `reason` why it
cannot be compared, and for each of `periods` (`period` is folds or final)

- `metric`: the metric with it minus that without it, as an interval; None where it leaves the scores as they are;
- `prices`: name of a figure of the decisions (`cost` of a row, or `recall` and `precision`) -> the same of it;
- `groups`: of each `group` and the `criterion` of the goal the difference from the rest, `without` and `with`.
"""

import logging
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from nightjar.errors import LearningError
from nightjar.evaluation.binary import Booleans
from nightjar.evaluation.confusion import precision, recall
from nightjar.evaluation.decisions import row_costs
from nightjar.evaluation.fairness_criteria import group_figures
from nightjar.evaluation.intervals import LEVEL
from nightjar.evaluation.metric_report import Truth, difference, mean_interval, metric_difference
from nightjar.evaluation.rows import Floats, RowNumbers
from nightjar.evaluation.swaps import share_of, threshold_at
from nightjar.learning.analysis.fairness import Group, groups_of
from nightjar.learning.clusters import clusters_of
from nightjar.learning.evidence import Evidence
from nightjar.learning.fitting.candidates import Candidate
from nightjar.learning.fitting.fit import fit_candidate
from nightjar.learning.group_thresholds import fit_group_scores, threshold_of_rows
from nightjar.learning.search.out_of_fold_scores import out_of_fold_scores
from nightjar.learning.training_plan import TrainingPlan
from nightjar.registry.tiers import tier_of_evidence
from nightjar.settings.fairness import Mitigation, MitigationKind, Parity
from nightjar.settings.task import Metric, Task

log = logging.getLogger("nightjar.train")
CRITERIA = {Parity.DEMOGRAPHIC_PARITY: "selection_rate", Parity.EQUAL_OPPORTUNITY: "recall"}
"""What a goal makes equal."""


@dataclass(frozen=True, eq=False)
class _Period:
    """Rows that are judged, none of which the fits that score them have seen."""

    name: str
    rows: RowNumbers
    truth: Truth


@dataclass(frozen=True, eq=False)
class _Model:
    """Scores of all judged rows, NaN elsewhere, and whether each row is acted on."""

    scores: Floats
    acts: Booleans


def add_mitigation(evidence: Evidence, plan: TrainingPlan, winner: Candidate, out_of_fold: Floats | None) -> Evidence:
    """The evidence with its `mitigation`; Ray must have been started.

    Args:
        evidence: of the winner, with its thresholds.
        plan: of the training.
        winner: of its search.
        out_of_fold: the winner's scores of the rows of folds and final period, NaN elsewhere; None: of another task.

    Raises:
        LearningError: as `out_of_fold_scores`.
    """
    mitigation = plan.project.fairness.mitigation
    if plan.problem.task is not Task.CLASSIFICATION or out_of_fold is None or not mitigation.columns:
        return evidence
    periods = list(_periods(plan, out_of_fold))
    share = _acted_share(evidence, plan, periods[0], out_of_fold)
    plain = out_of_fold if winner.mitigation is None else _scores(plan, replace(winner, mitigation=None))
    without = _act(plain, plain, periods[0], share)
    entries = []
    for kind in _kinds(mitigation):
        own, is_used = replace(mitigation, kind=kind), kind is mitigation.kind
        about = {"kind": kind.word, "columns": [*own.columns], "goal": own.goal.word, "is_used": is_used}
        try:
            if own.is_of_fits():
                scores = out_of_fold if is_used else _scores(plan, replace(winner, mitigation=own))
                with_it = _act(scores, scores, periods[0], share)
            else:
                with_it = _act(plain, _moved(plan, plain, periods, own), periods[0], share)
        except LearningError as error:  # one that is only compared need not fit the winner
            entries.append({**about, "reason": str(error).splitlines()[0], "periods": []})
        else:
            figures = [_figures(plan, own, period, without, with_it) for period in periods]
            entries.append({**about, "reason": None, "periods": figures})
        log.info("%s", describe(entries[-1], plan.settings.metric))
    return replace(evidence, mitigation=entries)


def describe(entry: dict[str, Any], metric: Metric) -> str:
    """In words, for the log."""
    if not entry["periods"]:
        return f"{entry['kind']} by {' and '.join(entry['columns'])} cannot be compared: {entry['reason']}"
    final = entry["periods"][-1]
    figures = {metric.value: final["metric"], **final["prices"]}
    prices = [f"{name} {one['estimate']:+.4g}" for name, one in figures.items() if one and one["estimate"] is not None]
    gaps = {
        which: max((abs(one[which]["estimate"] or 0.0) for one in final["groups"]), default=0.0)
        for which in ("without", "with")
    }
    used = "used" if entry["is_used"] else "not used"
    return (
        f"{entry['kind']} by {' and '.join(entry['columns'])} ({used}): groups lie up to {gaps['with']:.3f} from the "
        f"rest instead of {gaps['without']:.3f} ({entry['goal']}), at a price of {', '.join(prices) or 'nothing'}"
    )


def _kinds(mitigation: Mitigation) -> list[MitigationKind]:
    """The one that is used first."""
    all_kinds = [mitigation.kind, *(MitigationKind if mitigation.compare else ())]
    return [kind for kind in dict.fromkeys(all_kinds) if kind is not MitigationKind.NONE]


def _periods(plan: TrainingPlan, out_of_fold: Floats) -> Iterator[_Period]:
    is_final = np.isin(np.arange(len(out_of_fold)), plan.final.test)
    folds = np.flatnonzero(~np.isnan(out_of_fold) & ~is_final)
    day = plan.rows.day[folds]
    clusters = clusters_of(
        plan.rows, folds, day.min().astype(object), day.max().astype(object), plan.project.label, plan.settings
    )
    weight = None if plan.rows.weight is None else plan.rows.weight[folds]
    truth = Truth(Task.CLASSIFICATION, plan.rows.label[folds], clusters, weight=weight, standard=plan.problem.standard)
    yield _Period("folds", folds, truth)
    yield _Period("final", plan.final.test, plan.truth)


def _scores(plan: TrainingPlan, candidate: Candidate) -> Floats:
    """A candidate's scores of the rows of folds and final period."""
    scores = out_of_fold_scores(plan.problem, candidate)
    final = plan.final
    predictor = fit_candidate(plan.rows, final.train, final.start, candidate, plan.project, plan.settings)
    scores[final.test] = predictor.predict(plan.rows.features.take(final.test))
    return scores


def _acted_share(evidence: Evidence, plan: TrainingPlan, folds: _Period, scores: Floats) -> float:
    """The share of the folds' rows that the winner acts on by its last tier; without one that of the True rows."""
    if not evidence.thresholds:
        return share_of(np.asarray(folds.truth.label) == 1, folds.truth.weight)
    columns = None if plan.rows.slices is None else plan.rows.slices.take(folds.rows)
    threshold = threshold_of_rows(tier_of_evidence(evidence.thresholds[-1]), columns)
    return share_of(scores[folds.rows] >= threshold, folds.truth.weight)


def _moved(plan: TrainingPlan, scores: Floats, periods: list[_Period], mitigation: Mitigation) -> Floats:
    of_folds = scores.copy()
    of_folds[periods[1].rows] = np.nan
    by_group = fit_group_scores(plan.rows, of_folds, mitigation)
    return by_group.moved.move(scores, by_group.group)


def _act(scores: Floats, ranked: Floats, folds: _Period, share: float) -> _Model:
    """Whether each row is acted on: from the threshold on that acts on a share of the folds' rows."""
    threshold = threshold_at(share, ranked[folds.rows], folds.truth.weight)
    return _Model(scores, ranked >= threshold)


def _figures(
    plan: TrainingPlan, mitigation: Mitigation, period: _Period, without: _Model, with_it: _Model
) -> dict[str, Any]:
    declared = [] if plan.rows.slices is None else groups_of(plan.rows.slices, [tuple(mitigation.columns)])
    return {
        "period": period.name,
        "metric": _metric(plan, period, without, with_it),
        "prices": _prices(plan, period, without.acts[period.rows], with_it.acts[period.rows]),
        "groups": list(_groups(period, mitigation, declared, without, with_it)),
    }


def _metric(plan: TrainingPlan, period: _Period, without: _Model, with_it: _Model) -> dict[str, Any] | None:
    own, others = with_it.scores[period.rows], without.scores[period.rows]
    if np.array_equal(own, others):
        return None
    return asdict(metric_difference(plan.settings.metric, period.truth, own, others))


def _prices(plan: TrainingPlan, period: _Period, without: Booleans, with_it: Booleans) -> dict[str, Any]:
    """Differences in what decisions reach or cost."""
    truth, prices = period.truth, plan.prices
    if prices is None:
        measures = {"recall": recall, "precision": precision}
        return {name: asdict(difference(one, truth, with_it, without)) for name, one in measures.items()}
    matrix: list[list[Any]] = [[0, prices.false_alarm[period.rows]], [prices.missed[period.rows], 0]]
    with_costs, costs = (row_costs(truth.label, acts, matrix) for acts in (with_it, without))
    return {"cost": asdict(mean_interval(with_costs - costs, truth.clusters, truth.weight))}


def _groups(
    period: _Period, mitigation: Mitigation, declared: list[Group], without: _Model, with_it: _Model
) -> Iterator[dict[str, Any]]:
    criterion = CRITERIA[mitigation.goal]
    for group in declared:
        sides = {}
        for name, model in (("without", without), ("with", with_it)):
            own, acts = model.scores[period.rows], model.acts[period.rows]
            member = group.member[period.rows]
            figures = group_figures(period.truth, own, acts, member, LEVEL, mitigation.least_rows)
            sides[name] = next(one for one in figures if one.criterion == criterion)
        sized = {name: asdict(one.against_rest) for name, one in sides.items() if one.against_rest is not None}
        yield {"group": list(group.values), "criterion": criterion, "size": sides["with"].size, **sized}
