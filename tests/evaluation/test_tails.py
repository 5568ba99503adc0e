import numpy as np
import pytest

from nightjar.evaluation.tails import fit_tail


def test_below_the_threshold_p_is_the_share_of_values_as_great_with_this_one_among_them():
    tail = fit_tail(np.arange(100.0), 0.0)

    assert tail.threshold == 84  # fifteen are beyond it
    assert tail.p(50) == 51 / 101
    assert tail.p(84) == 17 / 101
    assert tail.p(-1) == 1


def test_p_falls_without_a_step_and_is_never_0():
    tail = fit_tail(np.random.default_rng(0).exponential(size=200), 0.0)
    grid = np.linspace(tail.threshold, 50, 1000)
    chances = [tail.p(one) for one in grid]

    assert (np.diff(chances) < 0).all()
    assert tail.p(tail.threshold + 1e-9) == pytest.approx(tail.share)
    assert tail.p(1e9) > 0
    for chance in (0.05, 0.005):
        assert tail.p(tail.reach(chance)) == pytest.approx(chance)


@pytest.mark.parametrize(
    "draw",
    [
        lambda random, size: random.normal(size=size),
        lambda random, size: random.exponential(size=size),
        lambda random, size: random.standard_t(4, size=size),
    ],
    ids=["light", "exponential", "heavy"],
)
@pytest.mark.parametrize(("chance", "most"), [(0.05, 0.06), (0.005, 0.006)])
def test_new_values_reach_what_is_as_rare_about_as_often(draw, chance, most):
    """On average over references of 180 values each."""
    random = np.random.default_rng(1)
    references = [fit_tail(draw(random, 180), -np.inf) for _ in range(300)]
    values = np.sort(draw(random, 200_000))

    reached = np.mean([1 - np.searchsorted(values, tail.reach(chance)) / len(values) for tail in references])

    assert 0.3 * chance < reached < most


def test_values_that_are_alike_make_a_little_more_no_rarity():
    """All nights alike: what counts begins at the least value, and not at the first that is greater than all."""
    tail = fit_tail(np.full(60, 0.1), 2.0)

    assert tail.p(0.2) == 1
    assert tail.p(2.1) > 0.05
    assert tail.p(4) < 0.005
