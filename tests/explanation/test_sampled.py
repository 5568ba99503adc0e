"""Sampled Shapley values: within their error of enumeration, and exact where the model is additive."""

from dataclasses import replace

import numpy as np
import pytest

from models.rows import CLASSIFIED, FEATURES, MEMBERS, examples, training_rows
from nightjar.errors import ModelError
from nightjar.explanation.raw_scores import raw_scores
from nightjar.explanation.sampled import explain, sampled_contributions
from nightjar.models.columns import to_frame
from nightjar.models.fitting import fit
from nightjar.settings.model import Estimator, Model
from nightjar.settings.task import Task
from oracles.shapley import shapley


@pytest.fixture(scope="module")
def neighbours():
    return fit(CLASSIFIED["neighbours"], examples(), features=FEATURES, seed=0)


def enumerated(predictor, table, background):
    """The Shapley values of one row, over all background rows."""
    row, others = (to_frame(one, predictor.features) for one in (table, background))
    names = list(others)

    def worth(group):
        mixed = others.assign(**{names[one]: row[names[one]].iloc[0] for one in group})
        return raw_scores(predictor, mixed)[:, 0].mean()

    return shapley(len(names), worth)


def test_they_lie_within_their_error_of_enumeration(neighbours):
    """Over ten seeds: mean squared error in standard errors is about 1, and no more than 2 by chance in 1 of 1000."""
    table, background = training_rows(1, seed=1)[0], training_rows(30, seed=2)[0]
    expected = np.array(enumerated(neighbours, table, background)[:-1])
    drawn = [sampled_contributions(neighbours, table, background, seed=seed) for seed in range(10)]
    moves = expected != 0

    in_errors = np.array([(one.values[0, 0] - expected)[moves] / one.error[0, 0][moves] for one in drawn])

    assert moves.sum() >= 3
    assert 0.3 < (in_errors**2).mean() < 2
    assert all((one.values[0, 0] == 0).tolist() == (~moves).tolist() for one in drawn)


def test_they_sum_to_the_raw_score_whatever_their_error(neighbours):
    table, background = training_rows(4, seed=1)[0], training_rows(30, seed=2)[0]
    parts = sampled_contributions(neighbours, table, background, pairs=3)

    raw = raw_scores(neighbours, to_frame(table, neighbours.features))
    np.testing.assert_allclose(parts.base + parts.values.sum(axis=2), raw, atol=1e-12)


def test_of_an_additive_model_they_have_the_error_of_the_background_alone():
    """Beside one background row there is nothing left to chance."""
    predictor = fit(Model(Estimator.LOGISTIC), examples(), features=FEATURES, seed=0)
    table, background = training_rows(2, seed=1)[0], training_rows(1, seed=2)[0]

    parts = sampled_contributions(predictor, table, background, pairs=4)

    expected = [enumerated(predictor, table.slice(row, 1), background)[:-1] for row in range(2)]
    np.testing.assert_allclose(parts.values[:, 0], expected, atol=1e-9)
    np.testing.assert_allclose(parts.error, 0, atol=1e-9)


def test_exact_values_are_taken_where_there_are_some_and_sampled_ones_carry_their_error():
    table, background = training_rows(2, seed=1)[0], training_rows(20, seed=2)[0]
    boosting = fit(CLASSIFIED["boosting"], examples(), features=FEATURES, seed=0)
    several = Model(Estimator.STACKING, members=["tree", "boosting"])
    stacking = fit(several, examples(Task.MULTICLASS), features=FEATURES, task=Task.MULTICLASS, seed=0, members=MEMBERS)

    exact, sampled = (explain(one, table, background) for one in (boosting, stacking))

    assert (exact.error, exact.scale) == (None, "log-odds")
    assert sampled.scale == "probability"
    assert sampled.error.shape == sampled.values.shape == (2, 3, len(FEATURES))
    raw = raw_scores(stacking, to_frame(table, stacking.features))
    np.testing.assert_allclose(sampled.base + sampled.values.sum(axis=2), raw, atol=1e-12)


def test_a_network_is_explained_on_the_scale_of_its_output():
    network = fit(CLASSIFIED["network"], examples(), features=FEATURES, seed=0)
    table = training_rows(2, seed=1)[0]

    parts = explain(replace(network, calibration=lambda score: score / 2), table, training_rows(20, seed=2)[0])

    margin = parts.base + parts.values.sum(axis=2)
    np.testing.assert_allclose(1 / (1 + np.exp(-margin[:, 0])), network.predict(table), rtol=1e-9)


def test_without_background_rows_they_are_refused(neighbours):
    table = training_rows(2)[0]

    with pytest.raises(ModelError, match="need background rows: there are none"):
        sampled_contributions(neighbours, table, table.slice(0, 0))
