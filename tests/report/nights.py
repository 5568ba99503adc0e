"""Tables of one small night, written with delta-rs, for the tests of the report."""

import json
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pyarrow as pa

from nightjar.evaluation.clusters import Clusters
from nightjar.evaluation.criteria import standard_of
from nightjar.evaluation.decisions import choose_classes
from nightjar.evaluation.distances import chi_squared, kolmogorov_smirnov, psi
from nightjar.evaluation.fairness import Decision
from nightjar.evaluation.histograms import count, fit_bins
from nightjar.evaluation.metric_report import Truth, intervals
from nightjar.learning.analysis.fairness import fairness_figures, groups_of
from nightjar.learning.class_decisions import confused_classes
from nightjar.learning.swaps import find_class_swaps
from nightjar.monitoring.figures import night_figures, plain
from nightjar.registry.gates.outcome import Outcome, Verdict
from nightjar.settings.datasheet import Datasheet, Sensitivity
from nightjar.settings.files import File
from nightjar.settings.label import Label
from nightjar.settings.project import Project
from nightjar.settings.serving.reasons import Reasons
from nightjar.settings.serving.serving import Serving
from nightjar.settings.sources import Column, ColumnType, Source
from nightjar.settings.spine import Spine
from nightjar.settings.task import Task
from nightjar.settings.tiers import Tier, TierKind
from nightjar.tables import arrow
from nightjar.tables import definitions as tables
from nightjar.tables.score_definitions import scores_table
from nightjar.tables.warehouse import Warehouse

NIGHT = date(2013, 10, 3)
VERSION = "3"
DATASHEET = Datasheet(
    purpose="flights as they are planned",
    sensitivity=Sensitivity.PUBLIC,
    gaps=["cancelled <flights>", "a_very_long_name_" * 8],
)
_JUDGED = {"reason": None, "nights": 28, "cost_of_none": 1.2, "cost_of_all": 0.8}
THRESHOLDS = [
    _JUDGED
    | {"tier": "act", "rule": "at most 50 a night", "value": 0.71, "low": 0.68, "high": 0.71}
    | {"shortfall": None, "nights_beyond": 2}
    | {
        "reach": {
            "recall": {"estimate": 0.31, "low": 0.27, "high": 0.36},
            "precision": {"estimate": 0.64, "low": 0.6, "high": 0.68},
            "calibration_gap": {"estimate": 0.05, "low": 0.01, "high": 0.09},
            "acted": {"estimate": 31.4, "low": 27.1, "high": 36.3},
            "cost": {"estimate": 0.9, "low": 0.8, "high": 1.1},
        },
        "alternatives": [
            {"rule": f"at most {most} a night", "value": value, "reach": reach}
            for most, value, reach in (
                (40, 0.74, {"recall": 0.25, "precision": 0.67, "acted": 24.9, "cost": 0.95}),
                (60, 0.69, {"recall": 0.36, "precision": 0.61, "acted": 38.0, "cost": 0.88}),
            )
        ],
    },
    _JUDGED
    | {"tier": "review", "rule": "precision at least 0.5", "value": 0.42, "low": 0.4, "high": 0.47}
    | {"shortfall": "no threshold reaches a precision of 0.5: 0.44 is the nearest", "nights_beyond": None}
    | {
        "reach": {
            "recall": {"estimate": 0.78, "low": 0.73, "high": 0.82},
            "precision": {"estimate": None, "low": None, "high": None},
            "calibration_gap": {"estimate": None, "low": None, "high": None},
            "acted": {"estimate": 96.0, "low": 84.0, "high": 109.0},
            "cost": None,
        },
        "alternatives": [],
    },
]
OUTCOMES = [
    Outcome("baselines", Verdict.PASSED, "boosting-1 against hour_of_day: better.", 0.071, 0.0, 26_012),
    Outcome("period", Verdict.PASSED, "The figures are over 28 blocks of time.", 28, 3),
    Outcome(
        "slices",
        Verdict.REFUSED,
        "origin=JFK against champion version 3 (boosting-1): roc_auc -0.0512, 99.2% interval -0.0801 to -0.0223, worse "
        "by more than 0.02.",
        -0.0512,
        -0.02,
        9_120,
    ),
    Outcome("calibration", Verdict.PERSON, "Whether it is above 0.05 cannot be said: 640 rows are fewer than 1000."),
    Outcome("speed", Verdict.PASSED, "It scored 181,204 rows a second.", 181_203.7, 20_000),
    Outcome("lineage", Verdict.PASSED, "It was trained on the versions features 41, labels 40."),
]


