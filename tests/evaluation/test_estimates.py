"""Figures before labels are known: expectations over all outcomes that rows may have, and what like rows have lost."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nightjar.evaluation import binary, multiclass
from nightjar.evaluation.clusters import Clusters
from nightjar.evaluation.criteria import Standard
from nightjar.evaluation.estimates import Estimator, LossesByScore, Method
from nightjar.evaluation.metric_report import Truth
from nightjar.settings.task import Task

CLASSES = Standard(("early", "on_time", "late"), ((0, 1, 4), (1, 0, 1), (2, 1, 0)))
few_scores = st.lists(st.floats(0.02, 0.98), min_size=2, max_size=4)


def truth_of(task, label, standard=Standard(), query=None):  # noqa: B008  (frozen)
    rows = np.arange(len(label))
    return Truth(task, np.asarray(label), Clusters(rows, 0 * rows), query, standard=standard)


def by_confidence(estimator, score, **rows):
    return {name: one[Method.CONFIDENCE] for name, one in estimator.estimate(np.asarray(score, float), **rows).items()}


@settings(max_examples=10, deadline=None)
@given(few_scores)
def test_means_over_rows_are_what_all_outcomes_together_make_expected(score):
    """Each of the 2^n outcomes counts by its probability."""
    expected = dict.fromkeys(("log_loss", "brier", "positive_rate"), 0.0)
    for outcome in itertools.product([False, True], repeat=len(score)):
        chance = np.prod(np.where(outcome, score, 1 - np.asarray(score)))
        values = {one.__name__: one(outcome, score) for one in (binary.log_loss, binary.brier)}
        values["positive_rate"] = np.mean(outcome)
        expected = {name: total + chance * values[name] for name, total in expected.items()}
    estimated = by_confidence(Estimator.unlearned(Task.CLASSIFICATION, Standard()), score)
    assert {name: estimated[name] for name in expected} == pytest.approx(expected)


@settings(max_examples=10, deadline=None)
@given(few_scores)
def test_roc_auc_is_over_all_pairs_by_how_likely_one_is_positive_and_the_other_negative(score):
    pairs = [(p * (1 - q), (p > q) + 0.5 * (p == q)) for p in score for q in score]
    expected = sum(weight * wins for weight, wins in pairs) / sum(weight for weight, _ in pairs)
    assert by_confidence(Estimator.unlearned(Task.CLASSIFICATION, Standard()), score)["roc_auc"] == pytest.approx(
        expected
    )


def test_several_classes_are_what_all_outcomes_together_make_expected_of_the_decisions_that_were_served():
    score = np.array([[0.2, 0.5, 0.3], [0.6, 0.3, 0.1], [0.1, 0.1, 0.8]])
    standard = replace(CLASSES, decisions=np.array([1, 2, 2]))
    expected = dict.fromkeys(("log_loss", "brier", "expected_cost"), 0.0)
    for outcome in itertools.product(range(3), repeat=3):
        chance = np.prod(score[np.arange(3), outcome])
        values = {one.__name__: one(outcome, score) for one in (multiclass.log_loss, multiclass.brier)}
        values["expected_cost"] = multiclass.expected_cost(outcome, standard.decisions, costs=CLASSES.costs)
        expected = {name: total + chance * values[name] for name, total in expected.items()}
    estimated = by_confidence(Estimator.unlearned(Task.MULTICLASS, standard), score)
    assert {name: estimated[name] for name in expected} == pytest.approx(expected)


def test_weights_say_how_many_rows_each_one_stands_for():
    estimator = Estimator.unlearned(Task.CLASSIFICATION, Standard())
    weighted = by_confidence(estimator, [0.2, 0.7], weight=np.array([3.0, 1.0]))
    assert weighted == pytest.approx(by_confidence(estimator, [0.2, 0.2, 0.2, 0.7]))


def test_probabilities_are_moved_to_where_earlier_rows_have_borne_them_out():
    """Scores are too extreme by a half of their log-odds, and too low by one: the estimate is told by earlier rows."""
    random = np.random.default_rng(0)
    odds = random.normal(0, 2, 20_000)
    score, chance = 1 / (1 + np.exp(-odds)), 1 / (1 + np.exp(-(0.5 * odds + 1)))
    truth = truth_of(Task.CLASSIFICATION, random.random(20_000) < chance)
    fitted = Estimator.fit(truth, score)
    assert (fitted.shift[0], fitted.stretch) == pytest.approx((1, 0.5), abs=0.06)
    assert by_confidence(fitted, score)["positive_rate"] == pytest.approx(chance.mean(), abs=0.01)
    few = Estimator.fit(truth.take(np.arange(5)), score[:5])
    assert (few.shift[0], few.stretch) == pytest.approx((0, 1), abs=0.5)
    classes = np.column_stack([0.2 + 0 * score, 0.5 * score, 0.8 - 0.5 * score])
    label = (random.random((20_000, 1)) > np.cumsum([0.5, 0.25])).sum(axis=1)
    shifted = Estimator.fit(truth_of(Task.MULTICLASS, label, CLASSES), classes)
    assert shifted.chances(classes).mean(axis=0)[0] > 0.35  # predicted 0.2, came 0.5


def test_amounts_lose_what_amounts_of_like_scores_have_lost():
    """Errors are as great as the score: of a night of great ones more is lost, whatever comes of it."""
    random = np.random.default_rng(1)
    score = random.uniform(1, 5, 4000)
    truth = truth_of(Task.REGRESSION, score + random.choice([-1, 1], 4000) * score)
    expected = Estimator.fit(truth, score).estimate(np.full(100, 4.5))
    assert expected["mae"] == {Method.DIRECT: pytest.approx(4.5, abs=0.2)}
    assert expected["rmse"][Method.DIRECT] == pytest.approx(4.5, abs=0.2)
    assert Estimator.unlearned(Task.REGRESSION, Standard()).estimate(score) == {}


def test_a_list_is_worth_what_lists_of_as_widely_spread_scores_were():
    """In lists of two whose scores differ the first one is relevant; where they hardly do, every other time."""
    lists = np.arange(400)
    query, gap = np.repeat(lists, 2), np.repeat(np.where(lists % 2, 1.0, 0.01), 2)
    score = np.tile([1.0, 0.0], 400) * gap
    first_is_relevant = (lists % 2 == 1) | (lists % 4 == 0)
    relevance = np.column_stack([first_is_relevant, ~first_is_relevant]).ravel().astype(float)
    fitted = Estimator.fit(truth_of(Task.RANKING, relevance, query=query), score)
    wide, narrow = (
        fitted.estimate(np.tile([own, 0.0], 9), query=np.repeat(np.arange(9), 2))["mean_reciprocal_rank"]
        for own in (1.0, 0.01)
    )
    assert wide[Method.DIRECT] == pytest.approx(1, abs=0.05)
    assert narrow[Method.DIRECT] == pytest.approx(0.75, abs=0.05)


def test_what_is_stored_estimates_the_same():
    random = np.random.default_rng(2)
    score = random.uniform(0, 1, 500)
    fitted = Estimator.fit(truth_of(Task.CLASSIFICATION, random.random(500) < score), score)
    stored = Estimator.from_json(fitted.to_json(), Task.CLASSIFICATION, Standard())
    new = random.uniform(0, 1, 50)
    for name, by_method in fitted.estimate(new).items():
        assert stored.estimate(new)[name] == pytest.approx(by_method, rel=1e-6)
    of_few = LossesByScore.fit(np.array([0.5]), np.array([2.0]), np.ones(1))
    assert of_few.mean(np.array([0.1, 0.9]), np.ones(2)) == 2
