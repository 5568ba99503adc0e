import numpy as np
import pandas as pd

from nightjar.models.columns import FeatureColumn
from nightjar.models.preparation import MIN_FREQUENCY, MOST_CATEGORIES, ordinal, scaled, with_values

DELAY, CARRIER = FeatureColumn("delay", "number"), FeatureColumn("carrier", "category")


def frame_of(delay, carrier):
    return pd.DataFrame({"delay": np.array(delay, dtype=float), "carrier": np.array(carrier, dtype=object)})


def test_boosting_takes_numbers_as_they_are_and_categories_as_places():
    preparation = ordinal([DELAY, CARRIER]).fit(frame_of([1, 2, 3], ["UA", "AA", np.nan]))

    prepared = preparation.transform(frame_of([7, np.nan, 9, 9], ["AA", "UA", np.nan, "unseen"]))

    assert preparation.get_feature_names_out().tolist() == ["number__delay", "category__carrier"]
    np.testing.assert_array_equal(prepared, [[7, 0], [np.nan, 1], [9, np.nan], [9, np.nan]])


def test_linear_models_get_complete_numbers_of_unit_size():
    preparation = scaled([DELAY]).fit(frame_of([-1, 1, -1, 1, np.nan], ["AA"] * 5))

    delay, was_missing = preparation.transform(frame_of([-1, 0, np.nan], ["AA"] * 3)).T

    assert np.allclose(delay, np.array([-1, 0, 0]) / np.sqrt(0.8))  # the median is 0, so the mean is 0 with it
    assert np.allclose(was_missing, [-0.5, -0.5, 2])


def test_rare_and_unseen_categories_share_a_column():
    carriers = ["AA"] * MIN_FREQUENCY + ["UA"] * MIN_FREQUENCY + ["HA", "YV"]
    preparation = scaled([CARRIER]).fit(frame_of([0] * len(carriers), carriers))

    assert preparation.transform(frame_of([0] * 4, ["AA", "UA", "YV", "unseen"])).tolist() == [
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, 1],
        [0, 0, 1],
    ]


def test_a_category_of_thousands_of_values_stays_narrow():
    tails = [f"N{number:04}" for number in range(2000) for _ in range(MIN_FREQUENCY)]

    assert scaled([CARRIER]).fit_transform(frame_of([0] * len(tails), tails)).shape == (len(tails), MOST_CATEGORIES)


def test_columns_without_a_value_are_found():
    assert with_values([DELAY, CARRIER], frame_of([np.nan, np.nan], ["AA", np.nan])) == (CARRIER,)
