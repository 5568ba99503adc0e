"""The night's scores: by the champion of the date, on its stored features, and once however often it is run."""

import shutil
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from deltalake import DeltaTable, write_deltalake

import builders
from builders import rows_of
from nightjar.errors import ModelError, TableError
from nightjar.monitoring import drift, performance
from nightjar.registry import events, lookup, verified
from nightjar.registry.events import Version
from nightjar.registry.signature import Subject
from nightjar.scoring.score import score
from nightjar.settings.feedback import Feedback
from nightjar.settings.spine import Weekday
from nightjar.tables import arrow
from nightjar.tables.source_definitions import QUALITY

D1, D2 = date(2024, 4, 1), date(2024, 4, 2)


@pytest.fixture
def again(copied, spark):
    """Score a date of the copied warehouse once more."""

    def run(run_date=D1, *, retrospective=False):
        environment = copied.environment
        return score(
            lambda: spark, copied.warehouse, copied.project, run_date, "again", environment, retrospective=retrospective
        )

    return run


def refused(again, warehouse, error, message, run_date=D1):
    """The error, and that nothing was touched."""
    before = builders.versions(warehouse)
    with pytest.raises(error, match=message):
        again(run_date)
    assert builders.versions(warehouse) == before


def test_scores_are_what_the_champion_predicts_on_the_stored_features(nights):
    champion = events.champion(nights.warehouse, D1)
    version = champion.number
    predictor = verified.load(nights.environment, Subject("machines", champion.model_name, version)).open()
    for day in (D1, D2):
        where = pc.field("run_date") == day
        features = arrow.read(nights.warehouse, "features", where=where).sort_by("machine")
        scores = arrow.read(nights.warehouse, "scores", where=where).sort_by("machine")
        assert scores["machine"].to_pylist() == list(builders.MACHINES)
        assert np.array_equal(scores["score"].to_numpy(), predictor.predict(features))
        assert set(scores["role"].to_pylist()) == {"champion"}
        assert set(scores["model_version"].to_pylist()) == {version}
        assert set(scores["prediction_time"].to_pylist()) == set(features["prediction_time"].to_pylist())
    assert len(set(arrow.read(nights.warehouse, "scores")["prediction_id"].to_pylist())) == 10


def test_a_rerun_leaves_one_set_of_the_same_ids_and_scores(nights, copied, again):
    outcome = again()
    assert rows_of(copied.warehouse, "scores") == rows_of(nights.warehouse, "scores")
    assert rows_of(copied.warehouse, "scores", "run_id", "run_date").count(("again", D1)) == 5
    assert outcome.rows == {"scores": 5}
    assert outcome.outputs == {"scores": 3}


def test_a_night_of_a_weekday_without_rows_has_no_scores_nor_drift_keeps_none_and_needs_no_champion(copied, spark):
    """First one whose rows an edit has ruled out, then one before anything was scored or anybody was promoted."""
    project = replace(copied.project, spine=replace(copied.project.spine, weekdays=[Weekday.MONDAY]))
    warehouse = copied.warehouse
    context = (lambda: spark, warehouse, project)
    DeltaTable(warehouse.path("features")).delete("run_date = '2024-04-02'")
    shutil.rmtree(warehouse.path("model_events"))
    for scored in ({D1}, set()):
        outcome = score(*context, D2, "again", copied.environment, retrospective=False)
        of_drift, _ = drift.measure(lambda: spark, *context[1:], D2, "again")
        assert outcome.rows | of_drift.rows == {"scores": 0, "drift": 0}
        for table in ("scores", "drift"):
            assert {day for (day,) in rows_of(warehouse, table, "run_date")} == scored, table
            shutil.rmtree(warehouse.path(table))
    score(*context, D2, "again", copied.environment, retrospective=False)
    of_performance, _ = performance.measure(warehouse, project, D2, "again")
    assert of_performance.rows == {"performance": 0}
    with pytest.raises(ModelError, match="No champion of machines holds on 2024-04-08"):
        score(*context, date(2024, 4, 8), "again", copied.environment, retrospective=False)


def no_session():
    raise AssertionError("Spark was asked for")


