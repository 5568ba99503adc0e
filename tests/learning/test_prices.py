"""What wrong decisions cost in each training row, from a column of the feature table."""

from dataclasses import replace

import numpy as np
import pytest

import builders
from nightjar.errors import LearningError
from nightjar.learning.data.prices import read_prices
from nightjar.learning.data.training_set import read_training_set
from nightjar.settings.costs import Amount, Costs


@pytest.fixture(scope="module")
def rows(nights):
    return read_training_set(nights.warehouse, nights.project, builders.HISTORY)


def priced(nights, rows, missed):
    return read_prices(nights.warehouse, replace(nights.project, costs=Costs(missed, 2)), rows)


def test_an_amount_is_that_of_the_row(nights, rows):
    prices = priced(nights, rows, Amount("load"))
    assert (prices.missed == rows.features["load"].to_numpy()).all()
    assert (prices.false_alarm == np.full(len(rows.label), 2)).all()
    assert read_prices(nights.warehouse, replace(nights.project, costs=Costs()), rows) is None


def test_what_is_no_amount_is_refused_with_its_rows(nights, rows):
    with pytest.raises(LearningError, match=r"costs.missed.column: site, which table features has as string: expec"):
        priced(nights, rows, Amount("site"))
    nulls = rows.features["temperature__mean_3d"].null_count
    says = (
        rf"holds null in {nulls} of {len(rows.label)} labelled rows \(machine=m1, prediction_time=.* and others\): exp"
    )
    with pytest.raises(LearningError, match=says):
        priced(nights, rows, Amount("temperature__mean_3d"))
