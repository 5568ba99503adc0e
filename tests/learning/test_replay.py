"""A replay serves what could have been served: nothing that became known later plays a part."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

import builders
from learning import problems
from nightjar.errors import LearningError, UsageError
from nightjar.evaluation.binary import roc_auc
from nightjar.learning.fitting.candidates import Candidate
from nightjar.learning.replay import ReplayPlan, _fit_curve, replay, require_replayable
from nightjar.models.ensembles.calibration import fit_calibration
from nightjar.settings.model import Calibration, Estimator, Model
from nightjar.settings.task import Task

PROJECT = replace(builders.machines(Path("files")), zone="UTC")
WINNER = Candidate("logistic", Model(Estimator.LOGISTIC))
BASELINES = [Candidate("majority", problems.MAJORITY)]
PLAN = ReplayPlan(date(2024, 3, 13), date(2024, 3, 20), refit_days=3, half_life_days=4)


def run_walk(rows):
    return replay(rows, WINNER, BASELINES, PROJECT, problems.search(), PLAN)


def test_each_night_is_scored_once_by_every_model():
    rows = problems.rows()
    result = run_walk(rows)
    assert result.rows.tolist() == list(range(12 * 40, 20 * 40))
    assert list(result.scores) == ["served", "uncalibrated", "frozen", "majority"]
    assert all(len(score) == 8 * 40 and np.isfinite(score).all() for score in result.scores.values())
    truth = rows.label[result.rows]
    assert roc_auc(truth, result.scores["served"]) > 0.75
    assert len(np.unique(result.scores["majority"])) == 3  # refitted on 13, 16 and 19 March


def test_what_becomes_known_later_changes_no_night_before():
    """The labels of 15 March are known at six in the morning of that day: nights up to the 15th cannot know them."""
    rows = problems.rows()
    other = rows.label.copy()
    changed = rows.day >= np.datetime64("2024-03-15")
    other[changed] = ~other[changed]
    one, two = run_walk(rows), run_walk(replace(rows, label=other))
    early = rows.day[one.rows] <= np.datetime64("2024-03-15")
    for name in one.scores:
        assert one.scores[name][early].tolist() == two.scores[name][early].tolist()
    assert one.scores["served"][~early].tolist() != two.scores["served"][~early].tolist()
    assert one.scores["frozen"].tolist() == two.scores["frozen"].tolist()


def test_the_nightly_curve_follows_a_change_of_rates():
    """From the 13th on everything happens more often; what is served learns it within days, what is frozen does not."""
    rows = problems.rows(a_day=200)
    late = (rows.day >= np.datetime64("2024-03-13")) & (np.arange(len(rows.day)) % 3 == 0)
    result = run_walk(replace(rows, label=rows.label | late))
    last = rows.day[result.rows] >= np.datetime64("2024-03-19")
    rate = (rows.label | late)[result.rows][last].mean()
    assert abs(result.scores["served"][last].mean() - rate) < abs(result.scores["frozen"][last].mean() - rate)


def test_a_score_weighs_half_as_much_with_each_half_life():
    """The oracle: on three dates before the night, and a half-life of one day, each row four times, twice and once."""
    rows, night = problems.rows(), date(2024, 3, 13)
    raw = 1 / (1 + np.exp(-rows.features["x"].to_numpy()))
    past = np.where((rows.day >= np.datetime64("2024-03-10")) & (rows.day < np.datetime64(night)), raw, np.nan)
    curve = _fit_curve(rows, past, night, "UTC", replace(PLAN, half_life_days=1))
    repeated = np.repeat(np.arange(9 * 40, 12 * 40), np.repeat([1, 2, 4], 40))
    whole = fit_calibration(Calibration.PLATT, raw[repeated], rows.label[repeated], np.full(len(repeated), 1 / 8))
    assert curve(raw) == pytest.approx(whole(raw), abs=1e-6)
    # Where older rows stand for twice as many with each day, all weigh the same.
    age = (np.datetime64(night) - rows.day).astype(float)
    curve = _fit_curve(replace(rows, weight=2**age), past, night, "UTC", replace(PLAN, half_life_days=1))
    scored = np.isfinite(past)
    even = fit_calibration(Calibration.PLATT, raw[scored], rows.label[scored], np.ones(scored.sum()))
    assert curve(raw) == pytest.approx(even(raw), abs=1e-6)


def test_of_several_classes_each_has_a_curve_of_its_own():
    """Three classes, the first one split by another number: what is served has their rates, night after night."""
    rows = problems.rows()
    classes = np.where(rows.label, 2, (np.arange(len(rows.label)) % 3 == 0).astype(int))
    several = replace(rows, label=classes, classes=("a", "b", "c"))
    label = replace(PROJECT.label, task=Task.MULTICLASS, classes={"a": "A", "b": "B", "c": "C"})
    result = replay(several, WINNER, BASELINES, replace(PROJECT, label=label), problems.search(), PLAN)
    truth = classes[result.rows]
    for name, scores in result.scores.items():
        assert scores.shape == (8 * 40, 3)
        np.testing.assert_allclose(scores.sum(axis=1), 1)
        assert (scores[:, 2] > 0).all(), name
    assert roc_auc(truth == 2, result.scores["served"][:, 2]) > 0.75
    shares = np.bincount(truth, minlength=3) / len(truth)
    np.testing.assert_allclose(result.scores["served"].mean(axis=0), shares, atol=0.1)


def test_only_probabilities_are_replayed():
    amounts = replace(PROJECT, label=replace(PROJECT.label, task=Task.REGRESSION))
    with pytest.raises(LearningError, match="A replay calibrates probabilities"):
        replay(problems.rows(), WINNER, BASELINES, amounts, problems.search(), PLAN)


def test_fits_that_could_not_be_made_are_refused_before_a_search():
    """On the last days before the first night nothing happened, and a curve is fitted to them."""
    rows = problems.rows()
    settings = problems.search()
    quiet = replace(rows, label=rows.label & (rows.day < np.datetime64("2024-03-10")))
    require_replayable(rows, PROJECT, settings, PLAN)
    with pytest.raises(LearningError, match=r"inner fold 3 .* has no positives to test on"):
        require_replayable(quiet, PROJECT, settings, PLAN)
    week = problems.search(split=replace(problems.SPLIT, train_days=6))
    silent = replace(rows, label=rows.label & (rows.day < np.datetime64("2024-03-13")))
    with pytest.raises(
        LearningError, match=r"training rows before 2024-03-19 the fit keeps [0-9]+, all with the label F"
    ):
        require_replayable(silent, PROJECT, week, PLAN)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"first": date(2024, 3, 21)}, "A replay from 2024-03-21 to 2024-03-20 has no night: expected"),
        ({"refit_days": 0}, "A replay cannot refit every 0 days: expected"),
    ],
)
def test_a_walk_that_has_no_night_or_no_end_is_refused(wrong, message):
    assert replace(PLAN, first=PLAN.last).first == PLAN.last
    with pytest.raises(UsageError, match=message):
        replace(PLAN, **wrong)
