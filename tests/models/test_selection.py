import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nightjar.errors import LearningError
from nightjar.models.preprocessing.selection import selection_step
from nightjar.settings.preparation import Selection, SelectionKind
from nightjar.settings.task import Task
from oracles.preparation import without_correlation, without_inflation

RANDOM = np.random.default_rng(0)
SIGNAL, OTHER, NOISE = RANDOM.normal(size=(3, 300))
LATE = SIGNAL + OTHER / 2 + RANDOM.normal(size=300) / 4
MIXED = np.column_stack([NOISE, SIGNAL, np.ones(300), OTHER])
RANKING_KINDS = ("MUTUAL_INFORMATION", "ANOVA", "RFE", "TREE_IMPORTANCE")


def selected_columns(kind, inputs, label=LATE > 0, task=Task.CLASSIFICATION, **fields):
    """The numbers of the columns that are left."""
    step = selection_step(Selection(SelectionKind[kind], **fields), task, seed=0).fit(np.array(inputs, float), label)
    assert step.get_feature_names_out([str(at) for at in range(len(step.kept_))]).tolist() == [
        str(at) for at in np.flatnonzero(step.kept_)
    ]
    return np.flatnonzero(step.kept_).tolist()


@pytest.mark.parametrize("kind", RANKING_KINDS)
@pytest.mark.parametrize("task", Task, ids=lambda one: one.value)
def test_what_ranks_columns_finds_those_that_tell_something(kind, task):
    """Noise and a constant are left out, for classes and for amounts; the order of columns stays."""
    classes = {Task.CLASSIFICATION: LATE > 0, Task.MULTICLASS: np.digitize(LATE, [-1, 1])}
    label = classes.get(task, LATE)

    assert selected_columns(kind, MIXED, label, task, keep=1) == [1]
    assert selected_columns(kind, MIXED, label, task, keep=2) == [1, 3]
    assert selected_columns(kind, MIXED, label, task, keep=99) == [0, 1, 2, 3]


def test_chi_squared_finds_the_columns_that_depend_on_the_class():
    counts = np.column_stack([np.ones(300), np.where(LATE > 0, 5, 1), np.arange(300) % 2])

    assert selected_columns("CHI_SQUARED", counts, keep=1) == [1]
    with pytest.raises(LearningError, match=r"prepared column 1 \(the first is 0\) holds -4"):
        selected_columns("CHI_SQUARED", counts - [0, 5, 0], keep=1)


@pytest.mark.parametrize("task", [Task.CLASSIFICATION, Task.MULTICLASS, Task.REGRESSION], ids=lambda one: one.value)
def test_a_penalty_leaves_columns_with_a_weight_whatever_their_size(task):
    classes = {Task.CLASSIFICATION: LATE > 0, Task.MULTICLASS: np.digitize(LATE, [-1, 1])}
    label = classes.get(task, LATE * 1000)

    assert selected_columns("L1", MIXED * [1000, 0.001, 1, 1], label, task, penalty=0.05) == [1, 3]
    with pytest.raises(LearningError, match=r"L1 \(penalty=10\) leaves none of the 4 prepared columns"):
        selected_columns("L1", MIXED, label, task, penalty=10)


def test_variance_is_above_the_threshold():
    """Variances 0.25, 0 (though 0.1 three times has one by rounding), 4; nulls count as the median."""
    inputs = [[0, 0.1, -2], [1, 0.1, 2], [np.nan, 0.1, -2], [0.5, 0.1, 2]]

    assert selected_columns("VARIANCE", inputs, None) == [0, 2]
    assert selected_columns("VARIANCE", inputs, None, threshold=1.0) == [2]
    with pytest.raises(LearningError, match=r"VARIANCE \(threshold=4\) leaves none of the 3 prepared columns in 4"):
        selected_columns("VARIANCE", inputs, None, threshold=4.0)


def test_the_later_one_of_a_correlated_pair_goes():
    """The third is the first upside down; the fourth is like the second, which is kept. A constant is like nothing."""
    inputs = np.column_stack([SIGNAL, OTHER, -SIGNAL, OTHER + NOISE / 100, np.ones(300)])

    assert selected_columns("CORRELATION", inputs, None) == [0, 1, 4]


def test_a_sum_of_others_is_inflated_though_it_correlates_with_neither():
    inputs = np.column_stack([SIGNAL, OTHER, SIGNAL + OTHER, NOISE, np.ones(300)])

    assert selected_columns("CORRELATION", inputs, None) == [0, 1, 2, 3, 4]
    assert selected_columns("VIF", inputs, None) == [0, 1, 3, 4]


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 10_000), threshold=st.sampled_from([0.2, 0.5, 0.9]))
def test_correlation_leaves_what_a_loop_over_pairs_leaves(seed, threshold):
    inputs = mixture(seed)

    assert selected_columns("CORRELATION", inputs, None, threshold=threshold) == without_correlation(inputs, threshold)


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 10_000), threshold=st.sampled_from([1.5, 4.0, 20.0]))
def test_inflation_leaves_what_regressions_on_all_others_leave(seed, threshold):
    inputs = mixture(seed)

    assert selected_columns("VIF", inputs, None, threshold=threshold) == without_inflation(inputs, threshold)


def mixture(seed):
    random = np.random.default_rng(seed)
    return random.normal(size=(30, 5)) @ random.normal(size=(5, 5)) + random.normal(size=5) * 10
