"""What is tried: combinations in order, repeatable draws, and batches that only know the batches before them."""

import numpy as np
import pytest

from nightjar.errors import LearningError
from nightjar.learning.fitting.candidates import Candidate
from nightjar.learning.search.batches import batches
from nightjar.learning.search.fold_tasks import FoldValues
from nightjar.learning.search.proposals import baselines
from nightjar.settings.learning import ProposalKind, Proposals, Search
from nightjar.settings.model import Estimator, Model

MAJORITY = Model(Estimator.MAJORITY, baseline=True)
RANGES = {"learning_rate": {"low": 0.01, "high": 1.0, "log": True}, "max_iter": {"low": 10, "high": 12, "whole": True}}


def search(space, proposals=None, **others):
    boosting = Model(Estimator.BOOSTING, parameters={"max_bins": 50}, space=space, drop=["site"])
    candidates = {"majority": MAJORITY, "boosting": boosting, **others}
    return Search(candidates, proposals=proposals or Proposals(), seed=7)


def random_points(trials, seed=7):
    settings = search(RANGES, Proposals(ProposalKind.RANDOM, trials=trials))
    settings.seed = seed
    (batch,) = batches(settings)
    return [candidate.model.parameters for candidate in batch]


def test_a_grid_is_every_combination_in_order_and_a_model_without_a_space_keeps_its_name():
    space = {"learning_rate": [0.1, 0.2], "max_depth": [2, 3]}
    settings = search(space, logistic=Model(Estimator.LOGISTIC))
    (batch,) = batches(settings)
    assert [(candidate.name, candidate.model.parameters) for candidate in batch] == [
        ("boosting-1", {"max_bins": 50, "learning_rate": 0.1, "max_depth": 2}),
        ("boosting-2", {"max_bins": 50, "learning_rate": 0.1, "max_depth": 3}),
        ("boosting-3", {"max_bins": 50, "learning_rate": 0.2, "max_depth": 2}),
        ("boosting-4", {"max_bins": 50, "learning_rate": 0.2, "max_depth": 3}),
        ("logistic", {}),
    ]
    assert all(candidate.model.space == {} for candidate in batch)
    assert batch[0].model.drop == ["site"]
    assert [candidate.name for candidate in baselines(settings)] == ["majority"]


def test_a_grid_over_a_range_is_refused():
    with pytest.raises(LearningError, match=r"boosting\.space\.learning_rate is a range, 0\.01 to 1\.0: a grid needs"):
        next(batches(search(RANGES)))


def test_draws_lie_in_the_range_and_repeat_with_the_seed():
    points = random_points(200)
    rates = np.array([one["learning_rate"] for one in points])
    assert ((rates >= 0.01) & (rates <= 1)).all()
    assert 0.4 < np.mean(rates < 0.1) < 0.6  # each order of magnitude is as likely
    assert {one["max_iter"] for one in points} == {10, 11, 12}
    assert points == random_points(200) != random_points(200, seed=8)
    assert random_points(5) == points[:5]


def test_both_ends_of_a_range_of_whole_numbers_are_drawn():
    space = {"max_iter": {"low": 1, "high": 2, "log": True, "whole": True}}
    (batch,) = batches(search(space, Proposals(ProposalKind.RANDOM, trials=30)))
    assert {candidate.model.parameters["max_iter"] for candidate in batch} == {1, 2}


def test_choices_may_be_lists():
    settings = search({"hidden": [[8], [16, 8]]}, Proposals(ProposalKind.RANDOM, trials=20))
    (batch,) = batches(settings)
    assert {tuple(candidate.model.parameters["hidden"]) for candidate in batch} == {(8,), (16, 8)}


def test_a_point_that_is_drawn_again_is_not_tried_again():
    settings = search({"max_depth": [2, 3]}, Proposals(ProposalKind.RANDOM, trials=20))
    (batch,) = batches(settings)
    assert sorted(candidate.model.parameters["max_depth"] for candidate in batch) == [2, 3]
    assert batch[0].name == "boosting-1"


def test_equal_baselines_are_one():
    twice = search({"max_depth": [2, 3]}, again=MAJORITY)
    assert [candidate.name for candidate in baselines(twice)] == ["majority"]
    spread = Model(Estimator.TREE, space={"max_depth": [2, 3]}, baseline=True)
    drawn_again = search({"max_depth": [2, 3]}, Proposals(ProposalKind.RANDOM, trials=20), tree=spread)
    assert len(baselines(drawn_again)) == 3


def test_a_point_that_is_proposed_again_tells_what_it_reached_and_is_not_tried_again():
    """12 proposals of three points, in batches of four: batches in which nothing is new are not run."""
    settings = search({"max_depth": [2, 3, 4]}, Proposals(ProposalKind.TPE, 12, 4))
    depths, generator = [], batches(settings)
    batch = next(generator, None)
    while batch is not None:
        depths += [candidate.model.parameters["max_depth"] for candidate in batch]
        try:
            batch = generator.send({candidate: FoldValues((0.5,), 1) for candidate in batch})
        except StopIteration:
            break
    assert sorted(depths) == [2, 3, 4]


def proposed_batches(answer, trials=40, batch=4):
    """All candidates of a search by TPE in which `answer` gives what a candidate reaches."""
    settings = search(RANGES, Proposals(ProposalKind.TPE, trials, batch), logistic=Model(Estimator.LOGISTIC))
    proposed, generator = [], batches(settings)
    current = next(generator, None)
    while current is not None:
        proposed.append(current)
        try:
            current = generator.send({candidate: answer(candidate) for candidate in current})
        except StopIteration:
            break
    return proposed


def near_a_third(candidate):
    miss = abs(np.log(candidate.model.parameters.get("learning_rate", 1) / 0.3))
    if miss > 2:
        return FoldValues((None,), 2)
    return FoldValues((-miss,) if miss > 1 else (-miss, -miss), 2)  # far away: stopped after one fold


def test_batches_have_their_size_and_learn_from_those_before():
    proposed = proposed_batches(near_a_third)
    assert [len(batch) for batch in proposed] == [5] + [4] * 9  # the model without a space joins the first
    names = [candidate.name for batch in proposed for candidate in batch if candidate.name != "logistic"]
    assert names == [f"boosting-{number}" for number in range(1, 41)]
    miss = [
        abs(np.log(candidate.model.parameters["learning_rate"] / 0.3))
        for batch in proposed
        for candidate in batch
        if candidate.name != "logistic"
    ]
    assert np.mean(miss[-12:]) < np.mean(miss[:8])


def test_few_trials_learn_from_their_first_batch_too():
    """Optuna itself would draw the first ten points whatever the others reached."""

    def second(sign):
        def answer(candidate):
            return FoldValues((sign * candidate.model.parameters.get("learning_rate", 0.0),), 1)

        return [candidate.model.parameters for candidate in proposed_batches(answer, trials=8)[1]]

    assert second(1) != second(-1)


def test_the_same_results_give_the_same_proposals():
    def parameters(proposed):
        return [candidate.model.parameters for batch in proposed for candidate in batch]

    assert parameters(proposed_batches(near_a_third)) == parameters(proposed_batches(near_a_third))


def test_equal_settings_have_equal_keys_whatever_their_name():
    one = Candidate("a", Model(Estimator.LOGISTIC, parameters={"C": 1.0}))
    assert one.key() == Candidate("b", Model(Estimator.LOGISTIC, parameters={"C": 1.0})).key()
    assert one.key() != Candidate("a", Model(Estimator.LOGISTIC, parameters={"C": 2.0})).key()
    assert one.key() != Candidate("a", one.model, {"m": MAJORITY}).key()
