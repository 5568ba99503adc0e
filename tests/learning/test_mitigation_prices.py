"""What each mitigation changes and costs, on the folds and on a final period that no fit has seen."""

import json
from dataclasses import asdict, replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import builders
from learning import problems
from nightjar.learning.data.training_set import TrainingSet
from nightjar.learning.evidence import Evidence
from nightjar.learning.fitting.candidates import Candidate
from nightjar.learning.fitting.fit import fit_candidate
from nightjar.learning.fitting.fit_sets import FitSet
from nightjar.learning.group_thresholds import fit_group_scores, threshold_of_rows
from nightjar.learning.mitigation_prices import add_mitigation
from nightjar.learning.out_of_fold_checks import out_of_fold_checks
from nightjar.learning.search.problem import Problem
from nightjar.learning.splits.folding import Fold, folds
from nightjar.learning.training_plan import TrainingPlan
from nightjar.models.columns import FeatureColumn
from nightjar.registry.tiers import tier_of_evidence
from nightjar.settings.fairness import GroupFairness, Mitigation, MitigationKind, UnseenGroup
from nightjar.settings.model import Estimator, Model
from nightjar.settings.task import Metric, Task
from nightjar.settings.tiers import Tier, TierKind

FIRST, DAYS, A_DAY = date(2024, 3, 1), 30, 120
LOGISTIC = Candidate("logistic", Model(Estimator.LOGISTIC))
NEIGHBOURS = Candidate("neighbours", Model(Estimator.NEIGHBOURS))


def rows_of_groups() -> TrainingSet:
    """Two sexes, of which the features tell and one has fewer True rows; of the last night's rows three have none."""
    random, rows = np.random.default_rng(0), DAYS * A_DAY
    day = np.repeat([np.datetime64(FIRST + timedelta(days=number)) for number in range(DAYS)], A_DAY)
    woman, shock = random.random(rows) < 0.4, np.repeat(random.normal(0, 0.4, DAYS), A_DAY)
    x, proxy = random.normal(size=rows), woman + 0.5 * random.normal(size=rows)
    label = random.random(rows) < 1 / (1 + np.exp(-(1.5 * x - 1.8 * woman - 0.6 + shock)))
    sex = np.where(woman, "F", "M").astype(object)
    sex[-3:] = None
    columns = (FeatureColumn("x", "number"), FeatureColumn("proxy", "number"))
    instant = day.astype("datetime64[us]")
    return TrainingSet(
        pa.table({"x": x, "proxy": proxy}),
        columns,
        pa.table({"row": np.arange(rows), "prediction_time": instant}),
        label,
        day,
        instant,
        instant + np.timedelta64(6, "h"),
        instant + problems.HORIZON,
        FIRST,
        {},
        "d1",
        slices=pa.table({"sex": pa.array(sex.tolist())}),
    )


def plan_with(mitigation) -> TrainingPlan:
    rows, start = rows_of_groups(), FIRST + timedelta(days=DAYS - 8)
    splits = folds(rows, problems.SPLIT, start, "UTC", 0)
    fit_sets = [FitSet(fold.train, None, (), np.datetime64(fold.start, "us")) for fold in splits]
    problem = Problem(rows, splits, fit_sets, Task.CLASSIFICATION, 0)
    test = np.flatnonzero(rows.day >= np.datetime64(start))
    final = Fold(name="final", train=np.arange(test[0]), test=test, start=start, end=FIRST + timedelta(days=DAYS - 1))
    project = builders.machines(Path("files"))
    spine = replace(project.spine, keep=["sex"], derived={"sex": "'F'"})
    fairness = GroupFairness(mitigation=mitigation)
    tiers = {"act": Tier(TierKind.RECALL, at_least=0.5)}
    project = replace(project, spine=spine, fairness=fairness, tiers=tiers, zone="UTC")
    settings = builders.search(metric=Metric.ROC_AUC)
    return TrainingPlan(
        warehouse=None,
        project=project,
        settings=settings,
        run_date=FIRST + timedelta(days=DAYS),
        rows=rows,
        prices=None,
        champion=None,
        final=final,
        problem=problem,
        fit_rows=np.arange(test[0]),
        missing_dates=None,
    )


