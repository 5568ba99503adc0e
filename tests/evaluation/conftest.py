"""A reference of 200 nights, and the nights after it."""

import numpy as np
import pytest

from evaluation.varying_nights import dates_of, nights_of
from nightjar.evaluation.nulls import fit_null


@pytest.fixture(scope="module")
def counts():
    return nights_of(np.random.default_rng(0), 240, 1000)


@pytest.fixture(scope="module")
def null(counts):
    return fit_null(dates_of(200), {name: one[:200] for name, one in counts.items()}, gap_days=14, oldest_days=60)
