import datetime as dt
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from nightjar.errors import LearningError
from nightjar.evaluation.intervals import Interval, block_bootstrap, mean_block_bootstrap, paired_block_bootstrap
from nightjar.evaluation.metrics import average_precision, brier, log_loss, roc_auc
from nightjar.evaluation.regression import mae, r2, rmse
from nightjar.evaluation.resampled import resampled


def mean_score(y, score):
    return float(score.mean()) if len(score) else None


def nights(random, *, nights=30, rows=20, shock=0.1):
    """Scores around 0.5 that share a shock within each night; their true mean is 0.5."""
    block = np.repeat(np.arange(nights), rows)
    score = 0.5 + random.normal(0, shock, nights)[block] + random.normal(0, 0.1, nights * rows)
    return random.random(nights * rows) < 0.4, score, block


def test_two_nights_that_agree_within_themselves():
    """A resample holds both nights or one of them twice: the mean is 0.2, 0.4 or 0.6."""
    found = block_bootstrap([0, 1, 0, 1], [0.2, 0.2, 0.6, 0.6], [1, 1, 2, 2], mean_score, seed=1)

    assert found == Interval(estimate=pytest.approx(0.4), low=pytest.approx(0.2), high=pytest.approx(0.6))


def test_a_model_that_is_always_a_tenth_higher_differs_by_exactly_a_tenth():
    y, score, block = nights(np.random.default_rng(1))

    found = paired_block_bootstrap(y, score + 0.1, score, block, mean_score, seed=1)

    assert found == Interval(*[pytest.approx(0.1)] * 3)


def test_the_difference_turns_its_sign_with_the_models():
    y, a, block = nights(np.random.default_rng(2))
    b = a + np.random.default_rng(3).normal(0, 0.1, len(a))

    there = paired_block_bootstrap(y, a, b, block, roc_auc, seed=1)
    back = paired_block_bootstrap(y, b, a, block, roc_auc, seed=1)

    assert (there.estimate, there.low, there.high) == pytest.approx((-back.estimate, -back.high, -back.low))


scored = st.lists(
    st.tuples(st.booleans(), st.sampled_from([0.0, 0.2, 0.5, 0.9]), st.integers(0, 4)), min_size=1, max_size=40
)


WEIGHTED = {roc_auc: roc_auc_score, average_precision: average_precision_score}


@pytest.mark.parametrize("measure", WEIGHTED)
@given(rows=scored, drawn=st.lists(st.integers(0, 3), min_size=5, max_size=5))
def test_a_measure_without_sorting_again_is_sklearns_weighted_by_multiplicity(measure, rows, drawn):
    y, score, codes = (np.array(column) for column in zip(*rows, strict=True))
    weight = np.array(drawn)[codes]
    enough = weight[y].sum() > 0 and (measure is average_precision or weight[~y].sum() > 0)

    found = resampled(y, score, codes, measure)(np.array(drawn))

    assert found == (pytest.approx(WEIGHTED[measure](y, score, sample_weight=weight)) if enough else None)


@pytest.mark.parametrize("measure", [roc_auc, average_precision, log_loss, brier, rmse, mae, r2])
@settings(deadline=None, max_examples=20)  # 20 calls of scikit-learn an example: slow on a busy machine
@given(rows=scored, seed=st.integers(0, 5))
def test_what_is_prepared_gives_the_interval_of_the_rows_of_every_resample(measure, rows, seed):
    y, score, block = zip(*rows, strict=True)

    fast = block_bootstrap(y, score, block, measure, resamples=20, seed=seed)
    generic = block_bootstrap(y, score, block, partial(measure), resamples=20, seed=seed)

    for bound in ("estimate", "low", "high"):
        assert getattr(fast, bound) == pytest.approx(getattr(generic, bound))


def test_amounts_have_intervals_in_their_own_unit():
    """Night 1 errs by 3 in each row, night 2 by 1: a resample has an RMSE of 3, of sqrt(5), or of 1."""
    found = block_bootstrap([10.0, 20.0, 30.0, 40.0], [13.0, 17.0, 31.0, 39.0], [1, 1, 2, 2], rmse, seed=1)

    assert found == Interval(*(pytest.approx(bound) for bound in (5**0.5, 1.0, 3.0)))


