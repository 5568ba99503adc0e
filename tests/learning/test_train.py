"""A training from stored rows to a registered version, with the tables and MLflow as witnesses."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

import builders
from nightjar.errors import LearningError
from nightjar.evaluation.histograms import Bins, count
from nightjar.features.definitions import definitions_hash, label_hash
from nightjar.learning.champion import candidate_of_recipe
from nightjar.learning.clusters import clusters_of
from nightjar.learning.data.training_set import read_training_set
from nightjar.learning.fitting.candidates import Candidate
from nightjar.learning.judgement import judge
from nightjar.learning.splits.folding import final_period
from nightjar.learning.train import train
from nightjar.models.columns import feature_columns
from nightjar.pipeline import compare
from nightjar.pipeline.execution import Context
from nightjar.pipeline.sessions import Sessions
from nightjar.registry import tracking, verified
from nightjar.registry.manifest import TierThreshold
from nightjar.registry.signature import Subject
from nightjar.settings.compare import Compare
from nightjar.settings.model import Calibration, Estimator, Model
from nightjar.settings.split import Split
from nightjar.settings.task import Metric
from nightjar.tables import arrow
from report.page import Page


def at(nights, home):
    """The environment with a home of its own."""
    return replace(nights.environment, home=str(home))


def train_again(nights, settings, home):
    train(nights.warehouse, nights.project, settings, builders.HISTORY, "run-2", at(nights, home), "c")


@pytest.fixture(scope="module")
def registered(nights):
    """The event of the history's training."""
    (row,) = arrow.read(nights.warehouse, "model_events", where=pc.field("event") == "registered").to_pylist()
    return row | {"evidence": json.loads(row["evidence"])}


@pytest.fixture(scope="module")
def home(nights):
    return Path(nights.environment.home)


def test_the_event_holds_the_evidence_of_a_period_the_search_never_saw(registered):
    evidence = registered["evidence"]
    assert (registered["model_name"], registered["alias"]) == ("logistic-1", None)
    assert registered["holds_from"] == builders.HISTORY
    assert evidence["period"] == ["2024-03-28", "2024-03-30"]
    assert evidence["null_labels"] == pytest.approx(1 / (13 * 5))
    right = evidence["candidate"]["roc_auc"]  # in three nights: another one may be all wrong
    assert (right["estimate"], right["high"]) == (1.0, 1.0)
    assert right["low"] <= 0.025 ** (1 / 3)
    assert evidence["clusters"] == {"entities": 5, "blocks": 3, "block_days": 1}
    assert evidence["baselines"]["majority"]["roc_auc"]["estimate"] == 0.5
    assert (evidence["metric"], evidence["difference"]["over"], evidence["difference"]["better"]) == (
        "log_loss",
        "majority",
        -1,
    )
    assert evidence["difference"]["low"] < evidence["difference"]["estimate"] < evidence["difference"]["high"] < 0
    assert (evidence["attempt"]["level"], evidence["difference"]["confidence"]) == pytest.approx((0.025, 0.95))
    assert (evidence["smallest"]["over"], evidence["smallest"]["power"]) == ("majority", 0.8)
    assert evidence["gates"]["rows_per_second"] > 0
    (threshold,) = evidence["thresholds"]
    assert (threshold["tier"], 0 < threshold["value"] < 1) == ("act", True)
    same = "it is the same in all entities and blocks, which sets no bounds for others"
    cost = {"estimate": 0.0, "low": None, "high": None, "rows": 15, "reason": same}
    assert threshold["reach"]["cost"] == cost
    assert threshold["cost_of_none"] == pytest.approx(5 - 5 * threshold["cost_of_all"])


