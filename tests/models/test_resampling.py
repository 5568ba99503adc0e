import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nightjar.errors import LearningError
from nightjar.models.resampling import resampled
from nightjar.settings.preparation import Imbalance, ImbalanceKind

CHANGES_ROWS = [kind for kind in ImbalanceKind if kind not in (ImbalanceKind.NONE, ImbalanceKind.CLASS_WEIGHT)]


def rows_of(positives, negatives, seed=0):
    """Inputs of two columns, two mixed clouds; labels in any order."""
    random = np.random.default_rng(seed)
    label = random.permutation(np.arange(positives + negatives) < positives)
    return random.normal(size=(len(label), 2)) + label[:, None], label


def test_nothing_is_done_unless_asked_for():
    inputs, label = rows_of(2, 8)
    weight = np.arange(10.0)

    assert resampled(inputs, label, weight, Imbalance(), 0) == (inputs, label, weight)


@pytest.mark.parametrize(
    ("label", "weight", "ratio", "expected"),
    [
        ([1, 0, 0, 0], None, 1.0, [2, 2 / 3, 2 / 3, 2 / 3]),
        ([0, 1, 1, 1], None, 1.0, [2, 2 / 3, 2 / 3, 2 / 3]),
        ([1, 0, 0, 0, 0], None, 0.5, [5 / 3, 5 / 6, 5 / 6, 5 / 6, 5 / 6]),
        ([1, 0, 0], [2.0, 4.0, 4.0], 1.0, [5, 2.5, 2.5]),
        ([1, 0, 0], [4.0, 1.0, 1.0], 0.1, [4, 1, 1]),
    ],
)
def test_class_weights_reach_the_ratio_and_keep_the_sum(label, weight, ratio, expected):
    """The lighter class by weight, not by rows; classes nearer than the ratio stay."""
    settings = Imbalance(ImbalanceKind.CLASS_WEIGHT, ratio)
    given_weight = None if weight is None else np.array(weight)

    _, _, found = resampled(np.zeros((len(label), 1)), np.array(label, bool), given_weight, settings, 0)

    np.testing.assert_allclose(found, expected)


@pytest.mark.parametrize("kind", CHANGES_ROWS, ids=lambda one: one.value)
@settings(deadline=None, max_examples=20)
@given(rarer=st.integers(8, 12), other=st.integers(40, 60), ratio=st.sampled_from([0.5, 1.0]), turned=st.booleans())
def test_classes_come_as_near_as_asked_and_given_rows_keep_order_and_weight(kind, rarer, other, ratio, turned):
    """Which class is the rarer one is seen from the rows. ADASYN rounds the rows it makes at each neighbour."""
    inputs, label = rows_of(rarer, other)
    label = ~label if turned else label
    weight = np.arange(1.0, len(label) + 1)

    more, labels, weights = resampled(inputs, label, weight, Imbalance(kind, ratio), seed=3)

    counts = np.sort(np.bincount(labels))
    assert len(more) == len(labels) == len(weights)
    assert counts[0] / counts[1] == pytest.approx(ratio, abs=0.15 if kind is ImbalanceKind.ADASYN else 0.03)
    numbers = {tuple(row): number for number, row in enumerate(inputs)}
    origin = [numbers.get(tuple(row)) for row in more]
    if kind is ImbalanceKind.UNDER:
        assert origin == sorted(set(origin))
    else:
        assert origin[: len(label)] == list(range(len(label)))
        assert set(labels[len(label) :]) == {labels[len(label)]} == {not turned}
    for row, number in enumerate(origin):
        if number is None:
            assert weights[row] == pytest.approx(weight[label == labels[row]].mean())
        else:
            assert (weights[row], labels[row]) == (weight[number], label[number])


@pytest.mark.parametrize("kind", CHANGES_ROWS, ids=lambda one: one.value)
def test_the_seed_decides(kind):
    inputs, label = rows_of(12, 60)

    once, again, other = (resampled(inputs, label, None, Imbalance(kind), seed)[0] for seed in (1, 1, 2))

    np.testing.assert_array_equal(once, again)
    assert once.shape != other.shape or not np.array_equal(once, other)


@pytest.mark.parametrize("kind", CHANGES_ROWS, ids=lambda one: one.value)
def test_classes_that_are_near_already_are_left_alone(kind):
    inputs, label = rows_of(30, 40)

    assert resampled(inputs, label, None, Imbalance(kind, ratio=0.5), 0) == (inputs, label, None)


def test_made_rows_lie_between_rows_of_the_rarer_class():
    """Two of them, so one neighbour rather than five: what is made lies on the line between the two."""
    inputs = np.array([[0.0, 0.0], [4.0, 8.0], *[[9.0, 9.0]] * 10])
    label = np.arange(12) < 2

    made = resampled(inputs, label, None, Imbalance(ImbalanceKind.SMOTE), 0)[0][12:]

    assert len(made) == 8
    np.testing.assert_allclose(made[:, 1], made[:, 0] * 2)
    assert ((made[:, 0] >= 0) & (made[:, 0] <= 4)).all()


@pytest.mark.parametrize(
    ("kind", "inputs", "label", "message"),
    [
        ("SMOTE", [[0.0]] * 4, [True, False, False, False], "the rarer class has 1 row only"),
        ("ADASYN", [[0.0]] * 4, [True, False, False, False], "the rarer class has 1 row only"),
        ("SMOTE", [[0.0], [np.nan], [1.0], [1.0], [1.0]], [True, True, False, False, False], "nulls: found some in 1"),
        ("ADASYN", [[0.0]] * 3 + [[9.0]] * 9, [True] * 3 + [False] * 9, "ADASYN can make no row between 3"),
        ("OVER", [[0.0]] * 3, [False] * 3, "All 3 training rows are of one class"),
        ("UNDER", [[0.0]] * 2, [0.5, 1.5], "the labels are float64, expected booleans"),
    ],
)
def test_rows_that_cannot_be_evened_out_are_refused(kind, inputs, label, message):
    with pytest.raises(LearningError, match=message):
        resampled(np.array(inputs), np.array(label), None, Imbalance(ImbalanceKind[kind]), 0)
