"""A training of amounts and one of an order, from tables that were built for it to scores of a registered version."""

import json
import shutil
from dataclasses import replace
from datetime import date

import numpy as np
import pyarrow.compute as pc
import pytest

import builders
from nightjar.features.build import build
from nightjar.learning.train import train
from nightjar.registry import tracking, verified
from nightjar.registry.signature import Subject
from nightjar.settings.features import Aggregate
from nightjar.settings.label import Label
from nightjar.settings.model import Estimator, Model
from nightjar.settings.task import Metric, Task
from nightjar.tables import arrow

CANDIDATES = {
    "mean": Model(Estimator.MEAN, baseline=True),
    "linear": Model(Estimator.LINEAR, space={"alpha": [0.001, 1000.0]}),
}
TEMPERATURE = Label(
    "readings", {"machine": "machine"}, "temperature", "1d", aggregate=Aggregate.MEAN, task=Task.REGRESSION
)
FAILURE = Label(
    "outcomes",
    {"machine": "machine", "prediction_time": "prediction_time"},
    "failed",
    "1d",
    task=Task.RANKING,
    query=["prediction_time"],
)


@pytest.fixture
def trained(untrained, spark, ray_started, tmp_path):
    """Builds the labels anew, trains on them, and gives what there is to know of the version and its artifact."""

    def of(label, metric):
        project = replace(builders.machines(tmp_path), label=label)
        home = shutil.copytree(untrained.environment.home, tmp_path / "home")  # to make MLflow's database takes long
        environment = replace(untrained.environment, home=str(home))
        shutil.rmtree(untrained.warehouse.path("labels"))
        build(spark, untrained.warehouse, project, builders.FIRST, builders.HISTORY, None, "build")
        settings = builders.search(candidates=CANDIDATES, metric=metric)
        train(
            untrained.warehouse,
            project,
            settings,
            builders.HISTORY,
            "run",
            environment,
            "c",
        )
        where = pc.field("run_id") == "run"
        (event,) = arrow.read(untrained.warehouse, "model_events", where=where).to_pylist()
        version = tracking.connect(home).get_model_version("machines", event["model_version"])
        run = tracking.connect(home).get_run(version.run_id)
        subject = Subject("machines", event["model_name"], event["model_version"])
        return json.loads(event["evidence"]), run, verified.load(environment, subject)

    return of


def scored_night(warehouse, artifact):
    """The loads of the first night after the history, and what the artifact says of its machines."""
    night = arrow.read(warehouse, "features", where=pc.field("run_date") == date(2024, 4, 1))
    return night["load"].to_numpy(), artifact.open().predict(night)


def test_amounts_are_trained_judged_in_their_unit_and_predicted(trained, untrained):
    """A machine's temperature is 20 degrees and a tenth of its load, and the mean knows no load."""
    evidence, run, artifact = trained(TEMPERATURE, Metric.RMSE)
    assert (evidence["metric"], evidence["candidate"]["name"]) == ("rmse", "linear-1")
    assert set(evidence["candidate"]) == {"name", "rmse", "mae", "r2", "mape", "smape", "pinball"}
    assert evidence["candidate"]["rmse"]["estimate"] < 0.01
    assert list(evidence["baselines"]) == ["mean"]
    assert evidence["baselines"]["mean"]["rmse"]["estimate"] > 2
    assert (evidence["difference"]["over"], evidence["difference"]["better"]) == ("mean", -1)
    assert evidence["difference"]["high"] < 0
    assert run.data.metrics["final_rmse_estimate"] == evidence["candidate"]["rmse"]["estimate"]
    assert artifact.manifest.task == "regression"
    loads, values = scored_night(untrained.warehouse, artifact)
    assert values == pytest.approx(20 + loads / 10, abs=0.01)


def test_an_order_is_trained_judged_by_its_lists_and_scored(trained, untrained):
    """Each night is a list: the machines with a load above 50 fail, and the mean puts them in no order."""
    evidence, run, artifact = trained(FAILURE, Metric.NDCG)
    assert (evidence["metric"], evidence["candidate"]["name"]) == ("ndcg", "linear-1")
    assert evidence["candidate"]["ndcg"]["estimate"] == 1.0
    assert list(evidence["baselines"]) == ["mean"]
    assert evidence["baselines"]["mean"]["ndcg"]["estimate"] < 0.95
    assert (evidence["difference"]["over"], evidence["difference"]["better"]) == ("mean", 1)
    assert run.data.metrics["final_ndcg_estimate"] == evidence["candidate"]["ndcg"]["estimate"]
    assert artifact.manifest.task == "ranking"
    loads, scores = scored_night(untrained.warehouse, artifact)
    fails = loads > 50
    assert 0 < fails.sum() < len(fails)
    assert scores[fails].min() > scores[~fails].max()
    assert np.isfinite(scores).all()
