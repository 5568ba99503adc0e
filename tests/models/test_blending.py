from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from models.rows import FEATURES, MEMBERS, examples
from nightjar.errors import LearningError
from nightjar.evaluation.binary import log_loss
from nightjar.models.ensembles.blending import Blend, _bootstrap
from nightjar.models.ensembles.out_of_fold import take_rows
from nightjar.models.examples import InnerSplit
from nightjar.models.fitting import fit
from nightjar.settings.model import Calibration, Estimator, Model
from nightjar.settings.task import Task

SIDE = st.lists(st.integers(0, 9), unique=True).map(sorted).map(partial(np.array, dtype=np.intp))
SIDES = st.tuples(SIDE, SIDE)


def fit_ensemble(model, rows, members=MEMBERS, task=Task.CLASSIFICATION):
    return fit(model, rows, features=FEATURES, task=task, seed=0, members=members)


def test_a_vote_is_the_weighted_mean_of_its_members():
    rows = examples()
    tree, boosting = (fit_ensemble(MEMBERS[name], rows).predict(rows.table) for name in ("tree", "boosting"))

    vote = fit_ensemble(Model(Estimator.VOTING, members=["tree", "boosting"], parameters={"weights": [3, 1]}), rows)

    np.testing.assert_allclose(vote.predict(rows.table), 0.75 * tree + 0.25 * boosting, rtol=1e-15)


def test_votes_for_an_order_count_alike_whatever_the_scale_of_their_scores():
    """Pairs say logits, the tree relevances, and the mean nothing: an order is voted for in deviations within lists."""
    rows = examples(Task.RANKING, inner=())
    members = {"pairs": Model(Estimator.LOGISTIC), "tree": MEMBERS["tree"], "mean": Model(Estimator.MEAN)}

    vote = fit_ensemble(Model(Estimator.VOTING, members=list(members)), rows, members, Task.RANKING)

    pairs, tree = ([*map(within_lists, one.predict(rows.table).reshape(100, 6))] for one in vote.members[:2])
    assert np.std(pairs) > 3 * np.std(tree)
    expected = (np.array(pairs) / np.std(pairs) + np.array(tree) / np.std(tree)) / 3
    actual = [*map(within_lists, vote.predict(rows.table).reshape(100, 6))]
    np.testing.assert_allclose(actual, expected, rtol=1e-9, atol=1e-12)


def within_lists(score):
    return score - score.mean()


def test_each_member_prepares_the_features_in_its_own_way():
    vote = fit_ensemble(Model(Estimator.VOTING, members=["tree", "boosting"]), examples())

    assert [column.name for column in vote.members[0].features] == ["delay", "holiday", "empty", "carrier", "nothing"]
    assert set(vote.features) == set(FEATURES)
    assert vote.preparation is None


def test_bagging_is_the_mean_of_models_of_bootstraps():
    rows = examples()
    bag = fit_ensemble(Model(Estimator.BAGGING, members=["tree"], parameters={"count": 4}), rows)

    by_hand = [
        fit(MEMBERS["tree"], take_rows(rows, _bootstrap(rows, number)), features=FEATURES, seed=number)
        for number in range(4)
    ]

    expected = np.mean([one.predict(rows.table) for one in by_hand], axis=0)
    np.testing.assert_allclose(bag.predict(rows.table), expected, rtol=1e-12)
    assert len({tuple(one.predict(rows.table)) for one in bag.members}) == 4


def test_bagging_of_unpruned_trees_is_better_than_one_of_them():
    rows, later = examples(rows=1000), examples(rows=1000, seed=1)
    members = {"tree": Model(Estimator.TREE, parameters={"min_samples_leaf": 5})}

    one, bag = (
        fit_ensemble(model, rows, members)
        for model in (members["tree"], Model(Estimator.BAGGING, members=["tree"], parameters={"count": 20}))
    )

    assert log_loss(later.label, bag.predict(later.table)) < log_loss(later.label, one.predict(later.table)) - 0.1


def test_a_bootstrap_of_a_ranking_draws_whole_lists():
    rows = examples(Task.RANKING)
    drawn = _bootstrap(rows, seed=1)

    times = np.bincount(drawn, minlength=600).reshape(100, 6)  # lists of six

    assert (times == times[:, :1]).all()
    assert 50 < (times[:, 0] > 0).sum() < 75  # 1 - 1/e of 100
    assert times[:, 0].sum() == 100


