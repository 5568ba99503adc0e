"""What monitoring stores of a night: signals, verdicts, triggers, alerts, judged drift, estimates, watched slices."""

import json
from datetime import UTC, datetime, timedelta

import numpy as np

from nightjar.tables import arrow
from nightjar.tables import monitoring_definitions as tables
from nightjar.tables.definitions import RUNS
from nightjar.tables.serving_definitions import ALERTS
from report import nights
from report.nights import NIGHT, VERSION

COMMAND = f"python jobs/ingest.py project=flights run_date={NIGHT} --preview landings"
SIGNALS = [
    (
        *("upstream", "landings", "act"),
        "The newest fact of landings is 31 h old, nights before had one of the last 9 h: the source stands still.",
        *(COMMAND, 1),
    ),
    (
        *("covariate", "28-day lateness of every origin", "watch"),
        (
            "12 columns moved together, as far as 4.1 spreads beyond training nights (watched from 3.3): "
            "route=EWR-ORD explains most of it."
        ),
        *(None, 6),
    ),
    ("performance", "roc_auc", "unknown", "No date of the last 14 has labels enough to be judged.", None, 3),
    ("fairness", "origin=<LGA>", "watch", "Recall is 7 points below that of all others (2 to 12).", None, 2),
    ("data", "quarantine", "watch", "3 of 912 rows of landings were refused.", "python jobs/quarantine.py", 1),
    ("covariate", "all columns", "ok", "66 of 81 columns are as far from training as nights usually are.", None, None),
    ("prediction", "score", "ok", "Scores are distributed as usual.", None, None),
    ("schema", "features", "ok", "No column is missing, and none is new.", None, None),
]
PASSED = ("jobs", "monitor", "unknown", "monitor ran 3 h late.", None, 1)
SENTENCE = "The source landings has stood still since yesterday, so that 12 of 81 features are a day old."
TRIGGERS = [
    ("time", "no", "The champion was trained 3 days ago.", "an age of 28 days, on 2013-10-28"),
    ("drift", "postponed", "A column is to be acted on, but a source stands still.", "no upstream signal"),
    ("performance", "unknown", "No date is judged.", "labels of 5 dates"),
]
STATES = "ok ok ok watch ok ok ok ok watch watch ok ok act act unknown ok ok ok ok ok ok watch ok ok watch ok ok act"


def store_watched(warehouse, state="act", signals=SIGNALS):
    """The night's verdict after four weeks of others, and all that led to it."""
    store_verdicts(warehouse, [*STATES.split()[:-1], state])
    store_signals(warehouse, signals)
    store_signals(warehouse, [*signals[:2], PASSED], NIGHT - timedelta(days=1))
    store_triggers(warehouse)
    store_alerts(warehouse)
    store_judged_drift(warehouse)
    store_estimates(warehouse)
    store_costs(warehouse)
    store_vintages(warehouse)
    store_slices(warehouse)
    store_slice_estimates(warehouse)
    store_seconds(warehouse)


def store_verdicts(warehouse, states):
    rows = [
        {
            "verdict": state,
            "sentence": SENTENCE if state == "act" else f"It is {state}.",
            "command": COMMAND if state == "act" else None,
            "evidence": "{}",
            "model_version": VERSION,
            "run_date": NIGHT - timedelta(days=back),
            "run_id": "monitor-1",
        }
        for back, state in enumerate(reversed(states))
    ]
    arrow.append(warehouse, tables.VERDICTS, rows, "monitor-1")


def store_signals(warehouse, signals, night=NIGHT):
    rows = [
        {
            "kind": kind,
            "subject": subject,
            "state": state,
            "sentence": sentence,
            "command": command,
            "since": ago and NIGHT - timedelta(days=ago - 1),
            "evidence": json.dumps({"value": 1.0}),
            "run_date": night,
            "run_id": "monitor-1",
        }
        for kind, subject, state, sentence, command, ago in signals
    ]
    arrow.append(warehouse, tables.SIGNALS, rows, "monitor-1")


def store_triggers(warehouse):
    names = ("rule", "decision", "sentence", "needed")
    shared = {"evidence": "{}", "model_version": VERSION, "run_date": NIGHT, "run_id": "monitor-1"}
    rows = [dict(zip(names, one, strict=True)) | shared for one in TRIGGERS]
    arrow.append(warehouse, tables.TRIGGERS, rows, "monitor-1")


