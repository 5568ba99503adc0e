"""The parts of the Brier score, and calibration in bins."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from nightjar.errors import LearningError
from nightjar.evaluation.binary import brier
from nightjar.evaluation.clusters import Clusters
from nightjar.evaluation.metric_report import Truth, figure
from nightjar.evaluation.reliability import (
    brier_parts,
    expected_calibration_error,
    reliability,
    resolution,
    uncertainty,
)
from nightjar.evaluation.rows import NO_ROWS
from nightjar.settings.task import Task
from oracles import metrics as oracle

ROWS = st.lists(st.tuples(st.booleans(), st.integers(0, 100)), min_size=1, max_size=30)


def parts_of(label, score, **bins):
    parts = brier_parts(label, score, **bins)
    within = (parts.variance_within, parts.covariance_within)
    return np.array([parts.reliability, parts.resolution, parts.uncertainty, *within])


@given(ROWS)
def test_by_distinct_scores_the_three_parts_are_those_of_murphy(rows):
    label, percent = (np.array(column) for column in zip(*rows, strict=True))
    score = percent / 100
    actual = parts_of(label, score)
    assert actual == pytest.approx(oracle.brier_parts(label, score, percent))
    assert actual[3:] == pytest.approx(0)
    assert actual @ [1, -1, 1, 0, 0] == pytest.approx(brier(label, score))
    assert (reliability(label, score), resolution(label, score), uncertainty(label, score)) == tuple(actual[:3])


@given(st.integers(0, 1000), st.integers(1, 12))
def test_in_bins_the_five_parts_are_those_of_stephenson_coelho_and_jolliffe(seed, bins):
    """Bins of equally many rows: 60 different scores, cut where they are sorted."""
    random = np.random.default_rng(seed)
    score = random.permutation(np.linspace(0.01, 0.99, 60))
    label = random.random(60) < score**2
    number = (np.argsort(np.argsort(score)) * bins) // 60
    actual = parts_of(label, score, bins=bins)
    if 60 % bins == 0:
        assert len(set(number)) == bins
        assert actual == pytest.approx(oracle.brier_parts(label, score, number))
    assert actual @ [1, -1, 1, 1, -1] == pytest.approx(brier(label, score))


def test_one_bin_has_no_resolution_and_rows_of_their_own_no_reliability_to_tell():
    """Ten different scores: each is a bin, and reliability the whole score. In one bin all that is left is the mean."""
    label, score = np.arange(10) % 3 == 0, np.linspace(0.1, 0.9, 10)
    assert brier_parts(label, score, bins=1).resolution == pytest.approx(0)
    assert brier_parts(label, score, bins=1).reliability == pytest.approx((0.5 - 0.4) ** 2)
    assert reliability(label, score) == pytest.approx(brier(label, score))


def nights(random, *, rows=1200, number=30):
    """Probabilities and outcomes of nights that share a shock: over all nights so many of each come true."""
    night = np.arange(rows) % number
    score = random.beta(1, 3, rows)
    shared = 0.3 * random.normal(size=number)[night] + np.sqrt(1 - 0.3**2) * random.normal(size=rows)
    return stats.norm.cdf(shared) < score, score, Clusters(np.arange(rows), night)


@pytest.mark.parametrize("measure", [expected_calibration_error, reliability])
def test_chance_does_not_make_honest_probabilities_dishonest_and_dishonest_ones_are_shown(measure):
    """By its value alone every run of the honest ones would be off; those of twice the odds are."""
    random = np.random.default_rng(0)
    covered, shown = [], []
    for _ in range(100):
        label, score, clusters = nights(random)
        truth = Truth(Task.CLASSIFICATION, label, clusters)
        honest = figure(measure, truth, score, bins=10)
        assert honest.estimate > 0
        covered.append(honest.low == 0)
        shown.append(figure(measure, truth, 2 * score / (1 + score), bins=10).low > 0)
    assert np.mean(covered) >= 0.95
    assert np.mean(shown) >= 0.95


def test_chance_adds_to_the_resolution_of_two_bins_the_variance_of_half_the_gap_between_them():
    """Each bin's rate is compared with that of all rows, which follows it half of the way."""
    row = np.arange(200)
    label, score = row % 10 < np.where(row < 100, 2, 8), np.where(row < 100, 0.3, 0.7)
    one = figure(resolution, Truth(Task.CLASSIFICATION, label, Clusters(row, row)), score)
    chance = one.estimate - one.low - one.estimate * np.log(one.high / one.estimate)
    assert one.estimate == pytest.approx(0.09)
    assert chance == pytest.approx((0.16 / 100 + 0.16 / 100) / 4 * 200 / 199)


@pytest.mark.parametrize("measure", [brier_parts, reliability, expected_calibration_error])
def test_no_rows_and_no_bins(measure):
    assert measure([], []) == NO_ROWS
    with pytest.raises(LearningError, match="There are 0 bins: expected 1 or more"):
        measure([True], [0.5], bins=0)
