import numpy as np
import pytest

from nightjar.errors import LearningError
from nightjar.evaluation.multivariate import SAMPLE, compare, fit_components, separability

RANDOM = np.random.default_rng(5)


def rows_of(count, correlation=0.0):
    """Five columns of the same distribution each, the first two correlated."""
    rows = RANDOM.normal(size=(count, 5))
    rows[:, 1] = correlation * rows[:, 0] + np.sqrt(1 - correlation**2) * rows[:, 1]
    return rows


def test_rows_of_the_same_distribution_cannot_be_told_apart():
    assert separability(rows_of(600), rows_of(1500)) == pytest.approx(0.5, abs=0.05)


def test_columns_that_go_together_tonight_give_their_rows_away():
    """No column by itself differs; nulls and more rows than are sampled do no harm."""
    reference = rows_of(SAMPLE + 500)
    reference[::7, 3] = np.nan

    assert separability(rows_of(600, correlation=0.95), reference) > 0.7


def test_components_miss_rows_on_which_columns_no_longer_go_together():
    components = fit_components(rows_of(2000, correlation=0.95))
    usual = [components.error(rows_of(300, correlation=0.95)) for _ in range(19)]
    broken = components.error(rows_of(300))
    far = rows_of(300, correlation=0.95)
    far[0, 2] = 1e9
    absent = rows_of(300, correlation=0.95)
    absent[::2, 2] = np.nan

    assert len(components.directions) < 5
    assert compare(broken, usual).p == 0.05
    assert compare(usual[3], usual).p > 0.05
    assert components.error(far) < broken
    assert np.isfinite(components.error(absent))


def test_components_are_orthonormal_and_explain_what_is_asked_for():
    """With all directions but one of a constant column nothing would be missed."""
    rows = rows_of(500, correlation=0.5)
    rows[:, 4] = 3.0
    components = fit_components(rows, explained=0.7)

    size = len(components.directions)
    np.testing.assert_allclose(components.directions @ components.directions.T, np.eye(size), atol=1e-9)
    standardised = (rows[:, :4] - rows[:, :4].mean(axis=0)) / rows[:, :4].std(axis=0)
    own = np.sort(np.linalg.eigvalsh(np.cov(standardised.T, bias=True)))[::-1]
    assert components.error(rows) == pytest.approx(own[size:].sum() / 5)


def test_too_few_rows_or_nights_are_refused():
    with pytest.raises(LearningError, match="10 rows"):
        separability(rows_of(5), rows_of(50))
    with pytest.raises(LearningError, match="4 columns"):
        separability(rows_of(50)[:, :4], rows_of(50))
    with pytest.raises(LearningError, match="4 columns"):
        fit_components(rows_of(50)).error(rows_of(50)[:, :4])
    with pytest.raises(LearningError, match="19"):
        compare(1.0, [1.0] * 18)
