"""What `labels` and `scores` hold, as their definitions tell people, by what the project asks."""

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

import builders
from nightjar.config import compose_job, make_settings
from nightjar.settings.column_names import RESERVED
from nightjar.settings.features import Aggregate
from nightjar.settings.jobs import JobName
from nightjar.settings.spine import OF_SCORES
from nightjar.settings.task import Task
from nightjar.tables.definitions import labels_table
from nightjar.tables.score_definitions import scores_table

ROOT = Path(__file__).resolve().parents[2]
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


@pytest.mark.parametrize("project", ["credit", "credit_classes"])
def test_no_column_of_scores_may_be_called_like_one_of_the_key(project):
    """Together the two ask for all that there is; names that a key may not have are refused with the settings."""
    chosen = [f"project={project}", "environment=local", "run_date=2025-07-02"]
    lender = make_settings(compose_job(ROOT / "conf", JobName.SCORE, chosen)).project
    columns = set(scores_table(lender, pa.schema([])).schema().names)
    assert columns - {*RESERVED} <= {*OF_SCORES}
    assert ("predicted" if project == "credit_classes" else "tier") in columns