def evidence_of(plan, candidate):
    """What a training would record, and the winner's scores."""
    final = plan.final
    predictor = fit_candidate(plan.rows, final.train, final.start, candidate, plan.project, plan.settings)
    own = predictor.predict(plan.rows.features.take(final.test))
    checks = out_of_fold_checks(
        plan.problem,
        candidate,
        plan.final,
        own,
        predictor,
        plan.clusters,
        plan.project.decision_tiers(),
        None,
        1,
        plan.project.fairness.mitigation,
    )
    empty = Evidence("roc_auc", ("", ""), {"name": candidate.name}, {}, {}, {}, 0.0, {})
    return replace(empty, thresholds=tuple(map(asdict, checks.thresholds))), checks.scores


def farthest(entry, period, which):
    groups = next(one for one in entry["periods"] if one["period"] == period)["groups"]
    return max(abs(one[which]["estimate"]) for one in groups if one["group"] != ["null"])


def test_each_kind_lowers_the_difference_and_states_its_price(ray_started):
    plan = plan_with(Mitigation(MitigationKind.THRESHOLDS, ["sex"], compare=True))
    evidence, scores = evidence_of(plan, LOGISTIC)
    complete = add_mitigation(evidence, plan, LOGISTIC, scores)
    entries = {one["kind"]: one for one in json.loads(json.dumps(complete.mitigation, allow_nan=False))}
    assert list(entries) == ["thresholds", "reweighing", "resampling", "reduction"]
    assert [one["is_used"] for one in entries.values()] == [True, False, False, False]
    for kind, entry in entries.items():
        for period in ("folds", "final"):
            assert farthest(entry, period, "without") > 0.1
            assert farthest(entry, period, "with") < 0.7 * farthest(entry, period, "without")
        final = entry["periods"][1]
        if kind == "thresholds":
            assert final["metric"] is None  # its scores are those of the model without it
            assert final["prices"]["precision"]["low"] < 0
        else:
            assert final["metric"]["low"] < final["metric"]["estimate"] < final["metric"]["high"]
            assert final["metric"]["estimate"] < 0
        nobody = next(one for one in final["groups"] if one["group"] == ["null"])
        assert (nobody["size"], nobody["with"]["reason"]) == (3, "the group has 3 such rows, fewer than 100")

    [stored] = json.loads(json.dumps(evidence.thresholds))
    tier, columns = tier_of_evidence(stored), plan.rows.slices
    own = {group.values: group.threshold for group in tier.groups}
    assert own["F",] < tier.threshold < own["M",]
    assert tier.unseen == tier.threshold
    is_final = np.isin(np.arange(len(scores)), plan.final.test)
    folds_scored = ~np.isnan(scores) & ~is_final
    acts = scores >= threshold_of_rows(tier, columns)
    sex = np.array(columns["sex"].to_pylist())
    rates = [acts[folds_scored & (sex == one)].mean() for one in ("F", "M")]
    assert rates[0] == pytest.approx(rates[1], abs=0.005)
    assert stored["reach"]["recall"]["estimate"] == pytest.approx(
        acts[is_final & plan.rows.label].sum() / plan.rows.label[is_final].sum()
    )
    outcomes_minus_probabilities = (plan.rows.label - scores)[is_final & acts].mean()
    assert stored["reach"]["calibration_gap"]["estimate"] == pytest.approx(outcomes_minus_probabilities)


def test_a_kind_that_does_not_fit_the_winner_is_told_and_one_in_use_has_the_winner_without_it_beside(
    ray_started,
):
    used = Mitigation(MitigationKind.RESAMPLING, ["sex"], compare=True)
    plan = plan_with(used)
    winner = replace(NEIGHBOURS, mitigation=used)
    evidence, scores = evidence_of(plan, winner)
    by_kind = {one["kind"]: one for one in add_mitigation(evidence, plan, winner, scores).mitigation}
    assert by_kind["resampling"]["is_used"]
    assert farthest(by_kind["resampling"], "folds", "with") < farthest(by_kind["resampling"], "folds", "without")
    for kind in ("reweighing", "reduction"):
        assert "weight" in by_kind[kind]["reason"]
        assert by_kind[kind]["periods"] == []


def test_null_groups_have_the_declared_threshold():
    rows = rows_of_groups()
    scores = np.linspace(0, 1, len(rows.label))
    highest = Mitigation(MitigationKind.THRESHOLDS, ["sex"], unseen=UnseenGroup.HIGHEST)
    by_group = fit_group_scores(rows, scores, highest)
    assert {by_group.values[number] for number in by_group.moved.knots} == {("F",), ("M",)}
    assert by_group.moved.threshold(0.5, None) == max(
        by_group.moved.threshold(0.5, one) for one in by_group.moved.knots
    )
