"""What `labels` and `scores` hold, as their definitions tell people, by what the project asks."""

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

import builders
from nightjar.settings.features import Aggregate
from nightjar.settings.task import Task
from nightjar.tables.definitions import labels_table, scores_table

PROJECT = builders.machines(Path("files"))
KEY = pa.schema([("machine", pa.string())])
MEAN = {"aggregate": Aggregate.MEAN, "horizon": "4h"}


@pytest.mark.parametrize(
    ("label", "kind", "outcome", "score"),
    [
        ({}, pa.bool_(), "failed is true", "predicted probability that failed is true"),
        (
            MEAN | {"condition": "value > 0.5"},
            pa.bool_(),
            "value > 0.5, value being the mean of failed in the next 4h",
            "predicted probability that value > 0.5, value being the mean of failed in the next 4h",
        ),
        ({"task": Task.REGRESSION}, pa.float64(), "failed", "predicted value of failed"),
        (
            MEAN | {"task": Task.REGRESSION},
            pa.float64(),
            "the mean of failed in the next 4h",
            "predicted value of the mean of failed in the next 4h",
        ),
        (
            {"task": Task.RANKING, "query": ["site", "prediction_time"]},
            pa.float64(),
            "failed",
            "places the row among those of the same site, prediction_time: more failed, higher score",
        ),
    ],
)
def test_labels_and_scores_say_what_they_are(label, kind, outcome, score):
    project = replace(PROJECT, label=replace(PROJECT.label, **label))
    labels, scores = labels_table(project, KEY).schema(), scores_table(project, KEY).schema()
    assert labels.field("label").type == kind
    assert labels.field("label").metadata[b"comment"].decode() == f"the outcome: {outcome}; null: settled without one"
    assert scores.field("score").type == pa.float64()
    assert scores.field("score").metadata[b"comment"].decode() == score