def test_the_version_in_mlflow_leads_to_its_data_and_to_every_fold(nights, registered, home):
    client = tracking.connect(home)
    version = client.get_model_version("machines", registered["model_version"])
    run = client.get_run(version.run_id)
    run_id = registered["run_id"]
    rows = read_training_set(nights.warehouse, nights.project, builders.HISTORY)
    assert run.info.run_name == "machines 2024-03-31 logistic-1"
    assert run.data.tags["nightjar.run_id"] == run_id
    assert run.data.tags["nightjar.data_hash"] == rows.content_hash
    assert run.data.tags["nightjar.data_cutoff"] == "2024-03-30T23:00:00+00:00"
    assert {run.data.tags["nightjar.data.features"], run.data.tags["nightjar.data.labels"]} == {"1"}
    experiment = run.info.experiment_id
    nested = client.search_runs([experiment], f"tags.`mlflow.parentRunId` = '{version.run_id}'")
    assert sorted(one.info.run_name for one in nested) == sorted(
        f"{candidate} {fold}" for candidate in ("majority", "logistic-1", "logistic-2") for fold in ("fold 1", "fold 2")
    )
    fold = next(one for one in nested if one.info.run_name == "logistic-2 fold 1")
    assert fold.data.params == {"C": "0.1"}
    assert fold.data.tags["nightjar.seed"] == "0"
    assert set(fold.data.metrics) >= {"roc_auc", "log_loss", "seconds"}
    assert str(client.get_model_version_by_alias("machines", "champion").version) == registered["model_version"]


def test_labels_worth_a_look_are_kept_beside_the_run(nights, registered, home):
    client = tracking.connect(home)
    run = client.get_model_version("machines", registered["model_version"]).run_id
    folder = Path(client.download_artifacts(run, ""))
    header, *drawn = (folder / "label_spot_checks.csv").read_text().splitlines()
    assert header.startswith('"machine","prediction_time","label"')
    # All rows of the folds' and the final test dates: there are fewer than are drawn of each label.
    assert sorted({row.split(",")[1][:10] for row in drawn}) == [f"2024-03-{day}" for day in range(23, 30)]
    assert (
        (folder / "label_suspects.csv")
        .read_text()
        .startswith('"machine","prediction_time","margin","probability","label"')
    )


def test_the_manifest_says_what_the_model_was_made_from(nights, registered, home):
    subject = Subject("machines", registered["model_name"], registered["model_version"])
    manifest = verified.manifest(nights.environment, subject)
    assert (manifest.project, manifest.model_name, manifest.parameters) == ("machines", "logistic-1", {"C": 10.0})
    assert manifest.definitions_hash == definitions_hash(nights.project)
    assert manifest.label_hash == label_hash(nights.project)
    assert manifest.data == {"features": 1, "labels": 1}
    assert (manifest.rows, manifest.period) == (64, ("2024-03-18", "2024-03-30"))
    assert manifest.thresholds == (TierThreshold("act", registered["evidence"]["thresholds"][0]["value"]),)
    (run,) = arrow.read(nights.warehouse, "runs", where=pc.field("run_id") == registered["run_id"]).to_pylist()
    assert manifest.code_revision == run["code_revision"]


def test_references_are_histograms_of_every_feature_and_of_scores_the_model_was_not_trained_on(nights, registered):
    """The reference of the score is the final period's: 15 rows. Nights add up to the whole."""
    rows = [row for row in arrow.read(nights.warehouse, "references").to_pylist() if row["slice"] is None]
    stored = {row["column"]: row for row in rows if row["night"] is None and row["bins"] is not None}
    assert set(stored) == {*nights.project.feature_names(), "score"}
    assert {row["model_version"] for row in stored.values()} == {registered["model_version"]}
    assert {row["run_id"] for row in stored.values()} == {registered["run_id"]}
    assert sum(stored["score"]["counts"]) == 15
    training = read_training_set(nights.warehouse, nights.project, builders.HISTORY)
    for name in nights.project.feature_names():
        bins = Bins.from_json(stored[name]["bins"])
        assert stored[name]["counts"] == count(bins, training.features[name]).tolist()
        of_nights = [row["counts"] for row in rows if row["column"] == name and row["night"] is not None]
        assert np.sum(of_nights, axis=0).tolist() == stored[name]["counts"]
    assert all(row["design_effect"] >= 1 for row in stored.values())


def test_the_strongest_baseline_is_the_one_to_beat(nights):
    rows = read_training_set(nights.warehouse, nights.project, builders.HISTORY)
    fold = final_period(rows, Split(), builders.days()[12], 3, nights.project.zone)
    weak = Candidate("weak", Model(Estimator.MAJORITY, baseline=True))
    strong = Candidate("strong", Model(Estimator.LOGISTIC, baseline=True))
    for metric, better in ((Metric.ROC_AUC, 1), (Metric.LOG_LOSS, -1)):
        settings = builders.search(metric=metric)
        clusters = clusters_of(rows, fold.test, fold.start, fold.end, nights.project.label, settings)
        winner = Candidate("w", strong.model)
        judged = judge(rows, fold, clusters, winner, [weak, strong], nights.project, settings)
        evidence, scores = judged.evidence, judged.scores
        assert evidence.difference["over"] == "strong"
        assert (evidence.difference["better"], evidence.difference["estimate"]) == (better, 0.0)
        assert len(scores["w"]) == len(fold.test)


