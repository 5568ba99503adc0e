import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial.distance import jensenshannon

from nightjar.errors import LearningError
from nightjar.evaluation.divergences import (
    OF_SHARES,
    hellinger,
    jensen_shannon,
    kullback_leibler,
    l_infinity,
    total_variation,
    wasserstein,
)
from nightjar.evaluation.histograms import Bins

ALL = (jensen_shannon, kullback_leibler, hellinger, total_variation, l_infinity)
pairs = st.integers(2, 30).flatmap(
    lambda size: st.tuples(*[st.lists(st.integers(0, 500), min_size=size, max_size=size)] * 2)
)


@pytest.mark.parametrize(
    ("distance", "expected"),
    [
        # Of shares (0.5, 0.5) and (0.9, 0.1).
        # 0.9 ln 1.8 + 0.1 ln 0.2 = 0.368064 (Cover and Thomas, 2006, 2.3).
        (kullback_leibler, 0.368064),
        # m = (0.7, 0.3): H(0.7) - (H(0.5) + H(0.9)) / 2 = 0.881291 - (1 + 0.468996) / 2 = 0.146793 bits.
        (jensen_shannon, math.sqrt(0.146793)),
        # 1 - (sqrt(0.45) + sqrt(0.05)) = 0.105573.
        (hellinger, math.sqrt(0.105573)),
        (total_variation, 0.4),
        (l_infinity, 0.4),
    ],
)
def test_two_groups_by_hand(distance, expected):
    """Of so many rows that half a row more tells nothing."""
    assert distance([0, 5 * 10**8, 5 * 10**8], [0, 9 * 10**8, 10**8]) == pytest.approx(expected, rel=1e-5)


@given(pairs)
def test_the_distances_are_those_of_scipy(sides):
    e, a = map(np.array, sides)
    assume(e.sum() and a.sum())
    in_use = e + a > 0

    assert jensen_shannon(e, a) == pytest.approx(jensenshannon(e, a, base=2), abs=1e-6)
    assert kullback_leibler(e, a) == pytest.approx(stats.entropy(a[in_use] + 0.5, e[in_use] + 0.5), abs=1e-12)
    assert hellinger(e, a) == pytest.approx(
        np.linalg.norm(np.sqrt(e / e.sum()) - np.sqrt(a / a.sum())) / math.sqrt(2), abs=1e-7
    )
    assert total_variation(e, a) == pytest.approx(1 - np.minimum(e / e.sum(), a / a.sum()).sum(), abs=1e-12)
    assert l_infinity(e, a) <= total_variation(e, a) + 1e-12


@given(pairs)
def test_a_distance_is_0_of_the_same_shares_and_at_most_1(sides):
    e, a = map(np.array, sides)
    assume(e.sum() and a.sum())

    for distance in ALL:
        assert distance(e, e) == 0
        if distance is not kullback_leibler:
            assert 0 <= distance(e, a) <= 1
            assert distance(e, a) == pytest.approx(distance(a, e))


@pytest.mark.parametrize("distance", ALL)
def test_without_rows_on_a_side_there_is_no_distance(distance):
    assert distance([0, 0, 0], [0, 1, 2]) is None
    assert distance([0, 1, 2], [0, 0, 0]) is None
    with pytest.raises(LearningError, match="same bins"):
        distance([0, 1, 2], [0, 1])
    with pytest.raises(LearningError, match="whole numbers"):
        distance([0, 1, 2], [0, -1, 2])


def test_a_level_that_appears_has_a_finite_distance():
    """Nothing in common is 1 for those that are bounded; KL knows how many rows were expected."""
    few, many = (kullback_leibler([0, rows, 0], [0, 0, 10]) for rows in (10, 1000))

    assert [distance([0, 10, 0], [0, 0, 10]) for distance in (jensen_shannon, hellinger, total_variation)] == [1, 1, 1]
    assert 0 < few < many < math.inf


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), min_size=1, max_size=8))
def test_wasserstein_is_that_of_values_spread_evenly_over_their_bins(cells):
    e, a = (np.array([0, 0, *side, 0]) for side in zip(*cells, strict=True))
    assume(e.sum() and a.sum())
    edges = np.cumsum(np.arange(1, len(cells) + 2)) / 3
    steps = (np.arange(2000) + 0.5) / 2000
    middle = (edges[:-1, None] + np.diff(edges)[:, None] * steps).ravel()
    weights = [np.repeat(side[2:-1] / side.sum() / 2000, 2000) for side in (e, a)]
    mean = weights[0] @ middle
    spread = math.sqrt(weights[0] @ (middle - mean) ** 2)
    area = stats.wasserstein_distance(middle, middle, *weights)

    result = wasserstein(Bins("numeric", edges=tuple(edges.tolist())), e, a)

    assert result == pytest.approx(area / spread, rel=1e-3, abs=1e-3)


def test_wasserstein_takes_what_lies_beyond_the_edges_for_the_edge():
    bins = Bins("numeric", edges=(0.0, 1.0))

    assert wasserstein(bins, [5, 0, 10, 0], [0, 0, 0, 10]) == pytest.approx(0.5 * math.sqrt(12))
    assert wasserstein(bins, [0, 10, 0, 0], [0, 0, 10, 0]) is None  # no spread to measure it by
    assert wasserstein(bins, [9, 0, 0, 0], [0, 0, 10, 0]) is None  # nulls alone
    assert wasserstein(Bins("numeric"), [0, 0], [0, 0]) is None
    with pytest.raises(LearningError, match="expected numeric"):
        wasserstein(Bins("categorical", levels=("a", "b")), [0, 1, 2, 3], [0, 1, 2, 3])


def test_distances_for_nulls_are_linear_in_small_changes():
    """Twice the change is about twice the distance: what is studentised is the size of the change."""
    base = np.full(10, 0.1)
    step = np.where(np.arange(10) < 5, 1, -1) * 0.002

    for distance in OF_SHARES.values():
        assert distance(base, base + 2 * step) == pytest.approx(2 * distance(base, base + step), rel=1e-2)
