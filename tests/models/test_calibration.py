import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from models.rows import FEATURES, examples
from nightjar.errors import LearningError
from nightjar.evaluation.reliability import expected_calibration_error
from nightjar.models.ensembles.calibration import Isotonic, Platt, fit_calibration
from nightjar.models.fitting import fit
from nightjar.settings.model import Calibration, Estimator, Model

KINDS = pytest.mark.parametrize("kind", [Calibration.PLATT, Calibration.ISOTONIC])


def with_score(rows=20_000):
    """Scores that are too sure: true log-odds are half of theirs, and one lower."""
    random = np.random.default_rng(0)
    log_odds = random.normal(0, 2, rows)
    return expit(log_odds), random.random(rows) < expit(log_odds / 2 - 1)


def test_platt_finds_the_line_that_the_labels_were_drawn_from():
    curve = fit_calibration(Calibration.PLATT, *with_score(), None)

    assert curve.slope == pytest.approx(0.5, abs=0.05)
    assert curve.intercept == pytest.approx(-1, abs=0.05)


@KINDS
def test_calibrated_scores_are_honest_on_new_rows(kind):
    score, label = with_score()
    curve = fit_calibration(kind, score[:10_000], label[:10_000], None)

    before, after = (expected_calibration_error(label[10_000:], one[10_000:]) for one in (score, curve(score)))

    assert before > 0.15
    assert after < 0.025


@KINDS
def test_a_weight_of_two_is_the_row_twice(kind):
    score, label = with_score(200)
    twice = np.repeat(np.arange(200), np.arange(200) % 2 + 1)

    weighed = fit_calibration(kind, score, label, np.arange(200) % 2 + 1.0)
    repeated = fit_calibration(kind, score[twice], label[twice], None)

    np.testing.assert_allclose(weighed(score), repeated(score), atol=1e-6)


def test_isotonic_is_the_mean_of_neighbours_that_are_out_of_order():
    curve = fit_calibration(
        Calibration.ISOTONIC, np.array([0.1, 0.2, 0.3, 0.9]), np.array([False, True, False, True]), None
    )

    assert curve(np.array([0.0, 0.1, 0.2, 0.3, 0.9, 1.0])).tolist() == [0.0, 0.0, 0.5, 0.5, 1.0, 1.0]


def test_scores_that_separate_the_labels_have_a_finite_line_too():
    curve = fit_calibration(
        Calibration.PLATT, np.array([0.0, 0.1, 0.9, 1.0]), np.array([False, False, True, True]), None
    )

    assert np.isfinite([curve.slope, curve.intercept]).all()
    assert curve(np.array([0.0, 0.5, 1.0]))[1] == pytest.approx(0.5)


@KINDS
def test_rows_of_one_class_calibrate_nothing(kind):
    with pytest.raises(LearningError, match="All 2 out-of-fold rows have the label True"):
        fit_calibration(kind, np.array([0.1, 0.2]), np.array([True, True]), None)


@given(
    scores=st.lists(st.floats(0, 1), min_size=1, max_size=20),
    curve=st.sampled_from([Platt(2.0, -1.0), Isotonic((0.2, 0.4, 0.4001), (0.1, 0.1, 0.8))]),
)
def test_what_is_calibrated_is_a_probability_in_the_same_order(scores, curve):
    result = curve(np.sort(scores))

    assert ((result >= 0) & (result <= 1)).all()
    assert (np.diff(result) >= 0).all()


def test_the_curve_is_fitted_on_predictions_of_rows_that_the_model_has_not_seen():
    """A tree grown to the last row is right about its training rows: only unseen ones tell how sure it may be."""
    model = Model(Estimator.TREE, calibration=Calibration.PLATT)
    rows, later = examples(rows=2000), examples(rows=2000, seed=1)

    calibrated = fit(model, rows, features=FEATURES, seed=0)
    plain = fit(Model(Estimator.TREE), rows, features=FEATURES, seed=0)

    assert np.isin(plain.predict(rows.table), [0.0, 1.0]).mean() > 0.6
    assert calibrated.predict(rows.table).max() < 0.8
    errors = [expected_calibration_error(later.label, one.predict(later.table)) for one in (plain, calibrated)]
    assert errors[0] > 0.25
    assert errors[1] < 0.1


def test_an_inner_split_that_cannot_be_fitted_is_named():
    rows = examples(label=np.arange(600) >= 250)
    model = Model(Estimator.TREE, calibration=Calibration.PLATT)

    with pytest.raises(
        LearningError, match=r"platt calibration \(inner split 1 of 2, 200 training rows\): All 200 train"
    ):
        fit(model, rows, features=FEATURES, seed=0)
