import re
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from nightjar.errors import LearningError
from nightjar.evaluation.histograms import count, fit_bins
from nightjar.models.columns import FeatureColumn, difference, feature_columns, to_frame

TABLE = pa.table(
    {
        "seats": pa.array([180, None], pa.int16()),
        "late": pa.array([True, None]),
        "price": pa.array([Decimal("1.50"), None]),
        "carrier": pa.array(["UA", None]),
        "origin": pa.array(["JFK", None]).dictionary_encode(),
        "day": pa.array([date(2013, 1, 1), None]),
    }
)


def test_types_follow_the_schema_and_order_the_names():
    assert feature_columns(TABLE.schema, ["carrier", "late", "origin", "seats", "price"]) == (
        FeatureColumn("carrier", "category"),
        FeatureColumn("late", "number"),
        FeatureColumn("origin", "category"),
        FeatureColumn("seats", "number"),
        FeatureColumn("price", "number"),
    )


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["day"], "day is of type date32"),
        (["seats", "wings"], "features wings in"),
        (["seats", "late", "seats"], "more than once: seats"),
    ],
)
def test_columns_that_are_no_features_are_refused(names, message):
    with pytest.raises(LearningError, match=message):
        feature_columns(TABLE.schema, names)


def test_a_difference_is_a_line_for_each_column_that_does_not_fit():
    expected = [FeatureColumn(name, "number") for name in ("seats", "wings", "carrier", "day", "twice")]
    actual = pa.schema(
        [
            ("carrier", pa.string()),
            ("day", pa.date32()),
            ("seats", pa.float32()),
            ("unexpected", pa.binary()),
            ("twice", pa.int8()),
            ("twice", pa.int8()),
        ]
    )

    assert difference(expected, actual) == [
        "missing: wings (number)",
        "changed: carrier is category, expected number",
        "changed: day is date32[day], expected number",
        "repeated: twice is there 2 times",
    ]


def test_a_frame_holds_floats_and_strings():
    frame = to_frame(TABLE, feature_columns(TABLE.schema, ["seats", "late", "price", "carrier", "origin"]))

    assert frame.dtypes.astype(str).tolist() == ["float64", "float64", "float64", "object", "object"]
    assert frame.iloc[0].tolist() == [180.0, 1.0, 1.5, "UA", "JFK"]
    assert np.isnan(frame.iloc[1].astype(float)).all()


def test_nulls_of_no_type_are_those_of_any_feature():
    nulls = pa.table({"seats": pa.nulls(2), "carrier": pa.nulls(2)})
    features = [FeatureColumn("seats", "number"), FeatureColumn("carrier", "category")]

    assert difference(features, nulls.schema) == []
    typed = pa.table({"seats": pa.nulls(2, pa.int16()), "carrier": pa.nulls(2, pa.string())})
    pd.testing.assert_frame_equal(to_frame(nulls, features), to_frame(typed, features))
    with pytest.raises(LearningError, match="seats is of type null"):
        feature_columns(nulls.schema, ["seats"])


NUMBERS = {
    **{f"{sign}int{bits}": pa.array([1, None], f"{sign}int{bits}") for sign in ("", "u") for bits in (8, 16, 32, 64)},
    **{f"float{bits}": pa.array(np.array([1.5, np.nan]), f"float{bits}") for bits in (32, 64)},
    "float16": pa.array(np.array([1.5, np.nan], np.float16)),
    "boolean": pa.array([True, None]),
    **{
        str(kind): pa.array([Decimal("1.5"), None], kind)
        for kind in (pa.decimal32(5, 1), pa.decimal64(12, 1), pa.decimal128(22, 1), pa.decimal256(60, 1))
    },
}
TEXTS = {str(kind): pa.array(["a", None], kind) for kind in (pa.string(), pa.large_string(), pa.string_view())}
OTHERS = {
    "null": pa.nulls(2),
    "date": pa.array([date(2013, 1, 1), None]),
    "time": pa.array([time(1), None]),
    "instant": pa.array([datetime(2013, 1, 1, tzinfo=UTC), None]),
    "duration": pa.array([timedelta(1), None]),
    "interval": pa.array([(1, 2, 3), None], pa.month_day_nano_interval()),
    "binary": pa.array([b"a", None]),
    "list": pa.array([[1.0], None]),
    "struct": pa.array([{"a": 1.0}, None]),
    "map": pa.array([[("a", 1.0)], None], pa.map_(pa.string(), pa.float64())),
}


@pytest.mark.parametrize("name", [*NUMBERS, *TEXTS])
def test_what_a_model_takes_has_a_histogram(name):
    """A model whose references cannot be made would be registered for nothing."""
    plain = (NUMBERS | TEXTS)[name]
    coded = pa.DictionaryArray.from_arrays(pa.array([0, None]), plain.slice(0, 1))
    for column in [plain] if name == "string_view" else [plain, coded]:  # Arrow decodes no dictionary of views
        (feature,) = feature_columns(pa.schema([("x", column.type)]), ["x"])
        assert feature.type == ("number" if name in NUMBERS else "category")
        assert to_frame(pa.table({"x": column}), [feature])["x"].isna().tolist() == [False, True]
        counts = count(fit_bins(column), column)
        assert (counts[0], counts.sum()) == (1, 2)


@pytest.mark.parametrize("name", OTHERS)
def test_what_a_model_does_not_take_is_refused_by_name_and_type(name):
    column = OTHERS[name]
    with pytest.raises(LearningError, match=f"The column x is of type {re.escape(str(column.type))}, which is no feat"):
        feature_columns(pa.schema([("x", column.type)]), ["x"])
    with pytest.raises(LearningError, match="has no histogram"):
        fit_bins(column)
