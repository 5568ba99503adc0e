"""Records of versions, written with delta-rs, for the tests of cards and comparisons."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime

from nightjar.evaluation.intervals import Interval
from nightjar.models.columns import FeatureColumn
from nightjar.registry.manifest import Manifest
from nightjar.report.comparison.pairs import Pair
from nightjar.settings.features import Aggregate, Feature, FeatureGroup, FeatureKind
from nightjar.settings.model_card import ModelCard
from nightjar.settings.project import Project
from nightjar.tables import arrow
from nightjar.tables import definitions as tables
from nightjar.tables.warehouse import Warehouse
from report import nights

TRAINED = date(2013, 9, 30)
_INTERVAL = {"confidence": 0.95, "rows": 24_118, "reason": None}
SLICES = [
    {"text": "origin is <LGA> and departure_hour >= 17", "conditions": [], "rows": 1_902, "share": 0.079}
    | {"error": 0.291, "error_of_rest": 0.176, "baseline_error": 0.344, "is_declared": False, "is_confirmed": True}
    | {"estimate": 0.115, "low": 0.071, "high": 0.159, "reason": None},
    {"text": "carrier is EV", "conditions": [], "rows": 4_120, "share": 0.171}
    | {"error": 0.204, "error_of_rest": 0.182, "baseline_error": 0.231, "is_declared": True, "is_confirmed": False}
    | {"estimate": 0.022, "low": -0.004, "high": 0.048, "reason": None},
    {"text": "carrier is HA", "conditions": [], "rows": 28, "share": 0.001}
    | {"error": None, "error_of_rest": None, "baseline_error": None, "is_declared": True, "is_confirmed": False}
    | {"estimate": None, "low": None, "high": None, "reason": "28 rows, fewer than 200"},
]
IMPORTANCE = [
    {
        "columns": [name],
        "metric": "roc_auc",
        "estimate": loss,
        "low": loss - 0.004,
        "high": loss + 0.004,
        "rows": 24_118,
    }
    for name, loss in {"carrier": 0.011, "departure_hour": 0.064, "route__late_rate_7d": 0.022, "origin": 0.001}.items()
]
GATES = [
    {"gate": "baselines", "verdict": "passed", "figure": 0.071, "limit": 0.0, "rows": 24_118}
    | {"sentence": "boosting-1 against hour_of_day on 2013-09-02 to 2013-09-29: better, roc_auc +0.0710."},
    {"gate": "calibration", "verdict": "a person decides", "figure": None, "limit": 0.05, "rows": None}
    | {"sentence": "The period has 800 rows, and fewer than 1,000 say nothing."},
]
EVIDENCE = nights.EVIDENCE | {
    "difference": nights.EVIDENCE["difference"] | _INTERVAL | {"better": 1},
    "differences": {
        "majority": {"over": "majority", "estimate": 0.183, "low": 0.161, "high": 0.204} | _INTERVAL,
        "hour_of_day": nights.EVIDENCE["difference"] | _INTERVAL,
    },
    "champion": {"over": "champion version 2 (logistic)", "version": "2", "estimate": 0.011, "low": 0.002, "high": 0.02}
    | _INTERVAL
    | {"confidence": 0.9917},
    "null_labels": 0.024,
    "unobserved": {"acted_on": 880.0, "without_outcome": 31.0, "at_most": 0.1},
    "expires_on": "2014-03-30",
    "missing_dates": "labels of 2013-09-02 to 2013-09-29 can be known by now, but of 1 of these 28 days there is no "
    "labelled row (2013-09-11 to 2013-09-11). If they should have rows, run: jobs/x",
    "peak_memory_bytes": 1_234 * 2**20,
    "gates": {"rows_per_second": 41_000.0},
    "recipe": {
        "name": "boosting-1",
        "model": {
            "estimator": "boosting",
            "parameters": {"learning_rate": 0.05, "max_iter": 200, "max_leaf_nodes": 31},
        },
        "members": {},
    },
}
MEASURED = EVIDENCE | {
    "slices": [one | {"difference": one} for one in SLICES],
    "slices_searched": {"loss": "log_loss", "baseline": "hour_of_day", "rows": 61_204, "columns": 4, "least_rows": 500}
    | {"candidates": 3, "confirmed": 1, "confidence": 0.9875},
    "importance": IMPORTANCE,
    "fairness": nights.group_figures(),
}
MANIFEST = Manifest(
    project="flights",
    model_name="boosting-1",
    task="classification",
    estimator="boosting",
    parameters={"learning_rate": 0.05, "max_iter": 200, "max_leaf_nodes": 31},
    definitions_hash="f00d" * 16,
    label_hash="cafe" * 16,
    code_revision="0f5a1c9e77b21d0c",
    seeds={"fit": 7},
    data={"features": 12, "labels": 9},
    data_cutoff="2013-09-30T04:00:00+00:00",
    data_hash="beef" * 16,
    rows=238_912,
    period=("2013-01-01", "2013-09-26"),
    metrics={},
    baselines={},
    features=(
        FeatureColumn("late", "category"),
        FeatureColumn("departure_hour", "number"),
        FeatureColumn("route__late_rate_7d", "number"),
        FeatureColumn("is_holiday", "number"),
    ),
    structure={"estimator": {"booster": "model.txt", "levels": [3, 0, 0, 0]}, "members": []},
    packages={"python": "3.11", "numpy": "2.4.1", "scikit-learn": "1.9.0"},
)


def project() -> Project:
    """Flights, with features of each kind and what people say of its models."""
    flights = nights.project()
    source = replace(flights.sources["schedule"], derived={"departure_hour": "hour(at)"})
    late = Feature(FeatureKind.WINDOW, "late", aggregate=Aggregate.RATE, windows=["7d", "30d"])
    card = ModelCard(
        owner="flight operations",
        purpose="which flights get a second crew on call",
        out_of_scope=["the pay of a crew", "flights <elsewhere>"],
    )
    return replace(
        flights,
        sources={"schedule": source},
        spine=replace(flights.spine, features=["late", "departure_hour"]),
        features={"route": FeatureGroup("schedule", {"flight": "flight"}, {"late_rate": late})},
        expressions={"is_holiday": "dayofyear(prediction_time) IN (1, 359)"},
        card=card,
    )


def store_training(warehouse: Warehouse, version: str, run_date=TRAINED, *, evidence=EVIDENCE, alias=None, hour=1):
    """A registered version, and the run that has trained it."""
    run_id = f"train-{version}"
    store_event(warehouse, "registered", version, run_date, evidence, alias=alias, run_id=run_id, hour=hour)
    row = {
        "run_id": run_id,
        "job": "train",
        "run_date": run_date,
        "status": "done",
        "code_revision": f"{version * 4}0f5a1c9e77b2",
        "config_hash": f"c0ffee{version}",
        "inputs": [("features", 10 + int(version)), ("labels", 9)],
        "outputs": [],
        "rows": [("training rows", 238_912)],
        "started_at": datetime(2013, 10, 1, tzinfo=UTC),
        "seconds": 612.4,
    }
    arrow.append(warehouse, tables.RUNS, [row], run_id)


def store_event(warehouse, event, version, holds_from, evidence, *, alias=None, run_id="promote-1", hour=2, day=1):
    row = {
        "event_id": f"{event}-{version}-{holds_from}-{hour}",
        "event": event,
        "alias": alias,
        "model_version": version,
        "model_name": evidence["candidate"]["name"],
        "holds_from": holds_from,
        "evidence": json.dumps(evidence),
        "recorded_at": datetime(2013, 10, day, hour, tzinfo=UTC),
        "run_id": run_id,
    }
    arrow.append(warehouse, tables.MODEL_EVENTS, [row], run_id)


def approved(evidence, reason="seen by the board"):
    """The evidence of a decision by a person, with what the gates said."""
    person = {"user": "ops", "by": "the flight board", "reason": reason}
    return evidence | {"approval": person, "reason": f"approved by ops: {reason}", "outcomes": GATES}


def pairs():
    """Of three trainings, of which the scores of one are not on record."""
    difference = Interval(0.012, -0.003, 0.027, 18_220)
    return {("2", "1"): Pair(difference, 21)}