def _of_group(name, without, beside):
    ends = [{"estimate": one, "low": one - 0.02, "high": one + 0.02} for one in (without, beside)]
    return {"group": [name], "criterion": "selection_rate", "size": 900, "without": ends[0], "with": ends[1]}


_FEW = {"estimate": 0.1, "low": None, "high": None, "reason": "the group has 3 such rows, fewer than 100"}
_FINAL = {
    "period": "final",
    "metric": None,
    "prices": {
        "recall": {"estimate": -0.012, "low": -0.02, "high": -0.004},
        "precision": {"estimate": -0.0213, "low": -0.03, "high": -0.012},
    },
    "groups": [
        _of_group("F", -0.131, -0.004),
        _of_group("M", 0.131, 0.004),
        {"group": ["X"], "criterion": "selection_rate", "size": 3, "without": _FEW, "with": _FEW},
    ],
}
_ABOUT = {"columns": ["sex"], "goal": "demographic_parity", "is_used": False, "reason": None}
MITIGATION = [
    _ABOUT | {"kind": "thresholds", "is_used": True, "periods": [_FINAL | {"period": "folds"}, _FINAL]},
    _ABOUT
    | {
        "kind": "reweighing",
        "periods": [_FINAL | {"metric": {"estimate": -0.004, "low": -0.006, "high": -0.002}}],
    },
    _ABOUT | {"kind": "reduction", "reason": "neighbours takes no weights", "periods": []},
]
EVIDENCE = {
    "metric": "roc_auc",
    "period": ["2013-09-02", "2013-09-29"],
    "candidate": {
        "name": "boosting-1",
        "roc_auc": {"estimate": 0.683, "low": 0.661, "high": 0.704},
        "log_loss": {"estimate": 0.521, "low": 0.498, "high": 0.544},
        "brier": {"estimate": 0.171, "low": 0.16, "high": 0.182},
    },
    "baselines": {
        "majority": {"roc_auc": {"estimate": 0.5, "low": 0.5, "high": 0.5}},
        "hour_of_day": {"roc_auc": {"estimate": 0.612, "low": 0.594, "high": 0.629}},
    },
    "difference": {"over": "hour_of_day", "estimate": 0.071, "low": 0.052, "high": 0.09},
    "clusters": {"entities": 1_500, "blocks": 28, "block_days": 1},
    "thresholds": THRESHOLDS,
    "decision": "promoted",
    "reason": "its ROC AUC is above hour_of_day's by 0.071, and the interval of the difference lies above 0",
}


def project(title="Flights from New York, more than 15 minutes late") -> Project:
    columns = {"flight": ColumnType.STRING, "at": ColumnType.TIMESTAMP, "late": ColumnType.BOOLEAN}
    raw = {name: Column(kind) for name, kind in columns.items()}
    source = Source(File("flights.csv"), columns=raw, key=["flight"], event_time="at", datasheet=DATASHEET)
    return Project(
        name="flights",
        title=title,
        zone="America/New_York",
        first_date="2013-01-01",
        history_until="2013-09-30",
        first_night="2013-10-01",
        sources={"schedule": source},
        spine=Spine("schedule", ["flight"], "at"),
        label=Label("schedule", {"flight": "flight"}, "late", "3d"),
    )


def warehouse_in(folder) -> Warehouse:
    return Warehouse(str(folder), "flights")


