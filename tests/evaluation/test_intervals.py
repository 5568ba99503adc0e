from functools import partial
from math import comb

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from evaluation.measuring import PARAMETERS, arguments, call
from nightjar.errors import LearningError
from nightjar.evaluation.binary import average_precision, brier, gini, ks, log_loss, roc_auc
from nightjar.evaluation.clusters import Clusters, blocks_of, blocks_within, overlap
from nightjar.evaluation.confusion import f_beta, recall
from nightjar.evaluation.gains import gain, lift
from nightjar.evaluation.inference import OF_ROWS
from nightjar.evaluation.influence import of_mean
from nightjar.evaluation.intervals import Interval, Scale, interval
from nightjar.evaluation.metric_report import Truth, difference, figure, intervals, mean_interval
from nightjar.evaluation.multiclass import top_label, top_label_calibration_error
from nightjar.evaluation.recalibration import calibration_intercept, calibration_slope
from nightjar.evaluation.regression import mae, r2, rmse, smape
from nightjar.evaluation.reliability import expected_calibration_error, resolution, uncertainty
from nightjar.evaluation.rows import Undefined
from nightjar.settings.task import Task
from oracles import intervals as oracle
from oracles.metrics import gap

DERIVED = [measure for measure in OF_ROWS if measure not in (gain, lift)]  # at whose border a rate is estimated
BOUNDED = {  # the groups of rows that it cannot do without, how many rows are compared at once, and the scale
    roc_auc: ("both", 2, Scale.LOGIT),
    gini: ("both", 2, Scale.CORRELATION),
    average_precision: ("positive", 3, Scale.LOGIT),
    recall: ("positive", 1, Scale.LOGIT),
    log_loss: ("all", 1, Scale.LOG),
    brier: ("all", 1, Scale.LOGIT),
    rmse: ("all", 1, Scale.LOG),
    mae: ("all", 1, Scale.LOG),
    r2: ("all", 2, Scale.PLAIN),
}
SLOW = settings(deadline=None, max_examples=15)  # calls of scikit-learn for every row: slow on a busy machine
ROW = st.tuples(
    st.booleans(),
    st.sampled_from([0.1, 0.2, 0.5, 0.9]),  # few, so that they tie
    st.integers(0, 4),
    st.integers(0, 4),
    st.sampled_from([0.5, 1.0, 3.0]),
)
ROWS = st.lists(ROW, min_size=4, max_size=30)


def columns(rows):
    label, score, entity, block, weight = (np.array(column) for column in zip(*rows, strict=True))
    return label.astype(float), score, Clusters(entity, block, 0.2), weight


def parts(measure, label, weight):
    groups = {"all": [weight], "positive": [weight * label], "both": [weight * label, weight * (1 - label)]}
    return groups[BOUNDED[measure][0]]


def influences(measure, label, score, weight):
    columns = (np.asarray(one, float) for one in arguments(measure, label, score))
    return OF_ROWS[measure].influence(*columns, weight, **PARAMETERS.get(measure, {})).values


def bounds(result):
    return result.low, result.high


