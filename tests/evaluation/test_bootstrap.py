"""Resamples of whole blocks: each one is what scikit-learn gives for its rows, repeated as often as they are drawn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nightjar.errors import LearningError
from nightjar.evaluation import bootstrap
from nightjar.evaluation.binary import average_precision, log_loss, roc_auc
from nightjar.evaluation.bootstrap import draw_blocks, resample
from nightjar.evaluation.rows import Undefined
from nightjar.settings.task import Metric
from oracles.metrics import resampled

OF = {Metric.ROC_AUC: roc_auc, Metric.AVERAGE_PRECISION: average_precision, Metric.LOG_LOSS: log_loss}
ROW = st.tuples(
    st.booleans(),
    st.sampled_from([0.0, 0.1, 0.2, 0.5, 1.0]),  # few, so that they tie
    st.integers(0, 3),
    st.booleans(),
    st.sampled_from([0.0, 0.5, 1.0, 3.0]),
)


@settings(deadline=None, max_examples=40)
@given(st.lists(ROW, max_size=25), st.integers(0, 99), st.integers(1, 4))
def test_every_resample_is_that_of_its_rows(rows, seed, steps):
    """The steps are so few at once that what one batch leaves to the next one counts."""
    columns = [np.array(column) for column in zip(*[*rows, (True, 0.5, 0, True, 1.0)], strict=True)]
    label, score, block, chosen, weight = columns
    times = draw_blocks(4, 6, seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bootstrap, "_STEPS", steps)
        result = resample(label, score, block, times, {"all": chosen | True, "some": chosen}, weight)
    for name, which in (("all", chosen | True), ("some", chosen)):
        for metric, measure in OF.items():
            actual = result[name][metric]
            part = [column[which] for column in (label, score, block)]
            expected = resampled(measure, *part, times, weight[which])
            has_value = [one is not None and not isinstance(one, Undefined) for one in expected]
            assert actual.is_defined.tolist() == has_value
            assert (actual.undefined is None) == all(has_value)
            defined = [one for one, is_one in zip(expected, has_value, strict=True) if is_one]
            assert actual.values == pytest.approx(defined, rel=1e-12, abs=1e-12)


def test_what_a_resample_lacks_is_told():
    """Positives only in night 0, negatives only in night 1; the second draw has night 0 alone, the third night 1."""
    times = np.array([[1.0, 1], [2, 0], [0, 2]])
    result = resample([1, 1, 0], [0.9, 0.4, 0.5], np.array([0, 0, 1]), times, {"all": np.ones(3, bool)})["all"]
    assert result[Metric.ROC_AUC].values.tolist() == [0.5]
    assert result[Metric.ROC_AUC].undefined == Undefined("the blocks that were drawn have rows of one class only")
    assert result[Metric.AVERAGE_PRECISION].is_defined.tolist() == [True, True, False]
    assert result[Metric.LOG_LOSS].undefined is None


def test_draws_are_of_as_many_blocks_as_there_are_and_the_same_for_a_seed():
    times = draw_blocks(90, 1000, seed=3)
    assert (times.sum(axis=1) == 90).all()
    assert times.mean(axis=0) == pytest.approx(1, abs=0.2)
    assert (times == draw_blocks(90, 1000, seed=3)).all()


@pytest.mark.parametrize(
    ("block", "chosen", "says"),
    [
        ([0, 1], [True], "late has 1 rows beside 2 scores: each row needs its own"),
        ([0], [True, True], "block has 1 rows beside 2 scores"),
        ([0, 3], [True, True], "Blocks are numbered 0 to 3, but the resamples draw from 2"),
    ],
)
def test_blocks_and_slices_of_other_rows_are_refused(block, chosen, says):
    with pytest.raises(LearningError, match=says):
        resample([1, 0], [0.9, 0.4], np.array(block), draw_blocks(2, 3, 0), {"late": np.array(chosen)})
