"""The power of a test that is looked at every night, beside the share of drawn paths that pass the bounds."""

from dataclasses import replace

import numpy as np
import pytest

from nightjar.evaluation.sequential import two_sided_reach
from nightjar.evaluation.sequential_power import Plan, advice, power
from nightjar.settings.serving.canary import Canary
from nightjar.settings.serving.experiment import Experiment, ExperimentKind

PLAN = Plan([0.05] * 10 + [0.2] * 5 + [0.5] * 20, entities=60, deviation=8.0, level=0.05)


def share_of_paths(plan, effect, paths=40_000):
    random = np.random.default_rng(3)
    weights = plan.weights()
    total = np.cumsum(
        effect * weights + plan.deviation * np.sqrt(weights) * random.normal(size=(paths, len(weights))), 1
    )
    reach = two_sided_reach(plan.deviation**2 * np.cumsum(weights), plan.level, plan.tuned())
    passed = plan.looks() & (np.abs(total) > reach)
    first = np.where(passed.any(axis=1), passed.argmax(axis=1), -1)
    is_above = total[np.arange(paths), first] > 0
    return np.array([np.mean((first >= 0) & (first <= night) & is_above) for night in range(len(weights))])


@pytest.mark.parametrize("effect", [0.0, 1.2, 2.0])
def test_it_is_the_share_of_paths_that_pass_the_upper_bound_by_each_night(effect):
    expected = share_of_paths(PLAN, effect)
    np.testing.assert_allclose(power(PLAN, effect), expected, atol=4 * 0.5 / 200)


def test_units_do_not_matter_and_more_of_anything_shows_more():
    base = power(PLAN, 1.2)[-1]
    assert power(replace(PLAN, deviation=8e6), 1.2e6)[-1] == pytest.approx(base, rel=1e-6)
    assert 0.3 < base < 0.9
    for stronger in (replace(PLAN, entities=80), replace(PLAN, deviation=7.0), replace(PLAN, level=0.1)):
        assert power(stronger, 1.2)[-1] > base
    assert power(PLAN, -1.2)[-1] < 1e-4


def test_a_plan_follows_the_canary_and_a_weak_one_says_what_would_do():
    numbers = {"effect": 3.0, "deviation": 30.0, "entities": 50.0}
    experiment = Experiment(ExperimentKind.RANDOMISED, "score", nights=20, **numbers)
    plan = Plan.of(experiment, Canary([0.1, 0.5], nights=7))
    assert list(plan.shares) == [0.1] * 7 + [0.5] * 13
    assert list(Plan.of(replace(experiment, nights=5), Canary([0.1, 0.5], nights=7)).shares) == [0.1] * 5
    (words,) = advice(plan, 3.0, 0.8)
    nights = int(words.split(". ")[1].split(" nights")[0])
    assert not list(advice(replace(plan, shares=[*plan.shares, *[0.5] * (nights - 20)]), 3.0, 0.8))
    effect = float(words.rstrip(".").split(" ")[-1])
    assert not list(advice(plan, effect * 1.01, 0.8))
    assert list(advice(plan, effect * 0.95, 0.8))
