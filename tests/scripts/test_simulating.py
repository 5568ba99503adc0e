"""Small runs of the simulations: promotions over nights that share shocks, and slices in which a model fails."""

import importlib
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.slow
SCRIPTS = Path(__file__).parents[2] / "scripts"


@pytest.fixture
def program(monkeypatch):
    """Imports a program from scripts/, beside which it finds others."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    return importlib.import_module


def test_trainings_that_overlap_promote_no_equals_in_a_year_and_a_better_model_within_one(program):
    """By an interval of 95% each time, every other year would promote one that is no better."""
    simulation = program("simulating_promotion")
    equals = simulation.simulate_years(4, rows=20, every=3)
    always, _ = simulation.false_promotions(equals, simulation.RULES["2.5% each"], every=3)
    number, _ = simulation.false_promotions(equals, simulation.RULES["refilled"], every=3)
    assert always >= 0.5
    assert number == 0
    better = simulation.simulate_years(1, gain=1.0, rows=20, every=7)
    assert simulation.waits(better, simulation.RULES["refilled"], every=7).max() < simulation.YEAR


def test_a_challenger_at_twice_the_smallest_difference_passes_all_gates(program):
    simulation = program("simulating_gates")
    times_smallest, shares = simulation.simulate_gates(12, simulation.TWICE)
    assert times_smallest == pytest.approx(2, abs=0.3)
    assert set(shares) >= {"baselines", "champion", "slices", "fairness", "calibration", "speed", "lineage", "all"}
    assert shares["all"] >= 0.8
    _, of_equals = simulation.simulate_gates(3, gain=0.0)
    assert of_equals["all"] == of_equals["champion"] == 0.0
    _, of_harm = simulation.simulate_gates(3, simulation.TWICE, harms=True)
    assert of_harm["all"] == of_harm["slices"] == 0.0
    three = simulation.of_three_classes
    times_smallest, shares = simulation.simulate_gates(2, simulation.TWICE_OF_CLASSES, draw_period=three)
    assert (times_smallest, shares["all"]) == (pytest.approx(2, abs=0.7), 1.0)
    _, of_harm = simulation.simulate_gates(1, simulation.TWICE_OF_CLASSES, harms=True, draw_period=three)
    assert of_harm["slices"] == 0.0


def test_a_planted_slice_is_found_and_none_where_there_is_none(program):
    simulation = program("simulating_slices")
    random = np.random.default_rng(0)
    for conditions in (1, 2):
        world = simulation.draw(random, conditions=conditions)
        assert world.planted.mean() == pytest.approx(simulation.SHARE, rel=0.1)
        _, likeness = simulation.look(world)
        assert max(likeness) >= 0.7
    assert simulation.look(simulation.draw(random, conditions=0))[1] == []


def test_sets_have_each_class_as_often_as_meant_and_marginal_ones_the_rare_one_far_less(program):
    simulation = program("simulating_coverage")
    runs = [simulation.simulate(seed, 60, 0.1, drifts=False) for seed in range(2)]
    rows = sum(one.rows for one in runs)
    assert (rows[1] / rows.sum()) < 0.2
    assert sum(one.covered for one in runs) / rows == pytest.approx([0.9, 0.9], abs=0.03)
    assert (sum(one.marginal for one in runs) / rows)[1] < 0.4
    *_, abstain = simulation.tell_coverage(1, 20, 0.2)
    assert abstain.startswith("abstain: ")


def test_a_test_that_is_looked_at_every_night_claims_nothing_of_equals_and_shows_what_is_better(program):
    """The share grows, entities come again, values have no third moment, and each night has a shock of its own."""
    simulation = program("simulating_experiment")
    world = next(one for one in simulation.WORLDS if "Pareto" in one.name)
    plan, effect = simulation.prepare(world, tests=20)
    equals, better = simulation.simulate(world, 60, plan, 1.5 * effect)
    assert np.mean(equals.better | equals.worse) <= 0.1
    assert equals.missed.mean() <= 0.1
    assert equals.nightly.mean() > 0.1
    assert equals.independent.mean() > 0.3
    assert better.better.mean() >= 0.9
    assert not better.worse.any()
    lender = simulation.loans(np.random.default_rng(0), 2, 30, 0.0)
    assert lender.better.sum() > lender.champion.sum()
