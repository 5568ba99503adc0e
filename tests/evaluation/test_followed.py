"""The figures that are followed from night to night, and the nights of a training as they would have been followed."""

import json

import numpy as np
import pytest

from nightjar.evaluation.binary import roc_auc
from nightjar.evaluation.clusters import Clusters
from nightjar.evaluation.criteria import Standard
from nightjar.evaluation.estimates import Estimator, Method
from nightjar.evaluation.followed import against_rest, difference_of_means, metric_figures, shift_figures
from nightjar.evaluation.metric_report import Truth, figure
from nightjar.evaluation.rehearsal import Rehearsal, learned_rows, rehearse
from nightjar.settings.task import Task

DAYS = np.arange("2024-01-01", "2024-02-20", dtype="datetime64[D]")


def truth_of(label, task=Task.CLASSIFICATION, standard=Standard(), weight=None):  # noqa: B008  (frozen)
    rows = np.arange(len(label))
    return Truth(task, np.asarray(label), Clusters(rows, 0 * rows), weight=weight, standard=standard)


def figures_of(truth, score, parts):
    return {(of, measure): one for of, measure, one in shift_figures(truth, score, parts)}


def test_where_outcomes_come_as_the_probabilities_say_nothing_is_shifted():
    random = np.random.default_rng(0)
    score = random.uniform(0.05, 0.95, 20_000)
    part = {"origin=JFK": random.random(20_000) < 0.3}
    for (of, measure), one in figures_of(truth_of(random.random(20_000) < score), score, part).items():
        assert one.low - 0.01 < 0 < one.high + 0.01, (of, measure)


def test_a_flip_in_one_part_raises_its_excess_loss_though_its_share_of_outcomes_stays():
    """In the part what was likely is now as unlikely; half of its rows are positive, before and after."""
    random = np.random.default_rng(1)
    score = np.tile([0.1, 0.9], 4000)
    part = np.repeat([True, False], 4000)
    chance = np.where(part, 1 - score, score)
    figures = figures_of(truth_of(random.random(8000) < chance), score, {"p=a": part, "p=b": ~part})
    assert figures["p=a", "excess_loss"].low > 1.5  # 0.8 x log(9)
    assert abs(figures["p=b", "excess_loss"].estimate) < 0.1
    assert abs(figures["p=a", "label_shift_against_rest"].estimate) < 0.05


def test_what_moves_every_row_of_a_night_cancels_beside_the_rest():
    """A storm: every row is late. By itself each part has moved, beside the rest neither has.

    Nor do rows that look the same differ where all log-odds have risen by 0.5.
    """
    figures = figures_of(truth_of(np.ones(100, bool)), np.full(100, 0.3), {"p=a": np.arange(100) < 40})
    assert figures["p=a", "label_shift"].estimate == pytest.approx(0.7)
    assert figures["p=a", "label_shift_against_rest"].estimate == pytest.approx(0)
    odds = np.linspace(-3, 1, 4000)
    risen = np.random.default_rng(4).random(4000) < 1 / (1 + np.exp(-odds - 0.5))
    lifted = figures_of(truth_of(risen), 1 / (1 + np.exp(-odds)), {})
    assert lifted["all", "label_shift"].low > 0.05
    assert abs(lifted["all", "excess_loss"].estimate) < 0.02


def test_several_classes_and_amounts_have_shifts_of_their_own_and_lists_have_none():
    standard = Standard(("early", "late"), ((0, 1), (1, 0)))
    score = np.array([[0.5, 0.5], [0.25, 0.75]])
    classes = figures_of(truth_of([1, 1], Task.MULTICLASS, standard), score, {})
    assert classes["all", "label_shift[late]"].estimate == pytest.approx(0.375)
    # Both classes have the weights 1/4 and 3/16, so that their levels lie 4/7 and 3/7 of the way between the two rows.
    early, late = (np.log(own) - (4 * np.log(own[0]) + 3 * np.log(own[1])) / 7 for own in score.T)
    expected = (0.5 * early[0] - 0.5 * late[0] + 0.25 * early[1] - 0.25 * late[1]) / 2
    assert classes["all", "excess_loss"].estimate == pytest.approx(expected)
    assert against_rest("label_shift[late]") == "label_shift_against_rest[late]"
    amounts = figures_of(truth_of([3.0, 5.0], Task.REGRESSION), np.array([1.0, 2.0]), {})
    assert amounts["all", "label_shift"].estimate == pytest.approx(2.5)
    assert not figures_of(truth_of([1.0, 0.0], Task.RANKING), np.array([1.0, 2.0]), {})


