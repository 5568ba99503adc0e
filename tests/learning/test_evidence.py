"""From rows to evidence to a decision, for each task: fitted before the final period, judged on it."""

import json
from dataclasses import asdict, replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import builders
from nightjar.errors import LearningError
from nightjar.evaluation.clusters import Clusters
from nightjar.evaluation.criteria import Standard, all_criteria
from nightjar.evaluation.metric_report import Truth, intervals
from nightjar.evaluation.metrics import measures
from nightjar.evaluation.rows import number_or_none
from nightjar.learning.champion import Champion, candidate_of_recipe, columns_of_champion, open_champion, recipe_of
from nightjar.learning.clusters import clusters_of
from nightjar.learning.consequences import add_consequences, plan_attempt
from nightjar.learning.data.training_set import TrainingSet
from nightjar.learning.evidence import CHAMPION
from nightjar.learning.fitting.candidates import Candidate
from nightjar.learning.fitting.fit import fit_candidate
from nightjar.learning.judgement import _require_defined, judge
from nightjar.learning.search.problem import Problem
from nightjar.learning.splits.folding import Fold
from nightjar.models.columns import FeatureColumn
from nightjar.registry import events
from nightjar.registry.attempts import Attempt
from nightjar.registry.promotion import Approval, decide
from nightjar.registry.swaps import describe
from nightjar.registry.tiers import GroupThreshold, TierThreshold
from nightjar.settings.environment import Environment
from nightjar.settings.fairness import GroupFairness
from nightjar.settings.features import Aggregate
from nightjar.settings.model import Calibration, Estimator, Model
from nightjar.settings.promotion import Fairness, Promotion, Slices
from nightjar.settings.task import Metric, Task
from nightjar.timeline import cutoff

FIRST, DAYS, A_DAY = date(2024, 3, 1), 16, 24
LOGISTIC, LINEAR = Candidate("w", Model(Estimator.LOGISTIC)), Candidate("w", Model(Estimator.LINEAR))
MAJORITY = Candidate("majority", Model(Estimator.MAJORITY, baseline=True))
MEAN = Candidate("mean", Model(Estimator.MEAN, baseline=True))
STUMP = Candidate("stump", Model(Estimator.TREE, parameters={"max_depth": 1}, baseline=True))


def rows_for(task) -> TrainingSet:
    """Rows in which x decides: the chance of a yes, an amount in hundreds, or how relevant a row is in its list."""
    random = np.random.default_rng(3)
    day = np.repeat([np.datetime64(FIRST + timedelta(days=number)) for number in range(DAYS)], A_DAY)
    x, noise = random.normal(size=(2, len(day)))
    label = {
        Task.CLASSIFICATION: x + noise > 0,
        Task.REGRESSION: 100 * (3 * x + noise),
        Task.RANKING: np.clip(np.round(2 * x + noise), 0, 4),
    }[task]
    instant = day.astype("datetime64[us]")
    table, columns = pa.table({"x": x}), (FeatureColumn("x", "number"),)
    query = np.arange(len(day)) // 6 if task is Task.RANKING else None
    key = pa.table({"row": np.arange(len(day)), "prediction_time": instant})
    return TrainingSet(table, columns, key, label, day, instant, instant, instant, FIRST, {}, "d1", query=query)


def final(last_days: int) -> Fold:
    split = (DAYS - last_days) * A_DAY
    start, end = FIRST + timedelta(days=DAYS - last_days), FIRST + timedelta(days=DAYS - 1)
    return Fold("final", start, end, np.arange(split), np.arange(split, DAYS * A_DAY))


def judge_winner(metric, winner, baselines, *, last_days=6, weight=None, champion=None, attempt=None):
    project = builders.machines(Path("files"))
    query = ["site", "prediction_time"] if metric.tasks[0] is Task.RANKING else []
    project = replace(project, label=replace(project.label, task=metric.tasks[0], query=query))
    settings = builders.search(metric=metric)
    rows = replace(rows_for(metric.tasks[0]), weight=weight)
    fold = final(last_days)
    clusters = clusters_of(rows, fold.test, fold.start, fold.end, project.label, settings)
    judged = judge(rows, fold, clusters, winner, baselines, project, settings, champion, attempt)
    evidence, scores = judged.evidence, judged.scores
    return evidence, scores[winner.name]


