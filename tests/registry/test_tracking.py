"""What a training leaves in MLflow: its run, a nested one for every fold, a version that MLflow's tools can load."""

import os
import subprocess
import sys

import numpy as np
import pytest

from nightjar.errors import ModelError
from nightjar.models.predictor import Predictor
from nightjar.registry import keys, tracking
from registry.conftest import FIRST, SECOND, TRIALS, never
from registry.made import ABOUT, ROWS, fit_small
from registry.test_artifacts import UNLISTED


@pytest.fixture(scope="module")
def client(registered):
    return tracking.connect(registered.home)


@pytest.fixture(scope="module")
def folds(client, registered):
    """Run name -> nested run of the first version's training."""
    experiment = client.get_experiment_by_name("machines").experiment_id
    runs = client.search_runs([experiment], f"tags.`mlflow.parentRunId` = '{registered.runs[FIRST]}'")
    return {one.info.run_name: one for one in runs}


def test_every_fold_is_a_nested_run_with_its_parameters_and_the_measures_that_are_defined(folds):
    assert set(folds) == {"logistic-1 fold 1", "logistic-1 fold 2", "majority fold 1"}
    fold = folds["logistic-1 fold 1"]
    assert fold.info.status == "FINISHED"
    assert fold.info.end_time >= fold.info.start_time
    assert fold.data.params == {"C": "0.5"}
    assert fold.data.metrics == {"roc_auc": 0.75, "seconds": 0.5}
    own = {name: value for name, value in fold.data.tags.items() if name.startswith("nightjar.")}
    assert own == {"nightjar.candidate": "logistic-1", "nightjar.fold": "fold 1", "nightjar.seed": "11"}


def test_a_failed_fold_is_a_failed_run_with_the_end_of_its_traceback(folds):
    fold = folds["logistic-1 fold 2"]
    assert fold.info.status == "FAILED"
    assert fold.data.metrics == {"seconds": 2.0}
    failure = fold.data.tags["nightjar.failure"]
    assert failure.endswith("x\nValueError: boom")
    assert len(failure) == 8000


def test_the_run_holds_the_figures_and_leads_to_the_version(client, registered):
    version = client.get_model_version("machines", "1")
    run = client.get_run(registered.runs[FIRST])
    assert version.run_id == run.info.run_id
    assert (run.info.status, run.data.tags["of"], run.data.metrics) == ("FINISHED", "test", {"final_roc_auc": 0.5})
    (model,) = run.outputs.model_outputs
    assert version.source == f"models:/{model.model_id}"
    assert client.get_logged_model(model.model_id).status == "READY"


def test_a_model_that_cannot_be_saved_is_not_registered_and_its_search_s_run_has_failed(client, registered):
    odd, key, begun = Predictor((), None, UNLISTED[0]), keys.signing_key(registered.home), []
    before = len(client.search_model_versions("name='machines'"))

    def attempt():
        with tracking.record_search(registered.home, "machines", "odd", {}, never) as run:
            begun.append(run)
            run.log(TRIALS[0])
            tracking.register(run, {}, odd, ABOUT, key)

    with pytest.raises(ModelError, match="GaussianProcessClassifier"):
        attempt()
    (run,) = begun
    assert client.get_run(run.id).info.status == "FAILED"
    assert len(client.search_runs([run.experiment], f"tags.`mlflow.parentRunId` = '{run.id}'")) == 1
    assert len(client.search_model_versions("name='machines'")) == before


def test_runs_whose_search_was_killed_no_longer_seem_to_run_when_another_starts(client, registered):
    """With those of their folds; not those of a search that is under way, nor what people record by hand."""
    experiment = client.get_experiment_by_name("machines").experiment_id
    run_ids = {}
    for name in ("s", "killed", "under way"):
        run_ids[name] = client.create_run(experiment, tags={tracking.SEARCH: name}).info.run_id
        tags = {"mlflow.parentRunId": run_ids[name], "nightjar.fold": "fold 1"}
        run_ids[f"fold of {name}"] = client.create_run(experiment, tags=tags).info.run_id
    run_ids["by hand"] = client.create_run(experiment).info.run_id
    with tracking.record_search(registered.home, "machines", "s", {}, lambda search: search == "under way") as run:
        run.tag("said", "later")
        status = {name: client.get_run(one).info.status for name, one in run_ids.items()}
    running = {name for name, one in status.items() if one == "RUNNING"}
    assert running == {"under way", "fold of under way", "by hand"}
    assert set(status.values()) == {"RUNNING", "KILLED"}
    search_run = client.get_run(run.id)
    assert (search_run.info.status, search_run.data.tags["said"]) == ("FINISHED", "later")


def test_what_mlflow_refuses_is_told_as_a_failure_of_the_training(client, registered):
    """Somebody deletes the run of a search that is under way."""

    def attempt():
        with tracking.record_search(registered.home, "machines", "deleted", {}, never) as run:
            client.delete_run(run.id)
            run.tag("said", "later")

    with pytest.raises(ModelError, match=r"(?s)MLflow in .*home cannot record this training: .*start the training"):
        attempt()


def test_a_run_that_ends_while_it_is_asked_for_keeps_its_status(client, registered):
    experiment = client.get_experiment_by_name("machines").experiment_id
    another = client.create_run(experiment, tags={tracking.SEARCH: "another"}).info.run_id

    def ends(search):
        if search == "another":
            client.set_terminated(another, "FINISHED")
        return False

    with tracking.record_search(registered.home, "machines", "s", {}, ends):
        assert client.get_run(another).info.status == "FINISHED"


def test_requirements_are_the_manifest_s_packages_and_none_that_a_stranger_could_publish(registered):
    listed = (registered.folder(FIRST) / "requirements.txt").read_text().split()
    assert {line.split("==")[0] for line in listed} == {"mlflow", "numpy", "pandas", "scikit-learn", "scipy", "skops"}
    assert all("==" in line for line in listed)


BY_MLFLOW = """
import sys
import mlflow, pandas as pd
mlflow.set_tracking_uri(sys.argv[1])
model = mlflow.pyfunc.load_model("models:/machines@champion")
print("scores", *(float(score).hex() for score in model.predict(pd.read_json(sys.stdin))))
"""


@pytest.mark.slow
def test_mlflow_s_own_loader_predicts_the_same_to_the_last_bit_where_pickle_is_forbidden(registered):
    tracking.set_alias(registered.home, "machines", "champion", SECOND.version)
    done = subprocess.run(
        [sys.executable, "-c", BY_MLFLOW, f"sqlite:///{registered.home}/mlflow.db"],
        input=ROWS.to_pandas().to_json(),
        env=os.environ | {"MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    scores = [float.fromhex(one) for one in done.stdout.splitlines()[-1].split()[1:]]
    assert np.array_equal(scores, fit_small().predict(ROWS))
    assert not [path for path in registered.home.rglob("*") if path.suffix in (".pkl", ".pickle", ".joblib")]
