"""The catalogue: tables, columns, lineage, freshness, owners and queries of a project, as a page and as data."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import deltalake
import pyarrow as pa
import pytest

import builders
from nightjar.report.catalogue import writing
from nightjar.report.catalogue.contents import read_catalogue
from nightjar.report.catalogue.page import render
from nightjar.settings.datasheet import Datasheet
from nightjar.settings.model_card import ModelCard
from nightjar.settings.serving.serving import Serving
from nightjar.tables import arrow, definitions, runs
from nightjar.tables.score_definitions import scores_table
from nightjar.tables.source_definitions import source_table
from nightjar.tables.warehouse import Warehouse
from report.page import Page

NIGHT = date(2024, 4, 2)
INSTANT = datetime(2024, 4, 1, 22, tzinfo=UTC)
KEY = pa.schema([("machine", pa.string())])
IMPORTANCE = [
    {"columns": ["load", "site"], "metric": "roc_auc", "estimate": 0.21, "low": 0.1, "high": 0.3},
    {"columns": ["temperature__last"], "metric": "roc_auc", "estimate": 0.02, "low": 0.0, "high": 0.04},
]


def project(**changes):
    own = builders.machines(Path("raw"))
    card = ModelCard(owner="Maintenance <planning>", contact="planning@example.org")
    schedule = replace(own.sources["schedule"], datasheet=Datasheet(owner="the <plant>", purpose="what is planned"))
    changed = {"card": card, "sources": own.sources | {"schedule": schedule}, "serving": Serving(sensitive=["load"])}
    return replace(own, **changed | changes)


def store(warehouse):
    """Two nights of some tables, a champion, and runs of the newest night that do not write scores."""
    schedule = project().sources["schedule"]
    facts = pa.schema([(name, pa.string()) for name in schedule.stored_columns() if name != "prediction_time"])
    facts = facts.append(pa.field("prediction_time", pa.timestamp("us", tz="UTC")))
    row = {"event_time": INSTANT, "known_at": INSTANT, "machine": "m1", "prediction_time": INSTANT}
    arrow.append(warehouse, source_table("schedule", schedule.key, facts), [row | {"ingested_on": NIGHT}], "ingest-2")
    joined = pa.schema([("temperature__last", pa.float64())])
    spine = pa.schema([*KEY, ("load", pa.float64()), ("site", pa.string())])
    features = definitions.features_table(project(), spine, joined)
    values = [("m1", 812.0, 20.5), ("m2", 377.0, None)]
    rows = [
        {"machine": name, "load": load, "prediction_time": INSTANT, "temperature__last": warm, "run_date": NIGHT}
        for name, load, warm in values
    ]
    arrow.append(warehouse, features, rows, "build-2")
    score = {"prediction_id": "a", "machine": "m1", "prediction_time": INSTANT, "score": 0.4, "role": "champion"}
    score |= {"served": True, "run_date": NIGHT - timedelta(days=1), "run_id": "score-1"}
    arrow.append(warehouse, scores_table(project(), KEY), [score], "score-1")
    for event in ("registered", "promoted"):
        row = {"event_id": event, "event": event, "model_version": "7", "model_name": "boosting-1", "run_id": "train-1"}
        row |= {"holds_from": date(2024, 3, 31), "recorded_at": INSTANT, "alias": "champion"}
        arrow.append(
            warehouse, definitions.MODEL_EVENTS, [row | {"evidence": json.dumps({"importance": IMPORTANCE})}], "t"
        )
    for hour, (job, night, status, outputs) in enumerate(
        [
            ("score", NIGHT - timedelta(days=1), "done", {"scores": 1}),
            ("ingest", NIGHT, "done", {"source_schedule": 1, "quarantine": 1}),
            ("build_features", NIGHT, "done", {"features": 1}),
            ("score", NIGHT, "failed", {}),
        ]
    ):
        began = INSTANT + timedelta(hours=hour)
        outcome = runs.Outcome(outputs=outputs)
        run = runs.Run(f"{job}-{night}", job, night, status, None, "abc", "def", began, 1.0, outcome)
        runs.record(warehouse, run)


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory):
    one = Warehouse(str(tmp_path_factory.mktemp("catalogue")), "machines")
    store(one)
    return one


@pytest.fixture(scope="module")
def written(warehouse):
    path = Path(writing.write(warehouse, project()))
    return Page(path.read_text(encoding="utf-8")), json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))


def tables(record):
    return {table["name"]: table for table in record["tables"]}


def columns(record, table):
    return {column["name"]: column for column in tables(record)[table]["columns"]}


def test_every_table_is_there_declared_or_live_with_its_contract(written):
    _, record = written
    listed = tables(record)

    assert {
        "source_schedule",
        "source_outcomes",
        "features",
        "scores",
        "runs",
        *(one.name for one in definitions.FIXED),
    } <= {*listed}
    assert (listed["features"]["rows"], listed["features"]["newest_date"]) == (2, "2024-04-02")
    assert listed["features"]["key"] == ["machine", "prediction_time"]
    assert (listed["labels"]["rows"], listed["labels"]["version"]) == (None, None)
    assert columns(record, "labels")["label"]["type"] == "boolean"
    assert columns(record, "source_outcomes")["failed"]["type"] == "boolean"


def test_a_table_that_the_newest_night_has_not_written_is_late(written):
    page, record = written
    late = [name for name, table in tables(record).items() if table["is_late"]]

    assert record["newest_night"] == "2024-04-02"
    assert late == ["scores"]
    assert "late: last written for 2024-04-01" in page.text
    assert "the attempt after it: failed for 2024-04-02" in page.text


def test_owners_are_those_of_the_datasheet_and_of_the_card(written):
    page, record = written

    assert tables(record)["source_schedule"]["owner"] == "the <plant>"
    assert tables(record)["scores"]["owner"] == "Maintenance <planning>, planning@example.org"
    assert tables(record)["source_readings"]["owner"] is None
    assert any("tables without an owner" in fact and fact.startswith("2") for fact in page.facts)


def test_a_column_says_what_it_is_made_of_and_leads_there(written):
    page, record = written
    ids = {attributes.get("id") for _, attributes in page.tags}
    inner = {str(one["href"])[1:] for tag, one in page.tags if tag == "a" and str(one.get("href")).startswith("#")}

    assert inner <= ids
    assert "last temperature of the same machine, at most 2d old" in page.text
    (step,) = [one for one in record["lineage"] if one["column"]["column"] == "temperature__last"]
    assert step["values"] == [{"layer": "facts", "place": "readings", "column": "temperature"}]
    assert {"layer": "facts", "place": "readings", "column": "known_at"} in step["rows"]


def test_an_id_stands_once(written):
    page, _ = written
    ids = [attributes["id"] for _, attributes in page.tags if attributes.get("id")]
    assert len(ids) == len(set(ids))


def test_the_model_reads_what_was_measured_the_greatest_loss_first(written):
    page, record = written
    (score,) = [
        one for one in record["lineage"] if one["column"] == {"layer": "scores", "place": "scores", "column": "score"}
    ]
    rows = page.table("Its features")

    assert [one["column"] for one in score["values"]] == ["load", "site", "temperature__last"]
    assert [(row["feature"], row["loss"]) for row in rows] == [
        *(("load", "0.2100 with 1 more"), ("site", "0.2100 with 1 more"), ("temperature__last", "0.0200")),
    ]
    assert rows[2]["of these raw columns"] == "readings.temperature"


def test_of_a_sensitive_column_neither_bounds_nor_nulls_are_shown(written):
    page, record = written
    shown = columns(record, "features")

    assert (shown["load"]["is_sensitive"], shown["load"]["null_share"]) == (True, None)
    assert shown["temperature__last"]["null_share"] == 0.5
    assert "812" not in page.text
    assert "377" not in page.text


def test_what_people_wrote_is_text_and_no_markup(written):
    page, _ = written
    assert "the <plant>" in page.text
    assert "plant" not in {tag for tag, _ in page.tags}


def test_the_same_tables_give_the_same_page(warehouse):
    assert render(read_catalogue(warehouse, project())) == render(read_catalogue(warehouse, project()))


def test_without_any_table_everything_is_declared_and_nothing_late(tmp_path):
    page = Page(Path(writing.write(Warehouse(str(tmp_path), "machines"), project())).read_text(encoding="utf-8"))

    assert "Nothing has been promoted yet" in page.text
    assert "not written yet" in page.text
    assert "late:" not in page.text


def test_a_damaged_table_and_columns_nobody_declares_are_on_the_page(tmp_path):
    warehouse = Warehouse(str(tmp_path), "machines")
    store(warehouse)
    deltalake.DeltaTable(warehouse.path("features")).alter.add_columns(
        [deltalake.Field("of_before", deltalake.schema.PrimitiveType("double"))]
    )
    log = Path(warehouse.path("scores")) / "_delta_log" / "00000000000000000001.json"
    log.write_text("{")
    page = Page(Path(writing.write(warehouse, project())).read_text(encoding="utf-8"))

    assert "no longer declared" in page.text
    assert any("cannot be opened" in fact and "scores" in fact for fact in page.facts)


def test_the_python_lines_run(warehouse, capsys):
    catalogue = read_catalogue(warehouse, project())
    text = render(catalogue)
    lines = [one for one in Page(text).code["python"] if "deltalake" in one]
    for one in lines:
        if any(f"{table.path!r}" in one for table in catalogue.tables() if table.live is not None):
            exec(one, {})  # noqa: S102  (this is what the reader does with it)
    assert "m1" in capsys.readouterr().out
