"""Summaries that are counted in parts are those of the whole."""

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightjar.errors import LearningError
from nightjar.evaluation.histograms import fit_bins
from nightjar.evaluation.summaries import merge, summarise

NUMBERS = st.lists(st.none() | st.floats(-1e6, 1e6) | st.sampled_from([math.nan, math.inf, -math.inf]), max_size=30)


@given(NUMBERS, NUMBERS)
def test_numbers_of_two_parts(one, other):
    whole, bins = pa.array([*one, *other], pa.float64()), fit_bins(pa.array([0.0, 1.0, 2.0]))
    parts = [summarise(bins, pa.array(part, pa.float64())) for part in (one, other)]
    found, values = merge(parts), np.array([x for x in whole.to_pylist() if x is not None])
    finite = values[np.isfinite(values)] if len(values) else values
    assert (found.rows, found.nulls) == (len(whole), len(whole) - int((~np.isnan(values)).sum() if len(values) else 0))
    assert (found.infinite, found.finite) == (int(np.isinf(values).sum()) if len(values) else 0, len(finite))
    assert sum(found.counts) == len(whole)
    if len(finite):
        assert found.mean == pytest.approx(finite.mean(), rel=1e-9, abs=1e-6)
        assert (found.least, found.greatest) == (finite.min(), finite.max())
    else:
        assert (found.mean, found.least, found.greatest) == (None, None, None)
    if len(finite) > 1:
        assert found.std == pytest.approx(np.std(finite, ddof=1), rel=1e-6, abs=1e-6)
    else:
        assert found.std is None


def test_texts_have_counts_alone_and_booleans_are_0_and_1():
    bins = fit_bins(pa.array(["a", "a", "b"]))
    found = summarise(bins, pa.array(["c", None, "a"]))
    assert (found.rows, found.nulls, found.mean, found.counts) == (3, 1, None, (1, 1, 0, 1))
    flags = pa.array([True, False, True, None])
    assert summarise(fit_bins(flags), flags).mean == pytest.approx(2 / 3)
    with pytest.raises(LearningError, match="cannot be counted"):
        summarise(bins, pa.array([1.0]))