def test_a_final_period_of_one_class_registers_a_model_without_a_figure(nights, untrained, ray_started, tmp_path):
    """What cannot be told is said to be undefined; promotion will refuse it. The winner is chosen by another metric.

    The baseline that is to stand in then is registered beside it: signed, with its own figures and references.
    """
    from deltalake import DeltaTable

    last = "prediction_time >= '2024-03-28T23:00:00Z' AND run_date <= '2024-03-31'"
    DeltaTable(untrained.warehouse.path("labels")).update({"label": "true"}, predicate=last)
    settings = builders.search(final_days=1, stand_in="majority", metric=Metric.ROC_AUC)
    home = tmp_path / "home"
    train_again(untrained, settings, home)
    rows = arrow.read(untrained.warehouse, "model_events", where=pc.field("run_id") == "run-2").to_pylist()
    of = {row["alias"]: row | {"evidence": json.loads(row["evidence"])} for row in rows}
    evidence, stand_in = of[None]["evidence"], of["stand_in"]
    assert (stand_in["model_name"], stand_in["evidence"]["stand_in"]) == ("majority", True)
    assert stand_in["evidence"]["candidate"] == {"name": "majority"} | evidence["baselines"]["majority"]
    environment = at(untrained, home)
    number = stand_in["model_version"]
    artifact = verified.load(environment, Subject("machines", "majority", number))
    features = read_training_set(untrained.warehouse, untrained.project, builders.HISTORY).features
    assert len(set(artifact.open().predict(features))) == 1
    whole = pc.field("night").is_null() & pc.field("bins").is_valid()
    stored = arrow.read(untrained.warehouse, "references", where=whole & (pc.field("run_id") == "run-2")).to_pylist()
    versions = [row["model_version"] for row in stored]
    assert versions.count(number) == versions.count(of[None]["model_version"]) == len(features.column_names) + 1
    reason = "all of the 5 rows are positive"
    nothing = {"estimate": None, "low": None, "high": None, "rows": 0, "reason": reason}
    assert evidence["candidate"]["roc_auc"] == nothing
    assert evidence["difference"]["estimate"] is None


def test_a_model_that_could_not_be_fitted_after_the_search_is_refused_before_it(
    nights, untrained, tmp_path, monkeypatch
):
    """Of the rows that are known at the run date, the newest inner split has true labels only; no fold has."""
    from deltalake import DeltaTable

    last = "prediction_time >= '2024-03-28T23:00:00Z' AND run_date <= '2024-03-31'"
    DeltaTable(untrained.warehouse.path("labels")).update({"label": "true"}, predicate=last)
    monkeypatch.setattr("nightjar.learning.train.tune.run", seen)
    settings = builders.search(final_days=1)
    settings.candidates["sure"] = Model(Estimator.LOGISTIC, calibration=Calibration.PLATT)
    with pytest.raises(LearningError, match=r"before 2024-03-31 cannot be split within, 1 deep.* those of sure. inner"):
        train_again(untrained, settings, tmp_path / "home")


class SeenError(Exception):
    """What a search was given."""


def seen(problem, *_):
    raise SeenError(problem)


def test_the_search_is_given_nothing_of_the_final_period(nights, untrained, tmp_path, monkeypatch):
    """Neither its rows nor any that were settled only after its first midnight, which is 23:00 in UTC."""
    monkeypatch.setattr("nightjar.learning.train.tune.run", seen)
    with pytest.raises(SeenError) as caught:
        train_again(untrained, builders.search(), tmp_path)
    (problem,) = caught.value.args
    used = np.unique(np.concatenate([part for fold in problem.folds for part in (fold.train, fold.test)]))
    assert problem.rows.day[used].max() < np.datetime64("2024-03-28")
    assert (problem.rows.settled_at()[used] <= np.datetime64("2024-03-27T23:00")).all()
    assert problem.rows.day.max() == np.datetime64("2024-03-30")


