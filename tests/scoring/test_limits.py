"""Which rows of a night have numbers that are too great, told piece by piece."""

from itertools import pairwise

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from nightjar.models.columns import FeatureColumn
from nightjar.scoring.limits import describe_extremes

FEATURES = (FeatureColumn("load", "number"), FeatureColumn("site", "category"), FeatureColumn("heat", "number"))
NUMBERS = st.lists(st.sampled_from([None, 1.0, -1e300, float("inf"), float("nan"), 1e39]), min_size=1, max_size=12)


def rows(load):
    names = [f"m{number}" for number in range(len(load))]
    return pa.table({"machine": names, "load": pa.array(load, pa.float64()), "site": names, "heat": np.ones(len(load))})


def test_each_feature_is_named_with_some_of_its_values_and_keys():
    told = describe_extremes([rows([1.0, float("inf"), None, -1e300])], FEATURES, ["machine"])
    assert told == "load is too great in 2 of 4 rows: load=inf at machine=m1; load=-1e+300 at machine=m3. "


@given(NUMBERS, st.lists(st.integers(0, 12), max_size=4))
def test_it_is_the_same_however_the_rows_come_in_pieces(load, cuts):
    """So that no more than a piece of a night is in memory."""
    whole, ends = rows(load), sorted({0, *(cut for cut in cuts if cut < len(load)), len(load)})
    pieces = [whole.slice(start, stop - start) for start, stop in pairwise(ends)]
    assert describe_extremes(iter(pieces), FEATURES, ["machine"]) == describe_extremes([whole], FEATURES, ["machine"])