@pytest.mark.slow
@pytest.mark.parametrize("measure", DERIVED, ids=lambda one: one.__name__)
@SLOW
@given(ROWS)
def test_influences_are_derivatives_by_weights(measure, rows):
    label, score, _, weight = columns(rows)
    if isinstance(call(measure, label, score, weight), Undefined):
        return
    if measure is ks:
        gaps = np.sort(np.abs(gap(label, score, weight)))
        assume(gaps[-1] > 1e-3 and (len(gaps) == 1 or gaps[-1] - gaps[-2] > 1e-3))  # no kink
    if measure in (expected_calibration_error, top_label_calibration_error):
        classes, scores = arguments(measure, label, score)
        outcome, top = (classes, scores) if scores.ndim == 1 else top_label(classes.astype(int), scores)
        rates = [np.average(outcome[top == one], weights=weight[top == one]) - one for one in set(top)]
        assume(np.abs(rates).min() > 1e-3)  # no kink
    values = influences(measure, label, score, weight)
    expected = oracle.influences(partial(call, measure), label, score, weight)
    assert values == pytest.approx(expected, rel=1e-3, abs=1e-6)
    assert values.sum() == pytest.approx(0, abs=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("measure", BOUNDED, ids=lambda one: one.__name__)
@settings(deadline=None, max_examples=40)
@given(ROWS)
def test_intervals_are_those_of_the_definition(measure, rows):
    label, score, clusters, weight = columns(rows)
    truth = Truth(Task.CLASSIFICATION, label, clusters, weight=weight)
    actual = figure(measure, truth, arguments(measure, label, score)[1])
    estimate = call(measure, label, score, weight)
    if isinstance(estimate, Undefined):
        assert actual == Interval(None, None, None, 0, estimate.reason)
        return
    groups, degree, scale = BOUNDED[measure]
    ways = (parts(measure, label, weight), clusters.entity, clusters.block)
    assert (actual.estimate, actual.rows) == (estimate, label.sum() if groups == "positive" else len(label))
    values = influences(measure, label, score, weight)
    expected = oracle.variance_and_freedom(values, *ways, overlap=0.2, degree=degree)
    all_the_same = expected is not None and expected[0] <= (1e-9 * (abs(estimate) + abs(values).sum())) ** 2
    is_open = scale in (Scale.PLAIN, Scale.LOG)
    if expected is None or (all_the_same and is_open):
        assert bounds(actual) == (None, None)
        assert actual.reason
        return
    assert actual.reason is None
    if all_the_same:
        least = -1 if scale is Scale.CORRELATION else 0
        limits = oracle.bounds_of_equals(estimate, oracle.least_effective(*ways), least, 1)
    else:
        low, high = oracle.bounds(estimate, *expected, scale.value)
        limits = low, min(high, OF_ROWS[measure].most())
    assert (actual.low, actual.high) == pytest.approx(limits)


def shops(random, *, entities=40, nights=30):
    """Scores that say something, of entities and nights with chances of their own."""
    entity, night = (one.ravel() for one in np.mgrid[:entities, :nights])
    of_entity, of_night = random.normal(0, 0.7, entities), random.normal(0, 0.7, nights)
    chance = 1 / (1 + np.exp(1 - of_entity[entity] - of_night[night]))
    return random.random(len(entity)) < chance, chance**2, entity, night


@pytest.mark.parametrize(
    "measure",
    [roc_auc, log_loss, gain, ks, f_beta, calibration_intercept, calibration_slope],
    ids=lambda one: one.__name__,
)
def test_one_way_has_the_variance_of_a_bootstrap_over_its_clusters(measure):
    """What is computed once is what drawing entities with all their rows, many times, tends to."""
    random = np.random.default_rng(1)
    label, score, entity, _ = shops(random)
    values = influences(measure, label, score, np.ones(len(label)))
    drawn = oracle.bootstrap_variance(partial(call, measure), label, score, entity, 250, random)
    assert oracle.squares(values, entity) == pytest.approx(drawn, rel=0.25)


def test_entities_that_repeat_make_an_interval_wide_and_so_do_nights():
    """Rows by themselves, or one way alone, would promise far too much."""
    label, score, entity, night = shops(np.random.default_rng(2))
    row = np.arange(len(label))

    def width(*clusters):
        result = intervals(Truth(Task.CLASSIFICATION, label, Clusters(*clusters)), score)["log_loss"]
        return result.high - result.low

    rows, entities, nights, both = width(row, row), width(entity, row), width(row, night), width(entity, night)
    assert rows < min(entities, nights) / 1.2
    assert max(entities, nights) < both < 1.1 * np.hypot(entities, nights)


@pytest.mark.parametrize(
    ("entities", "blocks", "bounded"), [(9, 9, True), (9, 2, True), (2, 9, True), (2, 2, False), (1, 1, False)]
)
def test_a_way_with_fewer_than_three_clusters_does_not_count(entities, blocks, bounded):
    value, row = np.random.default_rng(3).random(90), np.arange(90)
    result = mean_interval(value, Clusters(row % entities, row // 10 % blocks))
    assert (result.low is not None) == bounded
    if entities < 3 <= blocks:
        assert result == mean_interval(value, Clusters(np.zeros(90, int), row // 10 % blocks))


@pytest.mark.parametrize(
    "label",
    [[], [1, 1, 1, 1]],  # no rows, one class
)
def test_no_bounds_without_evidence(label):
    rows = np.arange(len(label))
    truth = Truth(Task.CLASSIFICATION, np.array(label), Clusters(rows, rows))
    reason = "all of the 4 rows are positive" if label else "there are no rows"
    assert intervals(truth, 0.5 * np.array(label))["roc_auc"] == Interval(None, None, None, 0, reason)


def of_equals(number, score, other):
    """The difference in ROC AUC of scores of a positive and a negative row in each of so many entities and nights."""
    of_row = np.repeat(np.arange(number), 2)
    truth = Truth(Task.CLASSIFICATION, np.tile([0.0, 1.0], number), Clusters(of_row, of_row))
    return difference(roc_auc, truth, np.tile(score, number), np.tile(other, number))


@pytest.mark.parametrize("number", range(3, 13))
def test_few_clusters_that_all_say_the_same_prove_nothing(number):
    """All right against all tied. With the chance comb(2 n, n) of n positive and n negative rows noise is as right."""
    better = of_equals(number, [0.1, 0.9], [0.5, 0.5])
    assert better.estimate == 0.5
    assert better.low < 0.5 < better.high <= 1
    assert (better.low > 0) == (number >= 10)
    if better.low > 0:
        assert 1 / comb(2 * number, number) < 0.025
    same, worst = of_equals(number, [0.1, 0.9], [0.2, 0.8]), of_equals(number, [0.9, 0.1], [0.1, 0.9])
    assert same.estimate == 0
    assert same.low == -same.high < 0
    assert (worst.estimate, worst.low) == (-1, -1)


def test_all_nights_right_hold_as_often_as_they_say():
    """Nights all of whose rows are right or wrong: where the chance of right ones is at the bound, so few are all right
    2.5% of the time. Of amounts there is no bound: the next error may be any.
    """
    for number in (3, 10, 28):
        row = np.arange(number)
        right = intervals(Truth(Task.CLASSIFICATION, np.ones(number), Clusters(row, row)), np.ones(number))["brier"]
        assert (right.estimate, right.low) == (0, 0)
        assert (1 - right.high) ** number == pytest.approx(0.025)
        exact = intervals(Truth(Task.REGRESSION, np.arange(number), Clusters(row, row)), np.arange(number))
        assert {(one.low, one.high) for one in exact.values()} == {(None, None)}


def test_a_class_that_few_blocks_or_entities_have_says_nothing_about_others():
    """Nine positives in two nights of nine, or of two entities of nine: whatever else is known, that is an anecdote."""
    row = np.arange(90)
    score = np.random.default_rng(4).random(90)
    for clusters in (Clusters(row, row // 10), Clusters(row // 10, row)):
        few = Truth(Task.CLASSIFICATION, (row < 20) & (row % 2 == 0), clusters)
        assert intervals(few, score)["roc_auc"].low is None
        assert intervals(few, score)["brier"].low is not None
        enough = Truth(Task.CLASSIFICATION, (row < 30) & (row % 2 == 0), clusters)
        assert intervals(enough, score)["roc_auc"].low is not None


def test_a_difference_is_of_the_same_rows_and_turns_its_sign_with_the_models():
    label, score, entity, night = shops(np.random.default_rng(5))
    truth = Truth(Task.CLASSIFICATION, label, Clusters(entity, night))
    other = np.clip(score + np.random.default_rng(6).normal(0, 0.03, len(score)), 0, 1)
    there, back = (difference(roc_auc, truth, *pair) for pair in ((score, other), (other, score)))
    assert (there.estimate, there.low, there.high) == pytest.approx((-back.estimate, -back.high, -back.low))
    alone = intervals(truth, score)["roc_auc"]
    assert there.high - there.low < (alone.high - alone.low) / 2
    equal = difference(mae, Truth(Task.REGRESSION, score, truth.clusters), score, score)
    reason = "it is the same in all entities and blocks, which sets no bounds for others"
    assert equal == Interval(0, None, None, len(score), reason)
    rounded = np.where(entity < 20, score, score + 4e-16)
    almost = difference(mae, Truth(Task.REGRESSION, 0 * score, truth.clusters), score, rounded)
    assert -1e-15 < almost.estimate <= 0
    assert almost.high is None


def test_three_nights_by_hand():
    """Means 1, 2, 6 of nights of two rows: mean 3, sums of influences (-2, -1, 3) / 3; V = 14 / 9 * 3 / 2; t(2) = 4.3.

    The 6 rows by themselves give V = 28 / 36 * 6 / 5; taken for what both ways count, it goes off both.
    """
    value = np.array([1.0, 1, 2, 2, 6, 6])
    result = interval(3.0, *_mean_of(value, [0, 0, 1, 1, 2, 2]), Scale.PLAIN)
    assert result.high - 3 == pytest.approx(4.302653 * (14 / 9 * 3 / 2) ** 0.5)


def _mean_of(value, block):
    return of_mean(value, None), Clusters(np.arange(len(value)), np.array(block))


def test_blocks_are_as_long_as_they_must_be_and_equal():
    assert [blocks_within(days, 30) for days in (28, 30, 59, 60, 100)] == [1, 1, 1, 2, 3]
    day = np.arange("2024-03-01", "2024-03-11", dtype="datetime64[D]")
    of_three = blocks_of(day, day[0].item(), day[-1].item(), 3)
    assert of_three.tolist() == [0, 0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert blocks_of(day[[0, 4, 9]], day[0].item(), day[-1].item(), 1).tolist() == [0, 4, 9]


@given(st.integers(1, 9), st.integers(1, 4), st.integers(3, 8), st.sampled_from([1, 2, 7]))
def test_what_overlapping_outcomes_hide_from_blocks_is_made_up_for(shared, more, number, apart):
    """Shocks of single days that each move as many days as a block has at least, with a row every so many days: the
    squared sums, stretched, are on average the variance of the whole: counted with covariances, for which no formula is
    needed.
    """
    length = shared + more - 1
    nights = length * number
    lag = np.abs(np.subtract.outer(np.arange(nights), np.arange(nights)))
    covariance = np.maximum(0, shared - lag)
    member = np.repeat(np.eye(number), length, axis=1)
    centred = member @ (np.eye(nights) - 1 / nights)
    squared = np.trace(centred @ covariance @ centred.T)
    assume(blocks_within(nights, shared) == number)
    share = overlap(nights * apart, shared * apart, nights)
    stretch = (number - share) / (number * (1 - share) - (1 - share / number))
    assert squared * stretch == pytest.approx(covariance.sum())


@pytest.mark.parametrize("unit", [1e-200, 1e30, 1e80, 1e160])
def test_amounts_of_any_size_have_the_intervals_of_their_unit(unit):
    """Neither their squares nor the squares of those overflow, or vanish."""
    random = np.random.default_rng(7)
    label, clusters = random.normal(size=60), Clusters(np.arange(60) % 7, np.arange(60) // 10)
    score = label + random.normal(size=60)
    small, great = (intervals(Truth(Task.REGRESSION, one * label, clusters), one * score) for one in (1.0, unit))
    for name, of in small.items():
        by, actual = 1 if name in ("r2", "mape", "smape") else unit, great[name]
        scaled = (actual.estimate / by, actual.low / by, actual.high / by)
        assert scaled == pytest.approx((of.estimate, of.low, of.high))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("measure", "most", "label", "score"),
    [
        (resolution, 0.25, [0, 1, 0, 1, 1, 0, 0, 1, 0, 1], [0.5, 0.5, 0.5, 0.5, 0.5, 0.2, 0.2, 0.2, 0.2, 0.2]),
        (uncertainty, 0.25, [1, 1, 1, 1, 1, 1, 0, 0, 0, 0], [0.5] * 10),
        (lift, 1 / 0.3, [1, 0, 0, 0, 1, 0, 0, 0, 1, 0], [9, 1, 2, 3, 8, 7, 4, 5, 6, 0]),
        (smape, 2, [1, 1, 1, 1, 1, 1, 1, 1, 1, 1], [-1, -1, -1, -1, -1, 1, 9, 9, 9, 9]),
        (r2, 1, np.arange(10), [0, 1, 2, 3, 4, 5, 9, 6, 8, 5]),
    ],
    ids=lambda one: getattr(one, "__name__", ""),
)
def test_no_bound_is_beyond_the_greatest_value(measure, most, label, score):
    truth = Truth(Task.CLASSIFICATION, np.array(label, float), Clusters(np.arange(10), np.arange(10) // 3))
    result = figure(measure, truth, np.array(score, float), **PARAMETERS.get(measure, {}))
    assert result.low < result.estimate < result.high == most


def test_scores_in_one_bin_resolve_nothing():
    label = np.random.default_rng(0).random(100) < 0.3
    weight = np.random.default_rng(1).random(100)
    assert resolution(label, np.full(100, 0.1), weight) == 0


def test_rows_without_an_entity_or_a_block_are_refused():
    with pytest.raises(LearningError, match="each row belongs to one entity and to one block"):
        Clusters(np.arange(3), np.arange(2))