def test_few_rows_are_scored_without_spark_and_by_its_tasks_alike(nights, copied, again, monkeypatch):
    environment = copied.environment
    score(no_session, copied.warehouse, copied.project, D1, "here", environment, retrospective=False)
    here = rows_of(copied.warehouse, "scores")
    monkeypatch.setattr("nightjar.scoring.night.FEW_ROWS", 0)
    with pytest.raises(AssertionError, match="Spark was asked for"):
        score(no_session, copied.warehouse, copied.project, D1, "here", environment, retrospective=False)
    again()
    assert here == rows_of(copied.warehouse, "scores") == rows_of(nights.warehouse, "scores")


def warn(warehouse, day, *sources):
    """As if ingest had been told to go on with too little of these sources."""
    rows = arrow.read(warehouse, "quality", where=pc.field("run_date") == day).to_pylist()
    for row in rows:
        if row["check"] == "arrived" and row["source"] in sources:
            row.update({"status": "warn", "message": "no new row"})
    arrow.replace(warehouse, QUALITY, rows, {"run_date": day}, "warned")


def test_scores_are_marked_where_a_source_that_the_champion_needs_brought_too_little(nights, copied, again):
    """Outcomes are the label's: no feature is made of them."""
    warn(copied.warehouse, D1, "readings", "outcomes")
    again()
    marks = rows_of(copied.warehouse, "scores", "run_date", "input_warnings")
    assert marks == [(D1, "readings")] * 5 + [(D2, None)] * 5
    plain = ("prediction_id", "score")
    assert rows_of(copied.warehouse, "scores", *plain) == rows_of(nights.warehouse, "scores", *plain)
    warn(copied.warehouse, D1, "schedule")
    again()
    assert rows_of(copied.warehouse, "scores", "run_date", "input_warnings")[0] == (D1, "readings, schedule")


def test_a_rerun_uses_the_champion_that_held_then(copied, again):
    """A version that was promoted for a later date does not touch this one, even if it cannot be fetched."""
    events.record(copied.warehouse, "promoted", Version("99", "later", D2, {}), "x", alias="champion")
    again()
    refused(again, copied.warehouse, ModelError, "Version 99 of model machines cannot be fetched", D2)


def test_rows_that_nobody_acts_on_are_drawn_where_the_project_says_so(copied, again, spark):
    """The night before has no such columns, and they are null there."""
    project = replace(copied.project, feedback=Feedback(exploration=0.5, control=0.2))
    score(lambda: spark, copied.warehouse, project, D2, "again", copied.environment, retrospective=False)
    drawn = rows_of(copied.warehouse, "scores", "run_date", "assignment", "propensity")
    chances = {"control": 0.2, "exploration": 0.4, "score": 0.4}
    assert {(assignment, propensity) for day, assignment, propensity in drawn if day == D1} == {(None, None)}
    of_day = [(assignment, propensity) for day, assignment, propensity in drawn if day == D2]
    assert len(of_day) == 5
    assert all(propensity == pytest.approx(chances[assignment]) for assignment, propensity in of_day)


def test_a_champion_older_than_its_expiry_scores_nothing_unless_nobody_is_served(copied, again, caplog):
    champion = events.champion(copied.warehouse, D1)
    expired = replace(champion, evidence={**champion.evidence, "expires_on": str(D1)})
    events.record(copied.warehouse, "promoted", expired, "run-2", events.CHAMPION)
    message = f"Champion version 1 has expired on {D1}: it scores no night from that date on.*action=rollback"
    refused(again, copied.warehouse, ModelError, message)
    again(D1, retrospective=True)
    assert f"champion version 1: It has expired on {D1}." in caplog.text


def test_without_a_champion_nothing_is_scored(copied, again):
    DeltaTable(copied.warehouse.path("model_events")).delete("event = 'promoted'")
    refused(again, copied.warehouse, ModelError, "No champion of machines holds on 2024-04-01")


def test_a_champion_that_is_not_as_it_was_signed_is_refused(copied, again):
    """Altered in place, and put back."""
    home = Path(copied.environment.home)
    path = lookup.fetch(home, "machines", events.champion(copied.warehouse, D1).number) / "MLmodel"
    content = path.read_bytes()
    try:
        path.write_bytes(content.replace(b"nightjar.registry.pyfunc", b"other.loader"))
        refused(again, copied.warehouse, ModelError, "MLmodel was altered. Nothing in it was opened")
    finally:
        path.write_bytes(content)


