"""Rows that a version would act on, and those of them without an outcome."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from nightjar.learning.data.training_set import TrainingSet
from nightjar.learning.splits.folding import Fold
from nightjar.learning.unobserved import count_unobserved
from nightjar.models.columns import FeatureColumn
from nightjar.registry.tiers import TierThreshold
from nightjar.settings.feedback import Feedback
from nightjar.tables import arrow
from nightjar.tables.score_definitions import scores_table
from report import nights

MOMENT = datetime(nights.NIGHT.year, nights.NIGHT.month, nights.NIGHT.day, 4, tzinfo=UTC)
PROJECT = nights.project()
EXPLORED = replace(PROJECT, feedback=Feedback(exploration=0.05))
PERIOD = Fold("final", nights.NIGHT, nights.NIGHT, np.arange(0), np.arange(4))
SCORES = np.array([0.9, 0.6, 0.2, 0.1])


class Constant:
    """Scores every row alike."""

    def __init__(self, score):
        self.score = score

    def predict(self, table):
        return np.full(len(table), self.score)


@pytest.fixture
def warehouse(tmp_path):
    """Of five flights of the night."""
    warehouse = nights.warehouse_in(tmp_path)
    nights.store_features(warehouse, pa.table({"load": [1.0, 2.0, 3.0, 4.0, 5.0]}))
    return warehouse


def rows(warehouse):
    """The first four, whose outcome is known."""
    key = pa.table({"flight": [f"AA{n}" for n in range(4)], "prediction_time": pa.array([MOMENT] * 4)})
    features, column = pa.table({"load": [1.0, 2.0, 3.0, 4.0]}), FeatureColumn("load", "number")
    day, instant = np.full(4, nights.NIGHT, "datetime64[D]"), np.full(4, MOMENT.replace(tzinfo=None), "datetime64[us]")
    label = np.array([True, False, True, False])
    last, versions = nights.NIGHT, arrow.pin(warehouse, ["features"])
    return TrainingSet(
        features, (column,), key, label, day, instant, instant, instant, last, versions, definitions_hash="f00d"
    )


def count(warehouse, project=EXPLORED, score=0.9, thresholds=(0.8, 0.5)):
    tiers = [TierThreshold("act", value) for value in thresholds]
    return count_unobserved(warehouse, project, rows(warehouse), PERIOD, SCORES, Constant(score), tiers)


@pytest.mark.parametrize(("score", "without"), [(0.9, 1.0), (0.1, 0.0)])
def test_the_one_row_without_an_outcome_counts_where_it_would_be_acted_on(warehouse, score, without):
    """Of five flights one has none; the last tier's threshold counts."""
    seen = count(warehouse, PROJECT, score)
    assert seen == {"acted_on": 2 + without, "without_outcome": without, "at_most": 0.1}
    assert count(warehouse, thresholds=()) is None


@pytest.mark.parametrize(
    ("flight", "assignment", "at_most"),
    [
        ("AA1", "exploration", None),
        ("AA1", "score", 0.1),  # nobody left it alone
        ("AA2", "exploration", 0.1),  # the version would not act on it
        ("AA4", "exploration", 0.1),  # its outcome is not known
    ],
)
def test_exploration_lifts_the_limit_once_it_has_shown_an_outcome(warehouse, flight, assignment, at_most):
    """A share that is declared tonight has shown nothing yet."""
    assert count(warehouse)["at_most"] == 0.1
    nights.store_scores(warehouse, [0.5], role="retrospective")  # by an earlier configuration
    assert count(warehouse)["at_most"] == 0.1
    row = {"prediction_id": "1", "prediction_time": MOMENT, "flight": flight, "score": 0.5, "model_version": "1"}
    row |= {"assignment": assignment, "run_date": nights.NIGHT, "role": "champion", "run_id": "score-2"}
    arrow.append(warehouse, scores_table(EXPLORED, pa.schema([("flight", pa.string())])), [row], "score-2")
    assert count(warehouse)["at_most"] == at_most
