"""Experiments: who counts and by what, beside a slow oracle; what follows from the figures for the next night."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

import builders
from builders import rows_of
from nightjar.errors import UsageError
from nightjar.evaluation.sequential import evidence
from nightjar.monitoring import experiment
from nightjar.monitoring.enrolment import Clock, Trial, enrol
from nightjar.monitoring.experiment_figures import clocks_of
from nightjar.registry import events, roles
from nightjar.registry.canary import Judgement
from nightjar.registry.events import Version
from nightjar.settings.serving.canary import Canary
from nightjar.settings.serving.experiment import Experiment, ExperimentKind, Guard, Harm
from nightjar.settings.serving.serving import Serving
from nightjar.settings.task import Metric
from nightjar.tables import arrow
from nightjar.tables.definitions import features_table, labels_table
from nightjar.tables.score_definitions import scores_table
from nightjar.tables.serving_definitions import EXPERIMENTS
from nightjar.tables.warehouse import Warehouse
from nightjar.timeline import cutoff
from oracles import experiments as oracle

START = date(2024, 3, 25)
"""Summer time begins on the sixth night after it."""
NIGHTS, CANARY = 12, Canary([0.3, 0.6], nights=5)
OUTCOME = "CASE WHEN label THEN 40 WHEN NOT label THEN -10"
VALUE = f"{OUTCOME} ELSE 0 END + load * score"
AB = Experiment(
    ExperimentKind.RANDOMISED,
    VALUE,
    exposure="2d",
    age="4d",
    effect=1.0,
    deviation=10.0,
    entities=50.0,
    nights=20,
    guards={
        "scored": Guard("score", Harm.MORE, worse_by=0.1),
        "loads": Guard("load", Harm.LESS, worse_by=5.0, age="2d"),
    },
)
KEY = pa.schema([("machine", pa.string())])
ZONE = "Europe/Paris"


def project_of(settings, canary=CANARY):
    serving = Serving(canary=canary, experiment=settings)
    return replace(builders.machines(Path("files")), serving=serving)


def draw():
    """Rows of 180 machines, each on a night of three, labels in versions; the challenger scores higher."""
    random = np.random.default_rng(7)
    numbers, rows = random.random(180), []
    for night in range(-1, NIGHTS):
        day = START + timedelta(days=night)
        share = 0.0 if night < 0 else 0.3 if night < 5 else 0.6
        for machine in np.flatnonzero(random.random(180) < 0.34):
            arm = "challenger" if numbers[machine] < share else "champion"
            chance = share if arm == "challenger" else 1 - share
            known = cutoff(day + timedelta(days=1), ZONE)
            versions = [(known, bool(random.random() < 0.3))]
            if random.random() < 0.3:
                versions.append((known + timedelta(days=int(random.integers(1, 5))), bool(random.random() < 0.5)))
            has_fallen_back = random.random() < 0.1
            by = "champion" if has_fallen_back else arm
            scores = {"champion": random.integers(0, 5) / 8, "challenger": random.integers(4, 9) / 8}
            load, label = float(random.integers(0, 9)), versions if random.random() < 0.8 else []
            rows.append(SimpleNamespace(**locals()))
    return rows


def store(warehouse, project, rows):
    def key_of(row):
        return {
            "machine": f"m{row.machine}",
            "prediction_time": cutoff(row.day, ZONE),
            "run_date": row.day,
            "run_id": "s",
        }

    scores = [
        key_of(row)
        | {
            "prediction_id": f"{row.machine}-{row.day}",
            "score": row.scores[role],
            "model_version": {"champion": "1", "challenger": "2"}[role],
            "model_name": role,
            "role": role,
            "served": role == row.by,
            "arm": row.arm,
            "arm_propensity": row.chance,
        }
        for row in rows
        for role in ("champion", "challenger")
    ]
    arrow.append(warehouse, scores_table(project, KEY), scores, "s")
    features = [key_of(row) | {"load": row.load, "definitions_hash": "d"} for row in rows]
    arrow.append(
        warehouse, features_table(project, pa.schema([*KEY, ("load", pa.float64())]), pa.schema([])), features, "f"
    )
    labels = [
        key_of(row) | {"label": value, "label_known_at": known, "run_date": row.day + timedelta(days=9)}
        for row in rows
        for known, value in row.label
    ]
    arrow.append(warehouse, labels_table(project, KEY), labels, "l")


def as_oracle_has_it(row, value):
    by = row.scores[row.by]
    return {
        "entity": row.machine,
        "night": row.day,
        "served": True,
        "arm": row.arm,
        "chance": row.chance,
        "value": lambda counted_on: value(row, by, counted_on),
    }


def worth(row, score, counted_on):
    known = [value for known, value in row.label if known <= cutoff(counted_on, ZONE)]
    return ((40 if known[-1] else -10) if known else 0) + row.load * score


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    warehouse = Warehouse(str(tmp_path_factory.mktemp("experiment")), "machines")
    rows = draw()
    store(warehouse, project_of(AB), rows)
    events.record(warehouse, "promoted", Version("1", "champion", START - timedelta(days=5), {}), "p", "champion")
    roles.assign(warehouse, Version("2", "challenger", START, {}), "challenger", "a winner", "p", 0.3)
    roles.share(warehouse, Version("2", "challenger", START + timedelta(days=5), {}), 0.6, "no harm", {}, "p")
    return SimpleNamespace(warehouse=warehouse, rows=rows)


def test_entities_count_once_at_their_age_by_the_labels_known_then(spark, world):
    clock = Clock(exposure=2, age=4)
    run_date = START + timedelta(days=NIGHTS)
    versions = arrow.pin(world.warehouse, ["scores", "features", "labels"])
    trial = Trial(spark, world.warehouse, project_of(AB), START, run_date, versions)
    of_figures = {VALUE: worth, "score": lambda _, score, __: score}
    enrolled = enrol(trial, {"value": VALUE, "guards.scored.value": "score"}, clock)
    for path, value in zip(("value", "guards.scored.value"), of_figures.values(), strict=True):
        rows = [as_oracle_has_it(row, value) for row in world.rows]
        entities, waiting, changed = oracle.enrol(rows, START, run_date, clock.exposure, clock.age)
        nights, expected = oracle.evidence(entities)
        assert (enrolled.nights, enrolled.waiting, enrolled.changed) == (nights, waiting, changed)
        of = evidence(*enrolled.arms[path])
        assert of.entities[:, -1].sum() == len(entities)
        for number, (difference, weight, variance) in enumerate(expected):
            got = of.difference[number], of.weight[number], of.variance[number]
            assert got == pytest.approx((difference, weight, variance))
    assert waiting > 0
    assert changed > 3
    assert max(one.weight for one in entities) == pytest.approx(0.7 / 0.4)
    assert enrolled.strange == {"value": 0, "guards.scored.value": 0}


def figures(warehouse, run_date):
    names = ("figure", "verdict", "champion_entities", "challenger_entities", "difference", "low", "high", "reason")
    return {
        name: dict(zip(names[1:], rest, strict=True))
        for day, name, *rest in rows_of(warehouse, "experiments", "run_date", *names)
        if day == run_date
    }


def test_a_night_stores_every_figure_and_a_guard_that_is_breached_is_harm(spark, world):
    run_date = START + timedelta(days=NIGHTS)
    outcome, judged = experiment.measure(lambda: spark, world.warehouse, project_of(AB), run_date, "run")
    assert outcome.rows == {"experiments": 3}
    stored = figures(world.warehouse, run_date)
    assert {name: one["verdict"] for name, one in stored.items()} == {
        "loads": "holds",
        "scored": "breached",
        "value": "open",
    }
    scored = stored["scored"]
    assert scored["high"] is None
    assert 0.1 < scored["low"] < scored["difference"] == pytest.approx(0.5, abs=0.15)
    assert stored["value"]["low"] < 0 < stored["value"]["high"]
    assert stored["loads"]["low"] is None
    assert judged.judgement is Judgement.BREACHED
    assert "scored: the guard is breached" in judged.alerts[0].message


def test_a_value_that_is_null_is_no_figure_and_the_sentence_says_what_to_do(spark, world):
    lacking = replace(AB, value=f"{OUTCOME} END", guards={})
    run_date = START + timedelta(days=6)
    _, judged = experiment.measure(lambda: spark, world.warehouse, project_of(lacking), run_date, "run")
    value = figures(world.warehouse, run_date)["value"]
    assert value["verdict"] is value["difference"] is None
    assert "coalesce" in value["reason"]
    assert judged.judgement is None
    assert "its share does not grow" in judged.alerts[0].message


def test_an_expression_that_does_not_fit_names_itself_and_the_columns(spark, world):
    wrong = replace(AB, value="score + nothing")
    with pytest.raises(UsageError, match=r"project.serving.experiment.value: the expression 'score \+ nothing'"):
        experiment.measure(lambda: spark, world.warehouse, project_of(wrong), START + timedelta(days=7), "run")


def test_two_scores_of_each_row_are_compared_by_a_metric_on_nights_whose_labels_are_final(spark, world):
    paired = Experiment(ExperimentKind.PAIRED, metric=Metric.ROC_AUC, nights=10)
    run_date = START + timedelta(days=10)
    clipped = project_of(paired, Canary())
    experiment.measure(lambda: spark, world.warehouse, clipped, run_date, "run")
    ((name, auc),) = figures(world.warehouse, run_date).items()
    assert (name, auc["verdict"]) == ("roc_auc", "open")
    assert auc["low"] < auc["difference"] < auc["high"]


def test_a_verdict_of_an_earlier_night_holds_for_its_own_metric_kind_and_level_and_for_no_other(world):
    paired = Experiment(ExperimentKind.PAIRED, metric=Metric.ROC_AUC, nights=20)
    earlier = {"decided_on": START, "since": START, "run_date": START + timedelta(days=13), "run_id": "earlier"}
    of_test = {"model_version": "2", "champion_version": "1", "kind": "paired", "figure": "roc_auc"}
    decided = (
        dict.fromkeys(EXPERIMENTS.schema().names) | earlier | of_test | {"level": paired.level, "verdict": "worse"}
    )
    others = ({"figure": "log_loss"}, {"kind": "randomised"}, {"level": 0.01}, {})
    for other in others:
        arrow.replace(world.warehouse, EXPERIMENTS, [decided | other], {"run_date": earlier["run_date"]}, "earlier")
        run_date = START + timedelta(days=14)  # without Spark: it joins by Arrow
        experiment.measure(lambda: None, world.warehouse, project_of(paired, Canary()), run_date, "run")
        assert figures(world.warehouse, run_date)["roc_auc"]["verdict"] == ("open" if other else "worse")


def test_the_age_waits_for_labels_only_where_a_value_uses_them():
    label = replace(project_of(AB).label, horizon="26w", allowed_lateness="5h")
    undated = replace(AB, age=None, guards={**AB.guards, "late": Guard("IF(label, 1, 0)", Harm.MORE, age="30d")})
    ages = {path: clock.age for path, clock in clocks_of(undated, label).items()}
    assert ages == {"value": 2 + 182 + 1, "guards.scored.value": 1, "guards.loads.value": 2, "guards.late.value": 30}
