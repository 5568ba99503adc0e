"""Tests that describe two models: published values, and what clusters change."""

import numpy as np
import pytest
from scipy import stats

from nightjar.evaluation.clusters import Clusters
from nightjar.evaluation.metric_report import Truth
from nightjar.evaluation.paired_decisions import delong, describe_pair, durkalski, mcnemar
from nightjar.settings.task import Task


def of_table(both, first, second, neither):
    """Rows of which so many are right by both, by the one alone, by the other alone, by neither."""
    rows = np.repeat([[1, 1], [1, 0], [0, 1], [0, 0]], [both, first, second, neither], axis=0).astype(bool)
    return rows[:, 0], rows[:, 1]


def test_mcnemar_of_agresti_s_approval_ratings():
    """Categorical Data Analysis, section on matched pairs: 1,600 people asked twice; z squared is 17.36."""
    test = mcnemar(*of_table(794, 150, 86, 570))
    assert test.statistic == pytest.approx(17.36, abs=0.005)
    assert test.p == pytest.approx(3.1e-5, rel=0.01)


def test_durkalski_of_clusters_by_hand():
    """Means of 1/2, -1/4 and 1/2 give (3/4) squared / (9/16) = 1; clusters of one row are McNemar's rows."""
    cluster = np.repeat([0, 1, 2], [2, 4, 2])
    first, second = np.array([[1, 0, 0, 1, 1, 1, 1, 0], [0, 0, 1, 1, 1, 1, 0, 0]], bool)
    assert durkalski(first, second, cluster).statistic == pytest.approx(1.0)
    one, other = of_table(20, 30, 12, 8)
    assert durkalski(one, other, np.arange(70)) == mcnemar(one, other)


def test_where_both_are_right_alike_or_clusters_are_few_there_is_no_test():
    first, second = of_table(5, 0, 0, 5)
    assert mcnemar(first, second) is durkalski(first, second, np.arange(10)) is None
    assert durkalski(*of_table(5, 5, 0, 0), np.arange(10) % 2) is None


def test_rows_that_share_nights_claim_less_than_rows_by_themselves():
    """Of equals whose nights favour one or the other, McNemar's test finds a difference in most periods."""
    claims = np.zeros(2)
    for seed in range(60):
        random = np.random.default_rng(seed)
        night = np.repeat(np.arange(20), 50)
        favours = np.repeat(random.normal(0, 0.3, 20), 50)
        first, second = random.random((2, 1000)) < 0.5 + np.array([favours, -favours]) / 2
        truth = Truth(Task.CLASSIFICATION, np.ones(1000, bool), Clusters(np.arange(1000), night))
        described = describe_pair(truth, first, second)
        assert described["new_alone_right"] == (second & ~first).sum()
        claims += [described[name]["p"] < 0.05 for name in ("mcnemar", "durkalski")]
    assert claims[0] > 20
    assert claims[1] <= 8


def test_delong_is_the_variance_of_placements_of_independent_rows():
    random = np.random.default_rng(0)
    label = random.random(300) < 0.4
    first, second = label + random.normal(size=(2, 300)) * [[1.5], [1.0]]
    truth = Truth(Task.CLASSIFICATION, label, Clusters(np.zeros(300, int), np.repeat(np.arange(5), 60)))
    placed = [
        ((one[label][:, None] > one[~label]).mean(axis=1), (one[label][:, None] > one[~label]).mean(axis=0))
        for one in (first, second)
    ]
    of_true, of_false = (placed[1][part] - placed[0][part] for part in (0, 1))
    spread = np.sqrt(of_true.var(ddof=1) / label.sum() + of_false.var(ddof=1) / (~label).sum())
    found = delong(truth, first, second)
    assert found["estimate"] == pytest.approx(placed[1][0].mean() - placed[0][0].mean())
    assert (found["high"] - found["low"]) / 2 == pytest.approx(stats.norm.ppf(0.975) * spread, rel=0.04)
