"""What is said of figures: a change since the training, labels that are missing or late, groups beyond their limits."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

import builders
from nightjar.evaluation.rehearsal import Rehearsal
from nightjar.monitoring.history import History
from nightjar.monitoring.night_rows import Judging
from nightjar.monitoring.performance_signals import signals_of
from nightjar.monitoring.promises import Promise, promise_of
from nightjar.monitoring.signals import Kind, State
from nightjar.monitoring.streams import streams_of, worse_of
from nightjar.settings.promotion import Fairness
from nightjar.settings.task import Task

PROJECT = builders.machines(Path("files"))
FIRST = date(2024, 4, 1)
TRAINED = tuple(FIRST - timedelta(days=days) for days in range(70, 0, -1))
OWN = {"estimate": 0.8, "low": 0.75, "high": 0.85}
BASELINE = {"estimate": 0.6, "low": 0.55, "high": 0.65}


def trained(of="all", **levels):
    """70 nights of a training: measure -> its level; nights differ by 0.02."""
    random = np.random.default_rng(0)
    series = {
        (of, measure): (level + 0.02 * random.normal(size=70), np.full(70, 0.01)) for measure, level in levels.items()
    }
    return Rehearsal(TRAINED, series)


def row(night, measure, value, of="all", subject="champion", **others):
    bounds = {"low": None, "high": None} if value is None else {"low": value - 0.02, "high": value + 0.02}
    about = {"evaluated_date": night, "subject": subject, "slice": of, "measure": measure, "value": value}
    return about | bounds | {"rows": 100, "provisional": False, "model_version": "7", "reason": None} | others


def said(rows, promise, nights=10, project=PROJECT, shares=None, past=()):
    final = {}
    for one in past:
        final.setdefault(one["evaluated_date"], {})[one["slice"], one["measure"]] = one
    judging = Judging(project, FIRST + timedelta(days=nights), "run", {"7": promise})
    signals = signals_of(rows, judging, History(final, {}, shares or {}))
    assert len({(one.kind, one.subject) for one in signals}) == len(signals)
    return {(one.kind, one.subject): one for one in signals}


def nights_of(measure, values, of="all"):
    return [row(FIRST + timedelta(days=day), measure, value, of) for day, value in enumerate(values)]


def promise(past):
    return Promise({"roc_auc": OWN}, {"roc_auc": BASELINE}, "majority", past)


def test_figures_as_at_training_are_one_quiet_signal_of_each_kind():
    past = promise(trained(roc_auc=0.8, label_shift=0.0, excess_loss=0.0))
    random = np.random.default_rng(1)
    rows = [
        one
        for measure, level in (("roc_auc", 0.8), ("label_shift", 0.0), ("excess_loss", 0.0))
        for one in nights_of(measure, level + 0.02 * random.normal(size=10))
    ]
    signals = said(rows, past)
    kinds = (Kind.PERFORMANCE, Kind.PRIOR, Kind.CONCEPT)
    assert {signals[kind, "all figures"].state for kind in kinds} == {State.OK}
    assert (
        signals[Kind.PERFORMANCE, "all figures"].sentence
        == "No change of metrics over 10 judged nights; 1 are followed."
    )


def test_a_drop_is_to_be_watched_and_at_the_baseline_s_level_to_be_acted_on():
    """By 1.5 night deviations; and by ten, to what the majority would give."""
    past = promise(trained(roc_auc=0.8))
    watched = said(nights_of("roc_auc", [0.8] * 5 + [0.745] * 10), past)[Kind.PERFORMANCE, "roc_auc"]
    assert (watched.state, watched.command) == (State.WATCH, None)
    assert watched.since == pytest.approx(FIRST + timedelta(days=5), abs=timedelta(days=1))
    assert "training promised 0.8 (0.75 to 0.85), its baseline majority had 0.6" in watched.sentence
    assert watched.evidence["statistic"] > watched.evidence["limit"]
    acted = said(nights_of("roc_auc", [0.58] * 5), past)[Kind.PERFORMANCE, "roc_auc"]
    assert acted.state is State.ACT
    assert acted.command == f"python jobs/train.py project={PROJECT.name} run_date=2024-04-11"


def test_only_worse_metrics_are_changes_and_shifts_of_outcomes_either_way():
    past = promise(trained(roc_auc=0.8, label_shift=0.0))
    rows = [*nights_of("roc_auc", [0.9] * 9), *nights_of("label_shift", [-0.08] * 9)]
    signals = said(rows, past)
    assert signals[Kind.PERFORMANCE, "all figures"].state is State.OK
    assert signals[Kind.PRIOR, "label_shift"].sentence.startswith("Outcomes are less than the scores say:")
    assert [worse_of(name) for name in ("roc_auc", "log_loss", "label_shift", "excess_loss", "cost")] == [
        *("lower", "higher", "either", "higher", "higher")
    ]


def test_other_outcomes_in_one_slice_are_told_with_it_and_sensitive_values_are_hidden():
    past = promise(trained(excess_loss=0.0, of="machine=m1"))
    rows = nights_of("excess_loss", [0.2] * 6, of="machine=m1")
    concept = said(rows, past)[Kind.CONCEPT, "excess_loss of machine=m1"]
    assert concept.state is State.ACT, "it is far beyond twice its limit"
    assert concept.sentence.startswith("Rows that look the same have other outcomes in machine=m1: excess_loss is 0.2")
    hidden = replace(PROJECT, serving=replace(PROJECT.serving, sensitive=["machine"]))
    masked = said(rows, past, project=hidden)
    assert (Kind.CONCEPT, "excess_loss of machine=(masked)") in masked
    assert "m1" not in str(masked)


def test_without_enough_nights_nobody_can_say_and_a_version_s_own_first_nights_will_do():
    rows = nights_of("roc_auc", [0.8] * 10)
    unknown = said(rows, Promise())[Kind.PERFORMANCE, "all figures"]
    assert unknown.state is State.UNKNOWN
    assert "10 nights are followed, 28 are needed" in unknown.sentence
    figures = {one["evaluated_date"]: {("all", "roc_auc"): one} for one in nights_of("roc_auc", [0.8] * 40)}
    (stream,) = streams_of(figures, Rehearsal(), Task.CLASSIFICATION)
    assert stream.judged_from == FIRST + timedelta(days=28)


def test_nights_of_the_training_that_the_version_has_scored_itself_are_not_told_twice():
    figures = {TRAINED[-5]: {("all", "roc_auc"): row(TRAINED[-5], "roc_auc", 0.5)}}
    (stream,) = streams_of(figures, trained(roc_auc=0.8), Task.CLASSIFICATION)
    assert stream.nights == (*TRAINED[:-5], TRAINED[-5])
    assert stream.recent() == (0.5, 1)


def test_labels_that_are_due_and_missing_are_unknown_and_fewer_than_usual_are_late():
    shares = {5: [0.98] * 8}
    gone = said([row(FIRST, "matured_share", 0.0)], Promise(), nights=5, shares=shares)
    assert gone[Kind.PERFORMANCE, "labels"].state is State.UNKNOWN
    assert "jobs/build_features.py" in gone[Kind.PERFORMANCE, "labels"].command
    late = said([row(FIRST, "matured_share", 0.7)], Promise(), nights=5, shares=shares)[Kind.PERFORMANCE, "labels"]
    assert late.state is State.WATCH
    assert "70.0% of 2024-04-01 are known, where nights of 5 days usually have 98.0%" in late.sentence
    fine = said([row(FIRST, "matured_share", 0.95)], Promise(), nights=5, shares=shares)[Kind.PERFORMANCE, "labels"]
    assert (fine.state, fine.command) == (State.OK, None)


def test_tonight_s_estimates_are_unknown_without_bounds_and_watched_below_the_promise():
    tonight = FIRST + timedelta(days=10)
    about = {"subject": "estimate", "interval_coverage": 0.95, "provisional": True}
    own = row(tonight, "roc_auc", 0.7, low=0.66, high=0.74) | about
    worse = said([own], promise(Rehearsal()))[Kind.PERFORMANCE, "estimates"]
    assert (worse.state, worse.evidence["roc_auc"]["interval_coverage"]) == (State.WATCH, 0.95)
    within = said([own | {"high": 0.78}], promise(Rehearsal()))[Kind.PERFORMANCE, "estimates"]
    assert within.state is State.OK
    reason = "UNKNOWN: of 3 nights both estimate and outcome are there, 19 are needed"
    unknown = said([own | {"low": None, "high": None, "reason": reason}], promise(Rehearsal()))
    assert unknown[Kind.PERFORMANCE, "estimates"].state is State.UNKNOWN
    assert unknown[Kind.PERFORMANCE, "estimates"].sentence == f"How good tonight's scores are is {reason}."


def test_groups_beyond_a_limit_are_acted_on_and_below_four_fifths_watched():
    """Recall lies 0.3 below the rest's in each of ten nights; the limit is 0.1."""
    limit = replace(PROJECT.promotion, fairness=Fairness(columns=["machine"], recall=0.1))
    recall = nights_of("recall_against_rest", [-0.3, -0.31] * 5, of="machine=m1")
    limited = said(recall, Promise(), project=replace(PROJECT, promotion=limit))
    assert limited[Kind.FAIRNESS, "recall of machine=m1, level"].state is State.ACT
    ratio = nights_of("disparate_impact_against_rest", [0.5, 0.52] * 5, of="machine=m1")
    assert said(ratio, Promise())[Kind.FAIRNESS, "disparate_impact of machine=m1, level"].state is State.WATCH
    assert (Kind.FAIRNESS, "recall of machine=m1, level") not in said(recall, Promise())


def test_where_no_night_was_scored_nothing_is_said():
    assert said([], Promise()) == {}


def test_the_evidence_of_an_older_version_promises_its_figures_and_no_nights():
    evidence = {
        "candidate": {"name": "boosting-1", "roc_auc": OWN},
        "baselines": {"majority": {"roc_auc": BASELINE}},
        "difference": {"over": "majority"},
    }
    stored = promise_of(evidence)
    assert stored.beside("all", "roc_auc") == {"at_training": 0.8, "baseline": 0.6}
    assert stored.beside("tier act", "roc_auc") == {"at_training": None, "baseline": None}
    assert stored.rehearsal.nights == ()
    assert promise_of({}).beside("all", "roc_auc") == {"at_training": None, "baseline": None}