def test_a_night_without_features_is_refused(again, copied):
    refused(again, copied.warehouse, TableError, "features has no row for 2024-04-04.*build_features", date(2024, 4, 4))


def test_a_champion_of_other_features_is_refused_column_by_column(copied, again):
    """`load` has become a text, and `site` is gone."""
    features = arrow.read(copied.warehouse, "features")
    changed = features.drop_columns(["site"]).set_column(
        features.schema.names.index("load"), "load", features["load"].cast(pa.string())
    )
    path = copied.warehouse.path("features")
    write_deltalake(path, changed, mode="overwrite", schema_mode="overwrite", partition_by=["run_date"])
    expected = r"does not fit table features: (?=.*changed: load is category, expected number)(?=.*missing: site \(cat)"
    refused(again, copied.warehouse, ModelError, expected)


def test_a_number_that_no_model_computes_with_is_told_with_its_column_its_rows_and_their_keys(copied, again):
    """A float64's greatest, in two of the five rows."""
    outsized = "run_date = '2024-04-01' AND machine IN ('m2', 'm4')"
    DeltaTable(copied.warehouse.path("features")).update({"load": "1.797e308"}, predicate=outsized)
    expected = (
        r"No score of 2024-04-01 was written\. .*column load holds 1\.797e\+308 in .* "
        r"load is too great in 2 of 5 rows: load=1\.797e\+308 at machine=m[24], "
        r"prediction_time=2024-03-31 22:00:00\+00:00; .*machine=m[24], "
    )
    refused(again, copied.warehouse, ModelError, expected)


def test_features_of_other_definitions_are_refused_although_their_columns_fit(copied, again):
    DeltaTable(copied.warehouse.path("features")).update(
        {"definitions_hash": "'0123456789abcdef'"}, predicate="run_date = '2024-04-01'"
    )
    message = (
        r"was trained on feature definitions .*, but the features of 2024-04-01 were built with 0123456789ab.* score: "
        r"python jobs/nightly\.py project=machines run_date=2024-04-01 "
        r"only=\[build_features,train,promote,score,monitor\]"
    )
    refused(again, copied.warehouse, ModelError, message)


def test_a_champion_of_another_label_is_refused_labels_without_a_hash_aside(copied, again):
    labels = DeltaTable(copied.warehouse.path("labels"))
    labels.update({"label_hash": f"'{'0123456789ab' * 6}'"}, predicate="run_date = '2024-04-01'")
    labels.update({"label_hash": "null"}, predicate="run_date > '2024-04-01'")
    refused(again, copied.warehouse, TableError, r"labels at .* mixes labels of 2 definitions \(0123456789ab, ")
    labels.update({"label_hash": "null"}, predicate="run_date < '2024-04-01'")
    message = (
        r"was trained on labels of definition [0-9a-f]{12}, but those that are stored are of 0123456789ab: .* score: "
        r"python jobs/nightly\.py project=machines run_date=2024-04-01 only=\[build_features,train,"
    )
    refused(again, copied.warehouse, ModelError, message)


def test_a_model_that_has_seen_later_data_is_refused_or_scores_under_a_role_of_its_own(copied, again):
    """The champion holds for a prediction time that lies before the cutoff of its data."""
    early = datetime(2024, 3, 30, 22, 59, tzinfo=UTC)
    features = arrow.read(copied.warehouse, "features", where=pc.field("run_date") == D1)
    times = pa.array([early + timedelta(seconds=n) for n in range(len(features))], pa.timestamp("us", "UTC"))
    moved = features.set_column(features.schema.names.index("prediction_time"), "prediction_time", times)
    path = copied.warehouse.path("features")
    write_deltalake(path, moved, mode="overwrite", predicate="run_date = '2024-04-01'")
    message = "has learned from data until 2024-03-30T23:00:00.*later than the prediction time 2024-03-30T22:59"
    refused(again, copied.warehouse, ModelError, f"{message}.*retrospective=true")
    champions = [row for row in rows_of(copied.warehouse, "scores") if "champion" in row]
    again(retrospective=True)
    roles = rows_of(copied.warehouse, "scores", "run_date", "role")
    assert (roles.count((D1, "champion")), roles.count((D1, "retrospective"))) == (5, 5)
    assert [row for row in rows_of(copied.warehouse, "scores") if "champion" in row] == champions