def test_a_feature_that_tells_the_labels_by_itself_is_asked_about(nights, untrained, tmp_path, monkeypatch, caplog):
    """And no other. Planted: the label, in the place of a feature."""
    rows = read_training_set(nights.warehouse, nights.project, builders.HISTORY)
    name = rows.features.column_names[0]
    noise = pa.table({one: np.random.default_rng(0).random(len(rows.label)) for one in rows.features.column_names})
    planted = noise.set_column(0, name, pa.array(rows.label.astype(float)))
    columns = feature_columns(planted.schema, planted.column_names)
    monkeypatch.setattr(
        "nightjar.learning.training_plan.read_training_set",
        lambda *_, **__: replace(rows, features=planted, columns=columns),
    )
    monkeypatch.setattr("nightjar.learning.train.tune.run", seen)
    with pytest.raises(SeenError):
        train_again(untrained, builders.search(), tmp_path)
    warnings = [record.getMessage() for record in caplog.records if "by itself tells the labels" in record.getMessage()]
    assert [message.split(" ")[0] for message in warnings] == [name]


def test_folds_of_a_search_that_no_model_came_of_are_in_mlflow(nights, untrained, ray_started, tmp_path):
    """A neighbourhood of more rows than there are is only told when it is asked for."""
    candidates = builders.search().candidates
    crowd = Model(Estimator.NEIGHBOURS, parameters={"n_neighbors": 10_000})
    settings, home = builders.search(candidates={"majority": candidates["majority"], "crowd": crowd}), tmp_path / "home"
    with pytest.raises(LearningError, match=r"(?s)No candidate has a value.*n_neighbors"):
        train_again(untrained, settings, home)
    client = tracking.connect(home)
    runs = client.search_runs([client.get_experiment_by_name("machines").experiment_id])
    parent = next(run for run in runs if "mlflow.parentRunId" not in run.data.tags)
    assert (parent.info.status, parent.data.tags["nightjar.run_id"]) == ("FAILED", "run-2")
    assert parent.info.run_name == "machines 2024-03-31"
    failed = [run for run in runs if "nightjar.failure" in run.data.tags]
    assert {run.data.tags["nightjar.candidate"] for run in failed} == {"crowd"}
    assert all(run.data.tags["nightjar.seed"] and "n_neighbors" in run.data.tags["nightjar.failure"] for run in failed)


def test_a_training_compares_its_model_with_the_champion(copied, ray_started, tmp_path, capsys):
    """And the job compare, on the rows that both leave, finds the same: the same recipe, so no difference."""
    environment = at(copied, shutil.copytree(copied.environment.home, tmp_path / "home"))
    train(copied.warehouse, copied.project, builders.search(), builders.HISTORY, "run-2", environment, "c")
    rows = arrow.read(copied.warehouse, "model_events", where=pc.field("run_id") == "run-2").to_pylist()
    evidence = next(json.loads(row["evidence"]) for row in rows if row["alias"] is None)
    of_champion = evidence["champion"]
    assert (of_champion["version"], of_champion["basis"]) == ("1", "the same recipe, which learns from more rows now")
    assert candidate_of_recipe(evidence["recipe"]).name == evidence["candidate"]["name"]

    settings = Compare(environment, copied.project)
    compare.run(Context(settings, "", Sessions(environment, "tests"), copied.warehouse, "c"))
    (path,) = Path(copied.warehouse.path("reports")).glob("versions-1-*.html")
    (pair,) = Page(path.read_text()).table("Paired differences")
    names, rows = ("version " + path.stem.rpartition("-")[2], "version 1"), evidence["champion"]["rows"]
    assert (pair["Newer"], pair["Older"], pair["Rows"], pair["Nights"]) == (*names, str(rows), "3")
    assert pair["Difference"].startswith("+0.000")
    assert "Paired differences on shared rows" in capsys.readouterr().out


def test_a_search_that_does_not_fit_the_data_is_refused_before_it_starts(nights, untrained, tmp_path):
    before = builders.versions(untrained.warehouse)
    with pytest.raises(LearningError, match=r"fold 1 .* has no rows to train on"):
        train_again(untrained, builders.search(split=Split(folds=9, test_days=2)), tmp_path)
    assert builders.versions(untrained.warehouse) == before