def store_alerts(warehouse):
    """One new, one acknowledged, one resolved tonight, one resolved long ago."""
    changes = [
        ("a", 0, "new", "upstream", "landings", "critical"),
        ("b", 5, "new", "covariate", "28-day lateness of every origin", "warning"),
        ("b", 4, "acknowledged", "covariate", "28-day lateness of every origin", "warning"),
        ("c", 2, "new", "jobs", "monitor", "warning"),
        ("c", 0, "resolved", "jobs", "monitor", "warning"),
        ("d", 9, "new", "data", "quarantine", "warning"),
        ("d", 8, "resolved", "data", "quarantine", "warning"),
    ]
    rows = [
        {
            "alert_id": name,
            "changed_at": datetime(2013, 10, 3, 6, tzinfo=UTC) - timedelta(days=back),
            "state": state,
            "kind": kind,
            "subject": subject,
            "severity": severity,
            "message": SENTENCE if name == "a" else f"Something is amiss with {subject}.",
            "evidence": "{}",
            "run_date": NIGHT - timedelta(days=back),
            "run_id": "monitor-1",
        }
        for name, back, state, kind, subject, severity in changes
    ]
    arrow.append(warehouse, ALERTS, rows, "monitor-1")


def store_judged_drift(warehouse, days=60):
    """Distances as monitoring judges them: two columns moved, of one it cannot be said, others are as usual."""
    random = np.random.default_rng(3)
    stored = arrow.read(warehouse, "drift").to_pylist()
    psi = {row["subject"]: row["value"] for row in stored if row["measure"] == "psi"}
    ranked = sorted((name for name in psi if name not in ("score", "constant")), key=lambda name: -psi[name])
    states = dict.fromkeys(ranked, "ok") | {ranked[0]: "act", ranked[1]: "watch", ranked[3]: "unknown", "score": "ok"}
    rows = []
    for place, (name, state) in enumerate(states.items()):
        walk = np.cumsum(random.normal(0, 0.25, days)) + random.normal(0, 0.4, days)
        moved = np.where(np.arange(days) > days - 7, 5.2 if state == "act" else 3.6, 0) * (state in ("act", "watch"))
        for back in range(days):
            tonight = back == 0
            row = {"evaluated_date": NIGHT - timedelta(days=back), "subject": name, "slice": "all", "measure": "psi"}
            row |= {"run_date": NIGHT - timedelta(days=back), "run_id": "monitor-1", "model_version": VERSION}
            row |= {"value": psi[name] * (1 if tonight else 0.6), "rows": 400, "threshold": 3.3}
            row |= {"studentised": float(walk[days - 1 - back] * 0.5 + moved[days - 1 - back])}
            row |= {"state": state if tonight else "ok"}
            row |= {"importance": None if name == "score" else 0.3 / (place + 1)}
            row |= {"cluster": "28-day lateness of every origin" if tonight and place < 2 else None}
            row |= {"reason": "fewer than 50 rows" if state == "unknown" and tonight else None}
            rows.append(row if state != "unknown" or not tonight else row | {"studentised": None})
    others = [row for row in stored if row["measure"] != "psi" or row["subject"] not in states]
    everything = {"evaluated_date": NIGHT, "subject": "all columns", "slice": "all", "measure": "maximum"}
    everything |= {"value": 5.9, "p_value": 0.004, "state": "act", "threshold": 3.3, "rows": 400}
    everything |= {"run_date": NIGHT, "run_id": "monitor-1", "model_version": VERSION}
    arrow.replace(warehouse, tables.DRIFT, others, {"run_date": NIGHT}, "monitor-1")
    spans = [{"window_days": 7}, {"window_days": 28, "reason": "of 28 nights 12 are there"}, {"reference": "anchor"}]
    about = {"evaluated_date": NIGHT, "slice": "all", "measure": "psi", "run_date": NIGHT, "run_id": "monitor-1"}
    over = [
        about | {"subject": name, "value": psi[name] * (1 + place), "model_version": VERSION, **span}
        for name in ranked[:-1]
        for place, span in enumerate(spans, start=1)
    ]
    arrow.append(warehouse, tables.DRIFT, [*rows, everything, *over], "monitor-1")


def store_estimates(warehouse, dates=21):
    """Judged dates with intervals before those of the night, and estimates of the dates since."""
    random = np.random.default_rng(4)
    shared = {"slice": "all", "measure": "roc_auc", "run_date": NIGHT, "run_id": "monitor-1", "model_version": VERSION}
    shared |= {"at_training": 0.683, "baseline": 0.612}
    rows = []
    for back in range(7, 7 + dates):
        value = 0.67 + 0.02 * random.normal()
        row = {"evaluated_date": NIGHT - timedelta(days=back), "subject": "champion", "value": value, **shared}
        row |= {"low": value - 0.05, "high": value + 0.045, "rows": 930, "provisional": False, "basis": "realised"}
        rows += [row, row | {"measure": "matured_share", "value": 1.0, "low": None, "high": None}]
        if back % 4 == 0:
            rows.append(row | {"subject": "challenger", "value": value + 0.02})
    for back in range(10):
        value = 0.665 + 0.01 * random.normal()
        row = {"evaluated_date": NIGHT - timedelta(days=back), "subject": "estimate", "value": value, **shared}
        row |= {"low": value - 0.04, "high": value + 0.04, "rows": 930, "provisional": True, "basis": "estimated"}
        rows.append(row | {"interval_coverage": 0.947})
    arrow.append(warehouse, tables.PERFORMANCE, rows, "monitor-1")


