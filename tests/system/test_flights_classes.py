"""Flights in three classes: history and a night from the raw files to the report, by the command itself."""

import sys
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pytest

import builders
from nightjar.evaluation.decisions import choose_classes
from nightjar.registry import events
from nightjar.tables import arrow, predictions
from nightjar.tables.warehouse import Warehouse
from system import raw_flights, tree

pytestmark = [pytest.mark.long, pytest.mark.starts_processes]

ROOT = Path(__file__).resolve().parents[2]
CLASSES = ["early", "on_time", "late"]
COSTS = [[0, 1, 2], [1, 0, 1], [3, 2, 0]]
HISTORY, NIGHTS = date(2013, 1, 29), [date(2013, 1, 30), date(2013, 1, 31)]
SEARCH = [
    *(
        "search=flights_classes",
        "search.split={folds: 1, test_days: 4}",
        "search.final_days=6",
        "search.stopping.rungs=[]",
    ),
    *("~search.candidates.logistic", "~search.candidates.hour_of_day", "search.metric=roc_auc"),
    *("search.candidates.boosting.space={learning_rate: [0.1]}", "search.candidates.boosting.parameters.max_iter=10"),
]
"""Small: three weeks of winter are enough to put flights in order for sure, so one training holds for both nights."""


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory):
    folder = tree.once(tmp_path_factory, "flights_classes", run_nights)
    return Warehouse(f"{folder}/warehouse", "flights_classes")


def run_nights(folder):
    dates = [f"project.history_until={HISTORY}", f"project.first_night={NIGHTS[0]}", f"project.nights={len(NIGHTS)}"]
    options = ", ".join(f"{name}: '{value}'" for name, value in builders.QUICK.items() if "Java" not in name)
    places = [f"environment.warehouse={folder}/warehouse", f"environment.home={folder}/home"]
    places.append(f"+environment.spark={{{options}}}")
    job = [sys.executable, ROOT / "jobs" / "nightly.py", "project=flights_classes", "project_dates=true"]
    tree.run([*job, *SEARCH, *dates, *places, *raw_flights.until(NIGHTS[-1], folder)], folder)


def test_labels_are_the_classes_of_the_delays(warehouse):
    """A quarter of an hour on either side is on time."""
    labels = arrow.read(warehouse, "labels", ["carrier", "flight", "origin", "prediction_time", "label"])
    landings = arrow.read(warehouse, "source_landings", ["carrier", "flight", "origin", "prediction_time", "delay"])
    joined = labels.join(landings, ["carrier", "flight", "origin", "prediction_time"], join_type="inner").to_pandas()
    names = np.array(CLASSES)[np.digitize(joined["delay"], [-15, 15 + 1e-9])]
    assert len(joined) > 20_000
    assert joined["label"].tolist() == names.tolist()


def test_every_prediction_has_all_probabilities_and_the_class_of_the_least_expected_cost(warehouse):
    scores = arrow.read(warehouse, "scores", ["run_date", "score", "predicted", predictions.PROBABILITIES])
    assert set(scores["run_date"].to_pylist()) == set(NIGHTS)
    probabilities = predictions.probabilities_of(predictions.unfold(scores, CLASSES), CLASSES)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    chosen = choose_classes(probabilities, COSTS)
    assert scores["predicted"].to_pylist() == [CLASSES[code] for code in chosen]
    assert np.array_equal(scores["score"].to_numpy(), probabilities[np.arange(len(chosen)), chosen])


def test_the_evidence_has_the_expected_cost_with_its_interval(warehouse):
    champion = events.champion(warehouse, NIGHTS[0])
    cost = champion.evidence["candidate"]["expected_cost"]
    assert champion.model_name == "boosting-1"
    assert cost["low"] < cost["estimate"] < cost["high"]


def test_the_night_is_monitored_and_reported(warehouse):
    measured = arrow.read(warehouse, "performance", where=pc.field("measure") == "log_loss").to_pylist()
    assert measured
    subjects = set(arrow.read(warehouse, "drift", ["subject"])["subject"].to_pylist())
    assert set(predictions.watched(CLASSES)) <= subjects
    page = Path(warehouse.path("reports")) / f"night-{NIGHTS[-1]}.html"
    assert "On time" in page.read_text()