def full_night(warehouse: Warehouse) -> None:
    """One night with something of everything: drift, refused rows, judged dates and a failed step."""
    random = np.random.default_rng(7)
    trained, night = _rows(random, 4_000, drifted=False), _rows(random, 400, drifted=True)
    store_scores(warehouse, random.beta(2.4, 6, len(night)))
    store_features(warehouse, night)
    store_promotion(warehouse, json.dumps(EVIDENCE | {"fairness": group_figures(), "mitigation": MITIGATION}))
    store_refusal(warehouse)
    store_references_and_drift(warehouse, trained, night, random.beta(2, 6, len(trained)))
    store_performance(warehouse)
    store_review_figures(warehouse)
    store_refused(warehouse, "departure_delay 1301 is above its maximum of 1300")
    store_decision(warehouse, "0001", NIGHT)
    store_decision(warehouse, "0002", NIGHT + timedelta(days=1))
    store_quality(warehouse)
    store_experiments(warehouse)
    store_runs(warehouse)


def store_experiments(warehouse, nights=15):
    """A challenger by entities, whose guard is breached at last, and a shadow by rows, as of some nights."""
    rows = []
    for back in range(nights):
        day, reach = NIGHT - timedelta(days=back), 12.0 / (nights - back) ** 0.5
        same = {
            "champion_version": VERSION,
            "since": NIGHT - timedelta(days=60),
            "last_night": day - timedelta(days=30),
        }
        same |= {"level": 0.05, "decided_on": None, "run_date": day, "run_id": "m"}
        counts = {"champion_entities": 5200 - 90 * back, "challenger_entities": 1210 - 40 * back, "waiting": 2110}
        value = {"figure": "value", "difference": 2.5, "low": 2.5 - reach, "high": 2.5 + reach, "verdict": "open"}
        value |= {"planned_power": 0.44, "champion_mean": 31.5, "challenger_mean": 34.0, "deviation": 102.0}
        breached = {"verdict": "holds"} if back else {"verdict": "breached", "decided_on": NIGHT}
        guard = {"figure": "complained", "difference": 0.02, "low": 0.004, **breached}
        unknown = {"figure": "refused", "verdict": None, "reason": "it is null for 3 <entities>"}
        challenger = {"model_version": "4", "kind": "randomised", "changed": 41, **counts, **same}
        shadow = {"model_version": "5", "kind": "paired", "figure": "roc_auc", "difference": 0.01, "low": -0.02}
        shadow |= {"high": 0.04, "verdict": "undecided", "champion_entities": 900, "challenger_entities": 900, **same}
        rows += [challenger | value, challenger | guard, challenger | unknown, shadow]
    arrow.append(warehouse, tables.EXPERIMENTS, rows, "m")


def group_figures() -> list[dict]:
    """A model whose decisions are against older women, of 28 nights; of one group there are three rows."""
    random = np.random.default_rng(5)
    rows, night = 28 * 200, np.repeat(np.arange(28), 200)
    sex, age = random.choice(["F", "M"], rows), random.choice(["18 to 24", "25 to 64", "65 and older"], rows)
    sex[:3] = "X"
    harmed = (sex == "F") & (age == "65 and older")
    label = random.random(rows) < 0.4
    acts = random.random(rows) < np.where(label, 0.6, 0.25) - 0.2 * harmed + 0.06 * (age == "18 to 24")
    declared = groups_of(pa.table({"sex": sex, "age_band": age}), [("sex",), ("sex", "age_band")])
    truth = Truth(Task.CLASSIFICATION, label, Clusters(np.arange(rows), night))
    decision = Decision(truth, np.full(rows, 0.41), acts)
    return fairness_figures([decision], declared, np.arange(rows), least_rows=100)


