"""Surrogates: what imitates a model says how well it does."""

import numpy as np
import pytest

from models.rows import CLASSIFIED, FEATURES, examples, training_rows
from nightjar.errors import ModelError
from nightjar.explanation.surrogates import local_surrogate, surrogate_tree
from nightjar.models.fitting import fit
from nightjar.settings.model import Estimator, Model
from nightjar.settings.task import Task

TABLE, TEST = training_rows(500, seed=1)[0], training_rows(300, seed=2)[0]


def test_a_tree_imitates_a_tree_and_says_how_well():
    tree = fit(Model(Estimator.TREE, parameters={"max_depth": 2}), examples(), features=FEATURES, seed=0)

    surrogate = surrogate_tree(tree, TABLE, TEST)

    assert surrogate.fidelity > 0.999
    assert surrogate.rows == 500
    assert sum(leaf.share for leaf in surrogate.leaves) == pytest.approx(1)
    assert [leaf.score for leaf in surrogate.leaves] == sorted((leaf.score for leaf in surrogate.leaves), reverse=True)
    assert {round(leaf.score, 9) for leaf in surrogate.leaves} == {round(one, 9) for one in tree.predict(TABLE)}
    assert all(leaf.conditions for leaf in surrogate.leaves)


def test_levels_and_missing_values_are_named_in_the_conditions():
    by_carrier = fit(CLASSIFIED["rate"], examples(), features=FEATURES, seed=0)

    leaves = surrogate_tree(by_carrier, TABLE, TEST).leaves

    texts = [condition for leaf in leaves for condition in leaf.conditions]
    assert any("carrier in " in text for text in texts)
    assert sum("missing" in text for text in texts) == 1
    assert len(texts) == len(leaves)


def test_fidelity_is_of_rows_that_it_was_not_fitted_to():
    """A model of noise cannot be imitated, and a constant one needs no imitation."""
    neighbours = Model(Estimator.NEIGHBOURS, parameters={"n_neighbors": 1})
    noise = fit(neighbours, examples(label=np.random.default_rng(0).random(600) < 0.5), features=FEATURES, seed=0)
    constant = fit(CLASSIFIED["majority"], examples(), features=FEATURES, seed=0)

    assert surrogate_tree(noise, TABLE, TEST).fidelity < 0.2
    assert local_surrogate(noise, TABLE.slice(0, 1), TEST).fidelity < 0.8
    assert local_surrogate(constant, TABLE.slice(0, 1), TEST).fidelity is None


def test_too_few_rows_are_refused():
    constant = fit(CLASSIFIED["majority"], examples(), features=FEATURES, seed=0)

    with pytest.raises(ModelError, match="needs 30 rows to imitate and as many to be judged on: there are 500 and 29"):
        surrogate_tree(constant, TABLE, TEST.slice(0, 29))
    with pytest.raises(ModelError, match="needs background rows"):
        local_surrogate(constant, TABLE.slice(0, 1), TEST.slice(0, 0))


def test_around_a_row_a_linear_model_is_found_again():
    """What a column adds is its weight times how far the row lies from the mean of others."""
    linear = fit(Model(Estimator.LINEAR), examples(Task.REGRESSION), features=FEATURES, task=Task.REGRESSION, seed=0)
    row = TABLE.slice(3, 1)

    surrogate = local_surrogate(linear, row, TEST)

    effects = dict(zip(surrogate.columns, surrogate.effects, strict=True))
    for column in ("delay", "hour"):
        place = TEST.schema.get_field_index(column)
        own = TEST.set_column(place, TEST.schema.field(place), row[column].take([0] * TEST.num_rows))
        expected = (linear.predict(own) - linear.predict(TEST)).mean()
        assert effects[column] == pytest.approx(expected, abs=0.15)
    assert effects["empty"] == pytest.approx(0, abs=0.1)
    assert 0.2 < surrogate.fidelity < 1