def test_a_difference_of_means_weighs_rows_and_needs_both_sides():
    truth = truth_of([0, 0, 0, 0], weight=np.array([1.0, 3.0, 1.0, 1.0]))
    member = np.array([True, True, False, False])
    assert difference_of_means(np.array([1.0, 2.0, -1.0, 0.0]), member, truth).estimate == pytest.approx(1.75 + 0.5)
    assert difference_of_means(np.ones(4), np.ones(4, bool), truth).reason == "there are no other rows"


def nights(random, rows=20):
    day = np.repeat(DAYS, rows)
    score = random.uniform(0.05, 0.95, len(day))
    return day, score, random.random(len(day)) < score


def test_what_is_expected_of_a_night_depends_on_no_label_that_was_not_final_by_then():
    """Labels are final after three nights: with those from the 11th night on turned round, 13 estimates stay."""
    day, score, label = (one[: 15 * 20] for one in nights(np.random.default_rng(2)))
    cut = DAYS[10]
    turned = np.where(day >= cut, ~label, label)
    before, after = (rehearse(day, day + 3, truth_of(one), score, {}) for one in (label, turned))
    for key, by_method in before.estimates.items():
        for method, values in by_method.items():
            same = values == after.estimates[key][method]
            assert (same | np.isnan(values))[:13].all(), key
            assert not same[13:].any(), key
    assert np.isnan(before.estimates["all", "brier"][Method.DIRECT][:9]).all()  # seven final nights are needed
    assert np.isfinite(before.estimates["all", "brier"][Method.DIRECT][9:]).all()


def test_a_night_is_followed_as_if_it_stood_alone_and_what_is_stored_is_the_same_to_six_digits():
    """A part of ten rows a night has the main metric, and what was expected of it; one of five has neither."""
    day, score, label = nights(np.random.default_rng(3))
    place = np.arange(len(day)) % 20
    part = {"origin=JFK": place % 2 == 0, "origin=LGA": place < 5}
    past = rehearse(day, day + 1, truth_of(label), score, part, last=4)
    stored = Rehearsal.from_json(json.loads(json.dumps(past.to_json())))
    assert past.nights == stored.nights == tuple(DAYS[-4:].tolist())
    one = day == DAYS[-1]
    truth, own = truth_of(label[one]), score[one]
    alone = [*metric_figures(truth, own), *shift_figures(truth, own, {of: member[one] for of, member in part.items()})]
    jfk = part["origin=JFK"][one]
    alone.append(("origin=JFK", "roc_auc", figure(roc_auc, truth.take(np.flatnonzero(jfk)), own[jfk])))
    assert {(of, measure) for of, measure, _ in alone} == set(stored.figures)
    for of, measure, realised in alone:
        assert stored.figures[of, measure][0][-1] == pytest.approx(realised.estimate, rel=1e-5, abs=1e-9)
    assert {of for of, _ in stored.estimates} == {"all", "origin=JFK"}
    rows = learned_rows(day, day + 1, DAYS[-1])
    expected = Estimator.fit(truth_of(label[rows]), score[rows]).estimate(own[jfk])["roc_auc"]
    assert stored.estimates["origin=JFK", "roc_auc"][Method.CONFIDENCE][-1] == pytest.approx(
        expected[Method.CONFIDENCE]
    )
    for of, measure in (("all", "log_loss"), ("origin=JFK", "roc_auc")):
        outcomes = stored.outcomes(of, measure, Method.CONFIDENCE)
        assert len(outcomes) == 4
        assert outcomes[-1].realised == stored.figures[of, measure][0][-1]
    assert stored.estimator == past.estimator
    of_earlier = {name: value for name, value in past.to_json().items() if name != "slice_estimates"}
    assert {of for of, _ in Rehearsal.from_json(of_earlier).estimates} == {"all"}
    assert Rehearsal.from_json(None).nights == ()


def test_estimates_are_learned_from_the_last_dates_with_final_labels_and_of_many_rows_from_a_part():
    day = np.repeat(DAYS, 3000)
    rows = learned_rows(day, day + 3, DAYS[45])
    assert (day[rows].min(), day[rows].max()) == (DAYS[15], DAYS[42])
    assert len(rows) == 42_000
    assert len(learned_rows(np.repeat(day, 2), np.repeat(day, 2), DAYS[45])) == 42_000