def store_scores(
    warehouse,
    scores,
    night=NIGHT,
    role="champion",
    version=VERSION,
    warnings=None,
    unseen=None,
    reasons=None,
    tier=None,
    served=None,
):
    """`reasons`: of each row features and contributions, or None; `tier`: of all of them; `served`: of each row whether
    it is, or nothing.
    """
    of = project() if reasons is None else replace(project(), serving=Serving(reasons=Reasons(sample=1)))
    of = of if tier is None else replace(of, tiers={tier: Tier(TierKind.TOP, at_most=2)})
    definition = scores_table(of, pa.schema([("flight", pa.string())]))
    rows = [
        {
            "prediction_id": f"{role}-{n}",
            "prediction_time": datetime(night.year, night.month, night.day, 4, tzinfo=UTC),
            "flight": f"AA{n}",
            "score": None if score is None else float(score),
            "model_version": version,
            "model_name": "boosting-1",
            "input_warnings": warnings,
            "unseen_levels": unseen,
            "tier": tier,
            "served": None if served is None else served[n],
            "reasons": reasons and reasons[n] and [{"feature": name, "contribution": one} for name, one in reasons[n]],
            "run_date": night,
            "role": role,
            "run_id": "score-1",
        }
        for n, score in enumerate(scores)
    ]
    arrow.append(warehouse, definition, rows, "score-1")


def store_features(warehouse, features: pa.Table, night=NIGHT):
    spine = pa.schema([("flight", pa.string())])
    definition = tables.features_table(project(), spine, features.schema)
    moment = datetime(night.year, night.month, night.day, 4, tzinfo=UTC)
    rest = {"prediction_time": moment, "definitions_hash": "f00d", "run_date": night, "run_id": "features-1"}
    rows = [row | rest | {"flight": f"AA{n}"} for n, row in enumerate(features.to_pylist())]
    arrow.append(warehouse, definition, rows, "features-1")


def store_promotion(
    warehouse, evidence, *, version=VERSION, holds_from=date(2013, 9, 30), event="promoted", name="boosting-1"
):
    row = {
        "event_id": f"{event}-{version}-{holds_from}",
        "event": event,
        "alias": "champion",
        "model_version": version,
        "model_name": name,
        "holds_from": holds_from,
        "evidence": evidence,
        "recorded_at": datetime(2013, 10, 1, tzinfo=UTC),
        "run_id": "promote-1",
    }
    arrow.append(warehouse, tables.MODEL_EVENTS, [row], "promote-1")


def store_refusal(warehouse, others=None):
    """Of version 4, the day before, with what its gates said."""
    refused = {"reason": OUTCOMES[2].sentence, "outcomes": [asdict(one) for one in OUTCOMES], **(others or {})}
    evidence = json.dumps(EVIDENCE | refused)
    store_promotion(
        warehouse, evidence, version="4", holds_from=NIGHT - timedelta(days=1), event="refused", name="lightgbm-1"
    )


def store_reference(warehouse, name, bins, counts):
    row = {
        "model_version": VERSION,
        "column": name,
        "bins": bins.to_json(),
        "counts": list(counts),
        "run_id": "train-1",
    }
    arrow.append(warehouse, tables.REFERENCES, [row], "train-1")


def store_drift(warehouse, subject, measures, rows=400, night=NIGHT):
    stored = [
        {
            "evaluated_date": night,
            "subject": subject,
            "slice": "all",
            "measure": measure,
            "value": value,
            "rows": rows,
            "model_version": VERSION,
            "run_date": night,
            "run_id": "monitor-1",
        }
        for measure, value in measures.items()
    ]
    arrow.append(warehouse, tables.DRIFT, stored, "monitor-1")


def store_references_and_drift(warehouse, trained: pa.Table, night: pa.Table, trained_scores):
    sides = {name: (trained[name], night[name]) for name in trained.column_names}
    scores = arrow.read(warehouse, "scores", ["score"])["score"]
    for name, (was, now) in (sides | {"score": (pa.chunked_array([trained_scores]), scores)}).items():
        bins = fit_bins(was)
        expected, actual = count(bins, was), count(bins, now)
        store_reference(warehouse, name, bins, expected.tolist())
        is_text = bins.kind == "categorical"
        test = (chi_squared if is_text else kolmogorov_smirnov)(expected, actual)
        stated = "chi_squared" if is_text else "ks"
        measures = {
            "psi": psi(expected, actual, bins=None if is_text else 10),
            stated: test.statistic,
            f"{stated}_p_value": test.p_value,
            "null_share": now.null_count / len(now),
        }
        store_drift(warehouse, name, measures)