@pytest.mark.parametrize(
    ("metric", "winner", "weak"),
    [
        (Metric.ROC_AUC, LOGISTIC, MAJORITY),
        (Metric.LOG_LOSS, LOGISTIC, MAJORITY),
        (Metric.RMSE, LINEAR, MEAN),
        (Metric.R2, LINEAR, MEAN),
        (Metric.NDCG, LOGISTIC, MEAN),
        (Metric.NDCG, LINEAR, MEAN),
    ],
)
def test_a_good_model_beats_the_strongest_baseline_with_its_whole_interval(metric, winner, weak):
    evidence, scores = judge_winner(metric, winner, [weak, STUMP])
    rows, fold = rows_for(metric.tasks[0]), final(6)
    test = rows.examples(fold.test)
    expected = measures(metric.tasks[0], test.label, scores, test.query, every=True)
    names = set(all_criteria(metric.tasks[0], Standard()))
    assert set(evidence.candidate) == {"name", *names}
    for name in names:
        value = number_or_none(expected[name])
        assert evidence.candidate[name]["estimate"] == (None if value is None else pytest.approx(value))
    assert (evidence.metric, evidence.period) == (metric.value, ("2024-03-11", "2024-03-16"))
    assert set(evidence.baselines) == {weak.name, "stump"}
    difference = evidence.difference
    assert (difference["over"], difference["better"]) == ("stump", 1 if metric.greater_is_better else -1)
    of_stump = evidence.baselines["stump"][metric.value]["estimate"]
    assert difference["estimate"] == pytest.approx(expected[metric.value] - of_stump)
    assert evidence.clusters == {"entities": 6 * A_DAY, "blocks": 6, "block_days": 1}
    assert decide(json.loads(json.dumps(asdict(evidence), allow_nan=False))).promoted


