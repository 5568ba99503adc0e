import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nightjar.profiling.activity import facts_of, outcomes
from oracles import rhythm

FACTS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 25), st.booleans()), min_size=1, max_size=20)


def of(facts):
    pairs = np.array(facts, dtype=np.int64).reshape(-1, 2)
    return facts_of(pairs[:, 0], pairs[:, 1])


@settings(max_examples=100)
@given(facts=FACTS, within=st.integers(1, 12), horizon=st.integers(1, 12))
def test_nights_and_outcomes_are_those_that_are_counted_one_by_one(facts, within, horizon):
    days, true = [one[:2] for one in facts], [one[:2] for one in facts if one[2]]
    rows, met, true_rows = rhythm.outcomes(days, true, within, horizon)
    last = max(day for _, day in days)
    assert of(days).spine_rows(within) == len(rhythm.nights(days, within, last + 1))
    seen = outcomes(of(days), of(true), within, horizon)
    assert (seen.rows, seen.met) == (rows, pytest.approx(met / rows if rows else float("nan"), nan_ok=True))
    assert seen.true == pytest.approx(true_rows / met if met else float("nan"), nan_ok=True)
