"""What the features of training rows were travels with the model, but for what nobody is to see."""

import json
from dataclasses import asdict

import pyarrow as pa
import pytest

from nightjar.models.columns import FeatureColumn
from nightjar.registry.ranges import MOST_LEVELS, FeatureRange, ranges_of, read_range

LOAD, SITE = FeatureColumn("load", "number"), FeatureColumn("site", "category")


def test_ranges_come_back_from_json_as_they_were():
    rows = pa.table({"load": [1.25, None, 3.5], "site": ["south", "north", None]})
    ranges = ranges_of(rows, [LOAD, SITE])
    assert ranges == (
        FeatureRange("load", 1.25, 3.5, None, has_missing=True),
        FeatureRange("site", None, None, ("north", "south"), has_missing=True),
    )
    assert tuple(read_range(one) for one in json.loads(json.dumps([asdict(one) for one in ranges]))) == ranges


@pytest.mark.parametrize(
    ("numbers", "low", "high"),
    [([1234.5, 98765.0], 1200, 99000), ([-1234.5, -0.0123], -1300, -0.012), ([0.0, 5.0], 0, 5)],
)
def test_of_hidden_features_no_value_of_a_row_is_stored(numbers, low, high):
    (own,) = ranges_of(pa.table({"load": numbers}), [LOAD], hidden=["load"])
    assert (own.low, own.high) == (pytest.approx(low), pytest.approx(high))
    assert not own.outside(pa.table({"load": numbers})).any()
    (site,) = ranges_of(pa.table({"site": ["Old Town"]}), [SITE], hidden=["site"])
    assert site.levels is None
    assert site.outside(pa.table({"site": ["elsewhere", None]})).tolist() == [False, True]


@pytest.mark.parametrize("number", [0.026, 0.35, -0.35, -0.026])
def test_rounding_errors_leave_no_training_row_of_a_hidden_feature_outside(number):
    (own,) = ranges_of(pa.table({"load": [number]}), [LOAD], hidden=["load"])
    assert own.low <= number <= own.high


def test_of_many_levels_and_of_columns_without_any_value_nothing_but_missing_is_outside():
    many = pa.table({"site": [f"s{one}" for one in range(MOST_LEVELS + 1)]})
    (site,) = ranges_of(many, [SITE])
    assert site.outside(pa.table({"site": ["new", None]})).tolist() == [False, True]
    (load,) = ranges_of(pa.table({"load": pa.nulls(2, pa.float64())}), [LOAD])
    assert load.outside(pa.table({"load": [1e9, None]})).tolist() == [False, False]
    (load,) = ranges_of(pa.table({"load": [1.0, 2.0]}), [LOAD])
    assert load.outside(pa.table({"load": pa.nulls(1)})).tolist() == [True]  # Arrow's type of no value at all