def store_costs(warehouse, dates=12):
    """What decisions have cost on judged dates, of which the last two are provisional."""
    rows = []
    for back in range(1, 1 + dates):
        row = {
            "evaluated_date": NIGHT - timedelta(days=back),
            "subject": "champion",
            "slice": "all",
            "rows": 900 + back,
        }
        row |= {"run_date": NIGHT, "run_id": "monitor-1", "model_version": VERSION, "provisional": back < 3}
        cost = 0.18 + 0.02 * np.sin(back)
        rows.append(row | {"measure": "cost", "value": cost, "low": cost - 0.02, "high": cost + 0.03})
        rows += [row | {"measure": f"cost_if_{who}", "value": value} for who, value in (("none", 0.21), ("all", 0.3))]
    arrow.append(warehouse, tables.PERFORMANCE, rows, "monitor-1")


def store_vintages(warehouse, dates=12):
    """Dates whose labels take 45 days, as nights have judged them since: the newer ones are worse at the same age."""
    rows = []
    for back in range(29, 29 + dates):
        row = {"evaluated_date": NIGHT - timedelta(days=back), "subject": "champion", "slice": "all", "rows": 900}
        row |= {"run_id": "monitor-1", "model_version": VERSION, "provisional": True, "basis": "realised"}
        for age in range(back % 5 or 5, back + 1, 5):
            row |= {"run_date": NIGHT - timedelta(days=back - age), "age_days": age}
            rows.append(row | {"measure": "roc_auc", "value": 0.6 + 0.002 * back - 0.3 / (age + 10)})
            rows.append(row | {"measure": "known_positive_share", "value": 0.2 * (1 - np.exp(-age / 20)) - back / 1e4})
    arrow.append(warehouse, tables.PERFORMANCE, rows, "monitor-1")


def store_slices(warehouse):
    """Three slices over several dates, of which one is small, and what groups have against the rest."""
    rows = []
    for back in range(2, 30):
        row = {"evaluated_date": NIGHT - timedelta(days=back), "subject": "champion", "basis": "realised"}
        row |= {"run_date": NIGHT, "run_id": "monitor-1", "model_version": VERSION, "provisional": back < 3}
        for name, value, judged in (("origin=EWR", 0.69, 400), ("origin=<LGA>", 0.61, 320), ("origin=JFK", None, 12)):
            own = row | {"slice": name, "rows": judged}
            few = None if value else "12 rows are fewer than 100"
            shown = value and value + 0.02 * np.cos(back)
            low, high = (None, None) if value is None else (shown - 0.06, shown + 0.06)
            rows.append(own | {"measure": "roc_auc", "value": shown, "low": low, "high": high, "reason": few})
            gap = None if value is None else 0.66 - value
            ends = {"low": gap and gap - 0.04, "high": gap and gap + 0.04, "reason": few}
            rows.append(own | {"measure": "recall_against_rest", "value": gap, **ends})
    arrow.append(warehouse, tables.PERFORMANCE, rows, "monitor-1")


def store_slice_estimates(warehouse):
    """What is expected of the night in a slice of many nights, and in one that no night before had."""
    tonight = {"evaluated_date": NIGHT, "subject": "estimate", "basis": "estimated", "measure": "roc_auc", "rows": 390}
    tonight |= {"run_date": NIGHT, "run_id": "monitor-1", "model_version": VERSION, "provisional": True}
    ends = {"low": 0.6, "high": 0.76, "interval_coverage": 0.957}
    few = "UNKNOWN: of 3 nights both estimate and outcome are there, 19 are needed"
    rows = [tonight | {"slice": "origin=EWR", "value": 0.68, **ends}]
    rows.append(tonight | {"slice": "origin=SWF", "value": 0.71, "reason": few})
    arrow.append(warehouse, tables.PERFORMANCE, rows, "monitor-1")


def store_seconds(warehouse, days=40):
    """What each job took on earlier nights."""
    random = np.random.default_rng(5)
    usual = {"ingest": 38, "build_features": 80, "score": 11, "monitor": 21}
    rows = [
        {
            "run_id": f"{job}-{back}",
            "job": job,
            "run_date": NIGHT - timedelta(days=back),
            "status": "done",
            "code_revision": "0f5a1c9e77b21d0c",
            "config_hash": "c0ffee",
            "inputs": [("features", 40)],
            "outputs": [],
            "rows": [],
            "started_at": datetime(2013, 10, 3, 5, tzinfo=UTC) - timedelta(days=back),
            "seconds": float(seconds * random.uniform(0.9, 1.2)),
            "peak_memory_bytes": 3 * 2**30,
        }
        for job, seconds in usual.items()
        for back in range(1, days)
    ]
    arrow.append(warehouse, RUNS, rows, "runs")


def watched_night(warehouse):
    """The full night of `nights`, watched: its last nightly has done what failed before."""
    nights.full_night(warehouse)
    nights.store_runs(warehouse, [("monitor", "done", None, 22.5, [("drift", 405)])], minute=30)
    store_watched(warehouse)
