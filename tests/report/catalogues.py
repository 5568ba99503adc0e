"""A project with an owner and a sensitive column, and tables of two of its nights, for the tests of the catalogue."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa

import builders
from nightjar.settings.datasheet import Datasheet
from nightjar.settings.model_card import ModelCard
from nightjar.settings.serving.serving import Serving
from nightjar.tables import arrow, definitions, runs
from nightjar.tables.score_definitions import scores_table
from nightjar.tables.source_definitions import source_table

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
