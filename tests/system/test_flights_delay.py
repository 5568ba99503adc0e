"""A regression on real data: the delay of flights, on what the tests of flights have built of history and night."""

import json
import shutil
import sys

import numpy as np
import pytest
from deltalake import DeltaTable

from nightjar.tables import arrow
from nightjar.tables.warehouse import Warehouse
from oracles import flights as truth
from system import tree
from system.test_flights import FACT, NIGHT, NIGHT_STARTS, ROOT, build_in, chosen_in

pytestmark = [pytest.mark.long, pytest.mark.starts_processes]

SMALL = [
    *("search.split.folds=1", "search.split.test_days=7", "search.final_days=7", "search.stopping.rungs=[]"),
    *("search.candidates.ridge.space.alpha=[100.0]", "search.candidates.lightgbm.space.learning_rate=[0.1]"),
    *("search.candidates.lightgbm.parameters.n_estimators=60", "search.stand_in=hour_of_day"),
]


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory):
    """The features are those of `flights`; its labels, of another type, are begun anew as the runbook says.

    Of the features only the last three weeks are built again.
    """
    built, folder = tree.once(tmp_path_factory, "flights", build_in), tmp_path_factory.mktemp("delay")
    shutil.copytree(built / "warehouse" / "flights", folder / "warehouse" / "flights_delay")
    tables = folder / "warehouse" / "flights_delay"
    shutil.rmtree(tables / "labels")
    DeltaTable(tables / "runs").delete("job IN ('build_features', 'nightly')")
    dates = ("project=", "project_dates=", "project.history_until=", "project.first_night=")
    chosen = [one for one in chosen_in(folder, *SMALL) if not one.startswith(dates)]
    job = [sys.executable, ROOT / "jobs" / "nightly.py", "project=flights_delay", "search=flights_delay"]
    steps = ["project.first_date=2013-03-10", "only=[build_features,train,promote,score,monitor]"]
    tree.run([*job, f"run_date={NIGHT}", *steps, *chosen], folder)
    return Warehouse(f"{folder}/warehouse", "flights_delay")


def table(warehouse, name):
    return arrow.read(warehouse, name).to_pandas()


def test_labels_are_the_minutes_that_the_raw_files_say(warehouse):
    labels = table(warehouse, "labels").dropna(subset="label")
    landings = truth.landings()
    expected = landings[landings["landed_at"] <= NIGHT_STARTS]

    assert len(labels) == len(expected)
    assert labels["label"].sum() == expected["arr_delay"].sum()


def test_every_flight_of_the_night_has_a_score_in_minutes(warehouse):
    features, scores = table(warehouse, "features"), table(warehouse, "scores")
    night = features[features["run_date"] == NIGHT]

    assert sorted(map(tuple, scores[FACT].to_numpy())) == sorted(map(tuple, night[FACT].to_numpy()))
    assert np.isfinite(scores["score"]).all()
    assert scores["score"].std() > 2
    assert scores["unseen_levels"].isna().all()


def test_a_winner_of_a_week_that_beats_no_baseline_for_sure_leaves_the_night_to_the_stand_in(warehouse):
    """LightGBM with native categories, which are fitted on the way, and a ridge are judged in minutes."""
    events = table(warehouse, "model_events")
    refused = events.query("event == 'refused'").iloc[0]
    evidence = json.loads(refused["evidence"])

    assert refused["model_name"] in ("lightgbm-1", "ridge-1")
    assert {"mean", "hour_of_day"} == set(evidence["baselines"])
    assert 20 < evidence["candidate"]["rmse"]["estimate"] < 60
    assert set(table(warehouse, "scores")["model_name"]) == {"hour_of_day"}
