"""Rows that a version would act on, and those of them without an outcome."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

import builders
from nightjar.learning.data.training_set import read_training_set
from nightjar.learning.splits.folding import Fold
from nightjar.learning.unobserved import count_unobserved
from nightjar.settings.feedback import Feedback


class Constant:
    """Scores every row alike."""

    def __init__(self, score):
        self.score = score

    def predict(self, table):
        return np.full(len(table), self.score)


class From:
    """A threshold."""

    def __init__(self, value):
        self.value = value


@pytest.mark.parametrize(("score", "without"), [(0.9, 1.0), (0.1, 0.0)])
def test_the_one_row_without_an_outcome_counts_where_it_would_be_acted_on(nights, score, without):
    """Of five machines on 25 March one has none; the last tier's threshold counts."""
    rows = read_training_set(nights.warehouse, nights.project, builders.HISTORY)
    test = np.flatnonzero(rows.day == np.datetime64("2024-03-25"))
    day = Fold("final", date(2024, 3, 25), date(2024, 3, 25), np.arange(0), test)
    scores = np.array([0.9, 0.6, 0.2, 0.1])
    given = (nights.warehouse, nights.project, rows, day, scores, Constant(score))
    seen = count_unobserved(*given, [From(0.8), From(0.5)])
    assert seen == {"acted_on": 2 + without, "without_outcome": without, "at_most": 0.1}
    assert count_unobserved(*given, []) is None
    explored = replace(nights.project, feedback=Feedback(exploration=0.05))
    assert count_unobserved(nights.warehouse, explored, *given[2:], [From(0.5)])["at_most"] is None