def test_a_mean_weighs_blocks_by_their_values():
    """Three values of 1 on one night, one of 5 on another: the mean of both nights is 2, of one night 1 or 5."""
    found = mean_block_bootstrap([1.0, 1.0, 1.0, 5.0], ["a", "a", "a", "b"], seed=1)

    assert found == Interval(2.0, 1.0, 5.0)
    assert mean_block_bootstrap([], [], seed=1) == Interval(None, None, None)
    assert mean_block_bootstrap([1.0, 3.0], ["a", "a"], seed=1) == Interval(2.0, None, None)


def test_only_the_seed_decides_not_the_order_of_rows():
    y, score, block = nights(np.random.default_rng(4))
    shuffled = np.random.default_rng(5).permutation(len(y))

    first = block_bootstrap(y, score, block, roc_auc, seed=7)

    assert block_bootstrap(y[shuffled], score[shuffled], block[shuffled], roc_auc, seed=7) == first
    assert block_bootstrap(y, score, block, roc_auc, seed=8) != first


def test_the_name_of_a_block_does_not_matter():
    y, score, block = nights(np.random.default_rng(6), nights=9)
    dates = [dt.date(2013, 10, 1) + dt.timedelta(int(day)) for day in block]

    of_numbers, *others = (
        block_bootstrap(y, score, names, brier, resamples=50, seed=1)
        for names in (block, dates, np.array(dates, dtype="datetime64[D]"), [str(date) for date in dates])
    )

    assert others == [of_numbers] * 3


def test_intervals_over_nights_cover_and_intervals_over_rows_do_not():
    """The reason this module exists. 95% is promised; 30 nights and 60 repeats leave some room."""
    covered = {"night": 0, "row": 0}
    for repeat in range(60):
        y, score, night = nights(np.random.default_rng(repeat))
        for unit, block in (("night", night), ("row", np.arange(len(y)))):
            found = block_bootstrap(y, score, block, mean_score, resamples=100, seed=repeat)
            covered[unit] += found.low <= 0.5 <= found.high

    assert covered["night"] / 60 >= 0.85
    assert covered["row"] / 60 <= 0.6


def test_a_higher_level_is_a_wider_interval():
    y, score, block = nights(np.random.default_rng(8))
    narrow, wide = (block_bootstrap(y, score, block, roc_auc, level=level, seed=1) for level in (0.5, 0.99))

    assert wide.low < narrow.low < narrow.estimate < narrow.high < wide.high


@pytest.mark.parametrize(
    ("y", "block", "estimate"),
    [
        ([], [], None),
        ([1, 1, 1, 1], [1, 1, 2, 2], None),  # one class
        ([0, 1, 0, 1], [1, 1, 1, 1], 1.0),  # one night
        ([0, 1, 0, 0], [1, 1, 2, 2], 1.0),  # a quarter of the resamples have no positive
    ],
)
def test_no_bounds_without_evidence(y, block, estimate):
    score = np.array(y) * 0.5
    assert block_bootstrap(y, score, block, roc_auc, seed=1) == Interval(estimate, None, None)
    assert paired_block_bootstrap(y, score, score, block, roc_auc, seed=1).low is None


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"block": [1, 1]}, "beside 3 rows"),
        ({"block": [1, 2, np.nan]}, "missing in some rows"),
        ({"block": np.array(["2013-10-01", "NaT", "2013-10-02"], dtype="datetime64[D]")}, "missing in some rows"),
        ({"block": [dt.date(2013, 10, 1), None, dt.date(2013, 10, 2)]}, "misses values"),
        ({"level": 95}, "level is 95"),
        ({"resamples": 0}, "resamples is 0"),
        ({"score": [0.1, 0.2, np.nan]}, "score holds nan"),
        ({"y": [0, 1, 2]}, "y holds 2.0"),
        ({"y": [0, 1, np.inf], "measure": rmse}, "y holds inf"),
    ],
)
def test_unusable_requests_are_refused(changed, says):
    request = {"y": [0, 1, 1], "score": [0.1, 0.2, 0.3], "block": [1, 2, 3], "measure": roc_auc, "seed": 1}
    with pytest.raises(LearningError, match=says):
        block_bootstrap(**(request | changed))