FIGURES = {"roc_auc": 0.655, "log_loss": 0.512, "brier": 0.166, "positive_rate": 0.213, "mean_score": 0.231}


def store_performance(warehouse, night=NIGHT, dates=6, provisional_from=4, figures=FIGURES, of="all"):
    rows = []
    for n in range(dates):
        is_provisional = n >= provisional_from
        moved = {name: value and value + 0.011 * np.cos(2.1 * n) for name, value in figures.items()}
        measures = moved | {"rows": 931.0 - n, "matured_share": 0.962 if is_provisional else 1.0}
        shared = {"evaluated_date": night - timedelta(days=dates - n), "subject": "champion", "slice": of}
        shared |= {"provisional": is_provisional, "model_version": VERSION, "run_date": night, "run_id": "monitor-1"}
        rows += [shared | {"measure": name, "value": value} for name, value in measures.items()]
    arrow.append(warehouse, tables.PERFORMANCE, rows, "monitor-1")


def store_review_figures(warehouse, night=NIGHT):
    """What two people decided, of whom one has a long name, and nobody's decisions could be compared."""
    window = "last 28 nights"
    figures = [
        (window, "cases", 240.0, 240),
        (window, "decided_share", 0.75, 240),
        (window, "decided_in_time", 0.9, 180),
    ]
    figures += [(window, "override_rate", 0.125, 160), (window, "agreement", None, 0), (window, "kappa", None, 0)]
    for name, decisions, rate in (("ada", 150.0, 0.12), ("a_very_long_name_" * 4, 30.0, None)):
        figures += [(f"reviewer {name}", "decisions", decisions, 1), (f"reviewer {name}", "override_rate", rate, 0)]
    shared = {"evaluated_date": night - timedelta(days=1), "subject": "review", "provisional": True}
    shared |= {"run_date": night, "run_id": "monitor-1"}
    rows = [
        shared | {"slice": of, "measure": measure, "value": value, "rows": count, "reason": "too <few>"}
        for of, measure, value, count in figures
    ]
    arrow.append(warehouse, tables.PERFORMANCE, rows, "monitor-1")


CLASSES = {"early": "Early", "on_time": "On time", "late": "More than 15 minutes late"}


def project_of_classes(classes=CLASSES) -> Project:
    """The same flights, of which one of several classes is predicted."""
    binary = project("Flights from New York, early, on time or late")
    columns = binary.sources["schedule"].columns | {"outcome": Column(ColumnType.STRING)}
    schedule = replace(binary.sources["schedule"], columns=columns)
    label = replace(binary.label, task=Task.MULTICLASS, classes=dict(classes), column="outcome")
    return replace(binary, sources={"schedule": schedule}, label=label)


