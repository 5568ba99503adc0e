"""What the table of scores holds of a model's scores."""

from dataclasses import replace

import numpy as np
import pytest

from nightjar.scoring.predictions import prediction_columns
from registry.made import ABOUT

SEVERAL = replace(ABOUT, classes=("early", "late", "usual"), costs=((0.0, 1.0, 1.0), (5.0, 0.0, 5.0), (1.0, 1.0, 0.0)))


def test_the_class_of_the_least_expected_cost_is_predicted_and_every_probability_stands_beside_it():
    """A late one that is not expected costs five times as much as another mistake."""
    columns = prediction_columns(np.array([[0.2, 0.3, 0.5], [0.1, 0.1, 0.8]]), SEVERAL)
    assert columns["predicted"].to_pylist() == ["late", "usual"]
    assert columns["score"].to_pylist() == [0.3, 0.8]
    assert [dict(row) for row in columns["probabilities"].to_pylist()] == [
        {"early": 0.2, "late": 0.3, "usual": 0.5},
        {"early": 0.1, "late": 0.1, "usual": 0.8},
    ]


def test_no_rows_have_no_predictions():
    columns = prediction_columns(np.empty((0, 3)), SEVERAL)
    assert [len(values) for values in columns.values()] == [0, 0, 0]


@pytest.mark.parametrize("scores", [[], [0.2, 0.7]])
def test_other_tasks_have_scores_alone(scores):
    columns = prediction_columns(np.array(scores), ABOUT)
    assert {name: values.to_pylist() for name, values in columns.items()} == {"score": scores}