@pytest.mark.parametrize(("metric", "winner"), [(Metric.LOG_LOSS, LOGISTIC), (Metric.NDCG, LINEAR)])
def test_rows_of_the_final_period_count_for_as_many_as_they_stand_for(metric, winner):
    weight = np.repeat(np.where(np.arange(DAYS * A_DAY // 6) % 2, 5.0, 1.0), 6)  # one for all rows of a list
    evidence, scores = judge_winner(metric, winner, [STUMP], weight=weight)
    test = replace(rows_for(metric.tasks[0]), weight=weight).examples(final(6).test)
    estimate = evidence.candidate[metric.value]["estimate"]
    assert estimate == pytest.approx(
        measures(metric.tasks[0], test.label, scores, test.query, test.weight)[metric.value]
    )
    assert estimate != pytest.approx(measures(metric.tasks[0], test.label, scores, test.query)[metric.value])


def test_a_model_that_is_no_better_than_the_mean_is_not_promoted():
    evidence, _ = judge_winner(Metric.RMSE, Candidate("w", MEAN.model), [MEAN])
    assert evidence.difference["estimate"] == 0.0
    decision = decide(asdict(evidence))
    assert not decision.promoted
    assert "rmse +0.0000 has no interval" in decision.reason
    assert "the same in all entities and blocks" in decision.reason


def test_metrics_that_are_not_finite_are_refused_before_anything_is_recorded():
    wild = Candidate("wild", Model(Estimator.RULE, parameters={"expression": "x * 1e200"}))
    with pytest.raises(LearningError, match=r"r2 of wild in the final period is undefined: .*; its predictions are"):
        judge_winner(Metric.RMSE, wild, [MEAN])


def test_a_class_that_one_candidate_has_not_seen_is_no_fault_of_it():
    """As of a bagging whose bootstraps lack the one row of a class that a baseline has learned from."""
    clusters, standard = (
        Clusters(np.arange(6), np.arange(6)),
        Standard(("a", "b", "c"), ((0, 1, 1), (1, 0, 1), (1, 1, 0))),
    )
    truth = Truth(Task.MULTICLASS, np.array([0, 1, 2, 0, 1, 0]), clusters, standard=standard)
    scores = {"bagging": np.tile([0.5, 0.5, 0.0], (6, 1)), "majority": np.tile([0.5, 0.3, 0.2], (6, 1))}
    measured = {name: {key: asdict(one) for key, one in intervals(truth, own).items()} for name, own in scores.items()}
    assert measured["bagging"]["log_loss"]["estimate"] is None
    _require_defined(measured, truth, scores)


@pytest.mark.parametrize(("last_days", "blocks"), [(1, "1 night, and"), (2, "2 nights, and")])
def test_a_night_or_two_have_intervals_but_promote_nobody_by_themselves(last_days, blocks):
    evidence, _ = judge_winner(Metric.RMSE, LINEAR, [MEAN], last_days=last_days)
    stored = json.loads(json.dumps(asdict(evidence), allow_nan=False))
    assert stored["difference"]["high"] < 0
    decision = decide(stored)
    assert not decision.promoted
    assert "better in this period only, rmse" in decision.reason
    assert blocks in decision.reason
    approved = decide(stored, approvals=[Approval("ada", None, "a pilot of two weeks")])
    assert approved.promoted
    assert approved.reason.startswith(f"approved by ada: a pilot of two weeks; by itself {decision.reason[:20]}")


def champion(candidate, *, days_before=0, recipe=True):
    """One that was trained so many days before the final period."""
    rows, fold = rows_for(Task.CLASSIFICATION), final(6)
    project, settings = builders.machines(Path("files")), builders.search()
    predictor = fit_candidate(rows, fold.train, fold.start, candidate, project, settings)
    known = cutoff(fold.start - timedelta(days=days_before), project.zone)
    return Champion("3", candidate.name, known, predictor, candidate if recipe else None)


def test_a_new_model_has_to_beat_the_champion_too_on_rows_that_neither_has_learned_from():
    evidence, _ = judge_winner(Metric.ROC_AUC, LOGISTIC, [MAJORITY], champion=champion(STUMP, days_before=3))
    of_champion = json.loads(json.dumps(asdict(evidence)))["champion"]
    against_stump, _ = judge_winner(Metric.ROC_AUC, LOGISTIC, [STUMP])
    assert of_champion["basis"] == "as it scores now"
    assert {name: of_champion[name] for name in ("estimate", "low", "high")} == {
        name: against_stump.difference[name] for name in ("estimate", "low", "high")
    }
    decision = decide(asdict(evidence))
    assert decision.promoted
    assert "Against champion version 3 (stump): better, roc_auc +" in decision.reason
    worse, _ = judge_winner(Metric.ROC_AUC, STUMP, [MAJORITY], champion=champion(LOGISTIC))
    assert "Against champion version 3 (w): not reliably better, roc_auc -" in decide(asdict(worse)).reason
    assert not decide(asdict(worse)).promoted


def test_a_candidate_may_be_called_champion():
    _, expected = judge_winner(Metric.ROC_AUC, LOGISTIC, [MAJORITY])
    of_name = replace(LOGISTIC, name="champion")
    _, scores = judge_winner(Metric.ROC_AUC, of_name, [MAJORITY], champion=champion(STUMP, days_before=3))
    assert scores.tolist() == expected.tolist()


def test_a_champion_that_has_learned_from_the_period_is_fitted_anew_or_left_to_a_person():
    seen = champion(STUMP, days_before=-1)
    evidence, _ = judge_winner(Metric.ROC_AUC, LOGISTIC, [MAJORITY], champion=seen)
    against_stump, _ = judge_winner(Metric.ROC_AUC, LOGISTIC, [STUMP])
    assert evidence.champion["basis"].startswith("fitted anew on the same rows as the new model")
    assert evidence.champion["low"] == against_stump.difference["low"]
    of_old, _ = judge_winner(Metric.ROC_AUC, LOGISTIC, [MAJORITY], champion=replace(seen, recipe=None))
    decision = decide(asdict(of_old))
    assert not decision.promoted
    assert "champion version 3 (stump) has learned from the period, or cannot be opened" in decision.reason
    wild = replace(seen, recipe=Candidate("wild", Model(Estimator.RULE, parameters={"expression": "y > 1"})))
    failing, _ = judge_winner(Metric.ROC_AUC, LOGISTIC, [MAJORITY], champion=wild)
    assert "cannot be compared: " in failing.champion["reason"]
    unopened, _ = judge_winner(Metric.ROC_AUC, LOGISTIC, [MAJORITY], champion=replace(champion(STUMP), predictor=None))
    assert unopened.champion == evidence.champion


def test_the_same_recipe_replaces_itself_only_where_not_being_worse_suffices():
    evidence, _ = judge_winner(Metric.ROC_AUC, LOGISTIC, [MAJORITY], champion=champion(LOGISTIC, days_before=-1))
    by_default, not_worse = decide(asdict(evidence)), decide(asdict(evidence), Promotion(not_worse_by=0.01))
    assert (by_default.promoted, not_worse.promoted) == (False, True)
    assert "not worse by 0.01, roc_auc +0.0000, 95% interval +0.0000 to +0.0000, the same recipe" in not_worse.reason


def test_what_would_be_replaced_is_compared_at_the_level_of_the_attempt():
    """The champion, and without one the baselines; beside a champion these are as the settings say."""
    attempt = Attempt("digest", FIRST, 0.001)
    old = champion(STUMP, days_before=3)
    beside, _ = judge_winner(Metric.ROC_AUC, LOGISTIC, [MAJORITY], champion=old, attempt=attempt)
    alone, _ = judge_winner(Metric.ROC_AUC, LOGISTIC, [STUMP], attempt=attempt)
    assert (beside.champion["confidence"], beside.difference["confidence"]) == (0.998, 0.95)
    assert (alone.difference["confidence"], alone.difference["low"]) == (0.998, beside.champion["low"])
    assert beside.attempt == alone.attempt == {"digest": "digest", "level": 0.001}
    assert beside.smallest["difference"] == alone.smallest["difference"]
    assert (beside.smallest["over"], alone.smallest["over"]) == ("champion version 3 (stump)", "stump")
    usual, _ = judge_winner(Metric.ROC_AUC, LOGISTIC, [MAJORITY], champion=old)
    assert usual.champion["low"] > beside.champion["low"]


def test_beside_an_expired_champion_the_baselines_are_beaten_at_the_level_of_the_attempt():
    expired = replace(champion(LOGISTIC, days_before=-1), expired_on=FIRST)
    evidence, _ = judge_winner(
        Metric.ROC_AUC, LOGISTIC, [MAJORITY], champion=expired, attempt=Attempt("d", FIRST, 0.001)
    )
    assert evidence.difference["confidence"] == 0.998
    assert (evidence.smallest["over"], evidence.attempt["level"]) == ("majority", 0.001)
    assert decide(asdict(evidence)).promoted


def test_what_promotion_has_limits_for_is_measured_stored_and_judged():
    """Of a champion with a threshold, on the final period's rows: as JSON holds it, all gates have what they need."""
    limits = Promotion(
        slices=Slices(["site"], not_worse_by=0.05, least_rows=20),
        fairness=Fairness(["site"], selection_rate=0.5, least_rows=5),
        calibration_error=0.3,
        rows_per_second=1,
    )
    project = builders.machines(Path("files"))
    spine = replace(project.spine, features=["load", "built"], keep=["site"])
    project = replace(project, spine=spine, promotion=limits, fairness=GroupFairness(least_rows=5))
    fold, settings, old = final(6), builders.search(metric=Metric.ROC_AUC), champion(STUMP, days_before=3)
    site = pa.table({"site": ["north", "south"] * (DAYS * A_DAY // 2)})
    rows, old = replace(rows_for(Task.CLASSIFICATION), slices=site), replace(old, threshold=TierThreshold("act", 0.5))
    clusters = clusters_of(rows, fold.test, fold.start, fold.end, project.label, settings)
    judged = judge(rows, fold, clusters, LOGISTIC, [MAJORITY], project, settings, old)
    evidence, scores = judged.evidence, judged.scores
    assert (judged.predictor.predict(rows.features.take(fold.test)) == scores[LOGISTIC.name]).all()
    evidence = replace(evidence, thresholds=({"value": 0.8},))
    complete = add_consequences(evidence, scores, old, judged.predictor, rows, fold, clusters, project)
    stored = json.loads(json.dumps(asdict(complete), allow_nan=False))
    assert stored["swaps"]["action_rate"]["champion"] == (scores[CHAMPION] >= 0.5).mean()
    assert (stored["swaps"]["in"]["rows"], stored["swaps"]["out"]["rows"] > 0) == (0, True)
    decision = decide(stored, limits)
    assert decision.needs_person(), decision.reason
    assert decision.reason.startswith("Whether the calibration error is above 0.3 cannot be said: 144 rows are fewer")
    assert {one.gate for one in decision.outcomes} >= {"champion", "slices", "fairness", "calibration", "speed"}
    assert [one["value"] for one in stored["gates"]["slices"]] == ["north", "south"]
    of_groups = {(*one["group"], one["criterion"]): one for one in stored["fairness"]}
    north, south = (of_groups[site, "selection_rate"] for site in ("north", "south"))
    assert north["columns"] == ["site"]
    assert north["value"]["estimate"] == south["rest"] == pytest.approx((scores[LOGISTIC.name][::2] >= 0.8).mean())

    tier = TierThreshold("act", 0.5, ("built",), (), 0.5)
    of_others = replace(old, threshold=tier)  # the features have its column no longer
    complete = add_consequences(evidence, scores, of_others, judged.predictor, rows, fold, clusters, project)
    assert describe(complete.swaps).endswith("differ by built, which table features does not have")
    of_site = replace(tier, columns=("site",), groups=(GroupThreshold(("north",), 2.0),))
    complete = add_consequences(
        evidence, scores, replace(old, threshold=of_site), judged.predictor, rows, fold, clusters, project
    )
    assert complete.swaps["action_rate"]["champion"] == (scores[CHAMPION][1::2] >= 0.5).mean() / 2


def test_what_compares_nothing_takes_no_chance_of_a_false_promotion():
    same = champion(LOGISTIC, days_before=-1)
    evidence, _ = judge_winner(Metric.ROC_AUC, LOGISTIC, [MAJORITY], champion=same, attempt=Attempt("d", FIRST, 0.01))
    assert (evidence.attempt, evidence.smallest) == (None, None)
    assert evidence.difference["confidence"] == 0.95


@pytest.mark.parametrize(
    ("recorded", "threshold"),
    [
        ({"thresholds": [{"value": 0.7}, {"value": 0.4}]}, 0.4),
        ({"threshold": {"value": 0.3}}, 0.3),
        ({"threshold": None}, None),
        ({}, None),
    ],
)
def test_a_champion_acts_from_the_threshold_that_its_evidence_has_in_either_form(
    warehouse, tmp_path, recorded, threshold
):
    events.record(warehouse, "promoted", events.Version("1", "w", FIRST, recorded), "run", events.CHAMPION)
    environment = Environment(home=str(tmp_path), warehouse=warehouse.root)
    old = open_champion(environment, warehouse, "machines", FIRST, rows_for(Task.CLASSIFICATION))
    acts_from = None if old.threshold is None else old.threshold.threshold
    assert (old.version, acts_from, old.predictor) == ("1", threshold, None)


def test_a_champion_whose_thresholds_differ_by_group_needs_their_columns(warehouse):
    assert columns_of_champion(warehouse, FIRST) == ()
    by_group = {"columns": ["sex"], "groups": [{"values": ["F"], "threshold": 0.3}], "unseen": 0.4}
    recorded = {"thresholds": [{"value": 0.7}, {"value": 0.4, "by_group": by_group}]}
    events.record(warehouse, "promoted", events.Version("1", "w", FIRST, recorded), "run", events.CHAMPION)
    assert columns_of_champion(warehouse, FIRST) == ("sex",)


def test_where_no_chance_of_an_error_is_there_a_person_decides_by_a_finite_interval():
    attempt = Attempt("d", FIRST, 0.0)
    evidence, _ = judge_winner(Metric.RMSE, LINEAR, [MEAN], attempt=attempt)
    decision = decide(json.loads(json.dumps(asdict(evidence), allow_nan=False)))
    assert evidence.difference["high"] < 0
    assert (decision.promoted, decision.needs_person()) == (False, True)
    assert "have taken what there is of false_promotions_per_year" in decision.reason


def test_a_night_that_is_trained_again_has_its_level_and_another_search_takes_a_new_one(warehouse):
    project, rows, fold = builders.machines(Path("files")), rows_for(Task.CLASSIFICATION), final(6)

    def plan(candidate, old=None, seed=1, places=10, **options):
        problem = Problem(rows, [], [], Task.CLASSIFICATION, seed, Standard(places=places))
        return plan_attempt(warehouse, problem, builders.search(**options), candidate, fold, old, FIRST, project)

    first = plan(LOGISTIC)
    assert first.level == pytest.approx(0.025)
    told = {events.ATTEMPT: {"digest": first.digest, "level": first.level}}
    events.record(warehouse, "registered", events.Version("1", "w", FIRST, told), "run")
    assert plan(LOGISTIC) == first
    others = [plan(STUMP), plan(LOGISTIC, champion(STUMP)), plan(LOGISTIC, seed=2), plan(LOGISTIC, block_days=3)]
    others += [plan(LOGISTIC, metric=Metric.BRIER), plan(LOGISTIC, places=5)]
    assert [one.level for one in others] == pytest.approx([0.00625] * 6)
    assert len({first.digest, *(one.digest for one in others)}) == 7


def test_every_baseline_has_to_be_beaten_not_the_one_that_looks_best():
    evidence, _ = judge_winner(Metric.ROC_AUC, LOGISTIC, [MAJORITY, STUMP])
    assert set(evidence.differences) == {"majority", "stump"}
    recorded = asdict(evidence)
    recorded["differences"]["majority"] |= {"low": -0.01}
    decision = decide(recorded)
    assert not decision.promoted
    assert "w against majority on 2024-03-11 to 2024-03-16: not reliably better" in decision.reason


def test_a_recipe_is_read_as_it_was_recorded():
    members = {"w": LOGISTIC.model, "stump": STUMP.model}
    of_members = Candidate("both", Model(Estimator.VOTING, members=[*members]), members)
    searched = Model(Estimator.TREE, parameters={"max_depth": 2}, calibration=Calibration.PLATT)
    weighted = Model(Estimator.TREE, parameters={"class_weight": {False: 1, True: 5}})
    for candidate in (of_members, Candidate("tree-1", searched), Candidate("weighted", weighted)):
        recipe = json.loads(json.dumps(recipe_of(candidate)))
        assert candidate_of_recipe(recipe).key() == candidate.key()
        assert candidate_of_recipe(recipe).model == candidate.model


def test_outcomes_that_share_days_are_of_one_block():
    """16 days of an aggregate over a week are two blocks, and over a day 16; or as many as `block_days` says."""
    rows, project = rows_for(Task.CLASSIFICATION), builders.machines(Path("files"))
    week = replace(project.label, aggregate=Aggregate.SUM, condition="value > 0", horizon="7d")
    first, last = FIRST, FIRST + timedelta(days=DAYS - 1)

    def blocks(label, **options):
        return clusters_of(rows, np.arange(len(rows.label)), first, last, label, builders.search(**options))

    assert blocks(week).block.tolist() == np.repeat([0, 1], 8 * A_DAY).tolist()
    assert blocks(week).overlap == pytest.approx((7 - 1 / 7) / 3 / 8)
    hours = replace(week, horizon="25h")
    assert (blocks(hours).blocks, blocks(hours, block_days=5).blocks) == (8, 3)
    assert (blocks(project.label).blocks, blocks(project.label).overlap) == (16, 0)
    assert blocks(replace(project.label, horizon="30d")).blocks == 16