def night_of_classes(warehouse, classes=CLASSES, dates=6, rows=300):
    """Scores, judged dates and the champion's evidence of several classes, of which the first is rarely predicted."""
    of = project_of_classes(classes)
    random, standard = np.random.default_rng(3), standard_of(of)
    number = len(classes)
    figures = {}
    for n in range(dates):
        truth, score = _judged_classes(random, rows, number, standard)
        figures[NIGHT - timedelta(days=dates - n)] = [*night_figures(truth, score)]
    stored = [
        _performance_row(day, one, provisional=n >= dates - 2)
        for n, (day, of_day) in enumerate(figures.items())
        for one in [*of_day, plain("all", "matured_share", 1.0 if n < dates - 2 else 0.96, rows)]
    ]
    arrow.append(warehouse, tables.PERFORMANCE, stored, "monitor-1")
    truth, score = _judged_classes(random, 900, number, standard)
    promised = {name: asdict(one) for name, one in intervals(truth, score).items()}
    confused = {"confusion": confused_classes(truth, score)}
    by_chance = {name: asdict(one) for name, one in intervals(truth, random.permutation(score)).items()}
    evidence = EVIDENCE | {"candidate": {"name": "boosting-1", **promised}, "baselines": {"class_shares": by_chance}}
    store_promotion(warehouse, json.dumps(evidence | confused))
    store_refusal(warehouse, {"swaps": find_class_swaps(truth, random.permutation(score), score)})
    chosen = choose_classes(score, standard.costs)
    names = pa.array([list(classes)[one] for one in chosen])
    for name, values in {"score": pa.array(score.max(axis=1)), "predicted class": names}.items():
        bins = fit_bins(values)
        store_reference(warehouse, name, bins, count(bins, values).tolist())
    _store_classes(warehouse, of, score[:400])