def test_stacking_learns_from_honest_predictions_which_member_to_trust():
    """The unpruned tree knows its training rows by heart: judged on them it would get all the weight."""
    members = {"tree": Model(Estimator.TREE), "line": Model(Estimator.LOGISTIC)}
    rows, later = examples(rows=2000), examples(rows=2000, seed=1)

    stack = fit_ensemble(Model(Estimator.STACKING, members=["tree", "line"]), rows, members)

    tree, line = stack.estimator.weights
    assert line > 5 * abs(tree)
    single = [log_loss(later.label, one.predict(later.table)) for one in stack.members]
    assert log_loss(later.label, stack.predict(later.table)) < min(single) + 0.01


def test_the_members_of_a_stack_are_fitted_on_all_rows():
    rows = examples()
    stack = fit_ensemble(Model(Estimator.STACKING, members=["tree", "boosting"]), rows)

    assert np.array_equal(stack.members[0].predict(rows.table), fit_ensemble(MEMBERS["tree"], rows).predict(rows.table))


@pytest.mark.parametrize("task", [Task.REGRESSION, Task.RANKING])
def test_a_stack_of_amounts_is_a_line_through_their_scores(task):
    rows = examples(task)
    stack = fit_ensemble(Model(Estimator.STACKING, members=["tree", "boosting"]), rows, task=task)

    scores = np.column_stack([one.predict(rows.table) for one in stack.members])
    line = scores @ np.array(stack.estimator.weights) + stack.estimator.intercept
    np.testing.assert_allclose(stack.predict(rows.table), line, rtol=1e-12)


def test_stacking_without_inner_splits_is_refused():
    with pytest.raises(LearningError, match="stacking is fitted on out-of-fold predictions"):
        fit_ensemble(Model(Estimator.STACKING, members=["tree", "boosting"]), examples(inner=()))


def test_a_whole_ensemble_can_be_calibrated():
    rows = examples()
    model = Model(Estimator.VOTING, members=["tree", "boosting"], calibration=Calibration.PLATT)

    calibrated = fit_ensemble(model, rows)
    plain = fit_ensemble(Model(Estimator.VOTING, members=["tree", "boosting"]), rows)

    curve = calibrated.calibration
    assert np.array_equal(calibrated.predict(rows.table), curve(plain.predict(rows.table)))


def test_blends_by_hand():
    scores = np.array([[0.5, 0.25]])

    assert Blend((0.5, 0.5), 1.0).predict(scores).tolist() == [1.375]
    by_odds = Blend((1.0, 2.0), 0.5, log_odds=True).predict(scores)
    assert by_odds == pytest.approx(expit([0 + 2 * np.log(1 / 3) + 0.5]))


def test_a_mean_of_probabilities_is_one():
    """Nine ninths are more than 1 in floating point, which every measure refuses."""
    mean = Blend((1 / 9,) * 9)

    assert mean.predict(np.ones((2, 9))).tolist() == [1, 1]
    assert mean.predict(np.tile([[1.0], [0.0]], (1, 1, 9))).tolist() == [[1, 0]]
    assert Blend((1.0, 1.0)).predict(np.ones((1, 2))).tolist() == [2]


@given(chosen=st.lists(st.integers(0, 9), min_size=1, max_size=15).map(sorted), sides=SIDES, within=SIDES)
def test_splits_of_a_subset_of_rows_keep_their_sides(chosen, sides, within):
    """The oracle looks at one row after the other; rows of the split within are named by their own numbers here."""
    train = sides[0]
    deeper = [side[np.isin(side, train)] for side in within]
    splits = [InnerSplit(*sides, [InnerSplit(*(np.searchsorted(train, side) for side in deeper))])]
    rows = take_rows(examples(rows=10, inner=splits), np.array(chosen))

    expected = [[place for place, row in enumerate(chosen) if row in side] for side in sides]
    assert [[split.train.tolist(), split.test.tolist()] for split in rows.inner] == (
        [expected] if all(expected) else []
    )
    train_rows = [row for row in chosen if row in train]
    expected_within = [[place for place, row in enumerate(train_rows) if row in side] for side in deeper]
    actual = [[one.train.tolist(), one.test.tolist()] for split in rows.inner for one in split.inner]
    assert actual == ([expected_within] if all(expected) and all(expected_within) else [])
    assert rows.table["hour"].to_pylist() == examples(rows=10).table["hour"].take(chosen).to_pylist()