def _judged_classes(random, rows, number, standard):
    label = random.choice(number, rows, p=np.arange(1, number + 1) / np.arange(1, number + 1).sum())
    score = 0.45 * np.eye(number)[label] + 0.55 * random.dirichlet(np.ones(number), rows)
    flipped = random.random(rows) < 0.3
    label[flipped] = random.integers(0, number, int(flipped.sum()))
    clusters = Clusters(np.arange(rows) % 60, np.arange(rows) // 60)
    return Truth(Task.MULTICLASS, label, clusters, standard=standard), score


def _performance_row(day, one, *, provisional):
    interval = one.interval
    return {
        "evaluated_date": day,
        "subject": "champion",
        "slice": one.of,
        "measure": one.measure,
        "value": interval.estimate,
        "low": interval.low,
        "high": interval.high,
        "rows": interval.rows,
        "reason": interval.reason,
        "provisional": provisional,
        "model_version": VERSION,
        "run_date": NIGHT,
        "run_id": "monitor-1",
    }


def _store_classes(warehouse, of, score):
    classes = list(of.label.classes)
    chosen = choose_classes(score, of.class_costs())
    rows = [
        {
            "prediction_id": f"champion-{n}",
            "prediction_time": datetime(NIGHT.year, NIGHT.month, NIGHT.day, 4, tzinfo=UTC),
            "flight": f"AA{n}",
            "score": float(one[chosen[n]]),
            "predicted": classes[chosen[n]],
            "probabilities": list(zip(classes, one.tolist(), strict=True)),
            "model_version": VERSION,
            "model_name": "boosting-1",
            "run_date": NIGHT,
            "role": "champion",
            "run_id": "score-1",
        }
        for n, one in enumerate(score)
    ]
    arrow.append(warehouse, scores_table(of, pa.schema([("flight", pa.string())])), rows, "score-1")


def store_refused(warehouse, reason, row='{"carrier": "AA", "flight": 11, "departure_delay": 1301}', n=3):
    rows = [
        {
            "source": "landings",
            "row_hash": f"{k:04}",
            "reasons": [reason, "tailnum is missing"][: 1 + k % 2],
            "row": row,
            "run_date": NIGHT,
            "run_id": "ingest-1",
        }
        for k in range(n)
    ]
    arrow.append(warehouse, tables.QUARANTINE, rows, "ingest-1")


def store_decision(warehouse, row_hash, night):
    row = {"source": "landings", "row_hash": row_hash, "action": "dismissed", "run_date": night, "run_id": "by-hand"}
    arrow.append(warehouse, tables.CORRECTIONS, [row], "by-hand")


def store_quality(warehouse):
    checks = [("landings", "refused", 3, 912), ("landings", "null: tailnum", 1, 912), ("weather", "refused", 0, 72)]
    names = ("source", "check", "rows", "of")
    rows = [dict(zip(names, check, strict=True)) | {"run_date": NIGHT, "run_id": "ingest-1"} for check in checks]
    gate = {"check": "gate volume", "rows": 0, "of": 0, "status": "warn", "message": "the number of facts is 0"}
    rows.append({"source": "landings", "run_date": NIGHT, "run_id": "ingest-1"} | gate)
    arrow.append(warehouse, tables.QUALITY, rows, "ingest-1")


def store_arrivals(warehouse, nights, source="landings", amiss=None):
    """What a source brought to each date; the last of them is the one of which something may be amiss."""
    last = max(nights)
    rows = [
        {
            "source": source,
            "check": "arrived",
            "rows": count,
            "of": 336_776,
            "status": "warn" if amiss and night == last else "pass",
            "message": amiss if night == last else None,
            "run_date": night,
            "run_id": "ingest-1",
        }
        for night, count in nights.items()
    ]
    arrow.append(warehouse, tables.QUALITY, rows, "ingest-1")


RUNS = [
    ("ingest", "failed", "SourceError: weather.csv ends in the middle of a row.", 3.2, []),
    ("ingest", "done", None, 41.7, [("landings", 909), ("refused", 3)]),
    ("build_features", "done", None, 93.4, [("features", 400)]),
    ("score", "done", None, 12.0, [("scores", 400)]),
    ("nightly", "failed", "TableError: drift could not be written: the disk is full.", 171.5, []),
]


def store_runs(warehouse, runs=RUNS, minute=0):
    rows = [
        {
            "run_id": f"{job}-2013-10-03-{minute + n}",
            "job": job,
            "run_date": NIGHT,
            "status": status,
            "error": error,
            "code_revision": "0f5a1c9e77b21d0c",
            "config_hash": "c0ffee",
            "inputs": [],
            "outputs": [],
            "rows": counted,
            "started_at": datetime(2013, 10, 3, 5, minute + n, tzinfo=UTC),
            "seconds": seconds,
        }
        for n, (job, status, error, seconds, counted) in enumerate(runs)
    ]
    arrow.append(warehouse, tables.RUNS, rows, "runs")


def _rows(random, rows, *, drifted) -> pa.Table:
    shift = 1.0 if drifted else 0.0
    hours = random.choice(24, rows, p=_hours())
    carriers = random.choice(["UA", "B6", "EV", "DL", "AA", "MQ", "US"], rows, p=_carriers(shift))
    nulls = random.random(rows) < (0.12 if drifted else 0.02)
    return pa.table(
        {
            "weather__temperature": random.normal(24 - 9 * shift, 7, rows),
            "weather__wind_speed_mean_24h": pa.array(random.lognormal(2.2 + 0.25 * shift, 0.5, rows), mask=nulls),
            "carrier": carriers,
            "departure_hour": hours,
            "origin": random.choice(["EWR", "JFK", "LGA"], rows),
            "aircraft_age": pa.array(random.gamma(3, 4, rows), mask=random.random(rows) < 0.15),
            "is_holiday": random.random(rows) < 0.03,
            **{f"route__delay_mean_{days}d": random.normal(8, 12, rows) for days in (7, 14, 30, 60)},
            **{f"carrier_flight__late_rate_{days}d": random.beta(2, 7, rows) for days in (7, 14, 30, 60)},
            **{f"aircraft__flights_count_{days}d": random.poisson(3.3 * days, rows) for days in (1, 7)},
            "constant": np.full(rows, 3.0),
        }
    )


def _hours():
    shares = np.array(
        [0.01] * 5 + [0.6, 1.4, 1.4, 1.4, 1.1, 1.0, 1.0, 1.1, 1.2, 1.3, 1.5, 1.5, 1.5, 1.4, 1.3, 1, 0.7, 0.2, 0.05]
    )
    return shares / shares.sum()


def _carriers(shift):
    shares = np.array([0.2, 0.18, 0.17, 0.15, 0.12, 0.1, 0.08]) * (
        1 + shift * np.array([0.5, -0.4, 0.1, 0, 0.3, 0, -0.2])
    )
    return shares / shares.sum()
