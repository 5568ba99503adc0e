"""What calls for a training, rule by rule, and what holds it back: counted by hand."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

import builders
from builders import rows_of
from nightjar.monitoring import signals, triggers
from nightjar.monitoring.signals import Kind, Signal, State
from nightjar.registry import events
from nightjar.registry.events import Version
from nightjar.settings.monitoring.monitoring import Monitoring
from nightjar.settings.monitoring.retraining import Retraining, RetrainingKind
from nightjar.tables import arrow
from nightjar.tables.definitions import features_table
from nightjar.tables.warehouse import Warehouse
from nightjar.timeline import cutoff

TRAINED = date(2024, 4, 1)
ALL = Retraining(every="14d", rows=0.5, labels=0.5, performance=2, drift=2, cooldown="7d", most=2)
LOSS = Signal(Kind.PERFORMANCE, "log loss", State.ACT, "It is worse.")


def night(number):
    return TRAINED + timedelta(days=number)


def project(retraining=ALL):
    return replace(builders.machines(Path("files")), monitoring=Monitoring(retraining=retraining))


def register(warehouse, number, day, *, champion=False):
    events.record(warehouse, "registered", Version(number, "m", day, {}), f"train {number}")
    if champion:
        events.record(warehouse, "promoted", Version(number, "m", day, {}), f"p {number}", events.CHAMPION)


@pytest.fixture
def warehouse(tmp_path):
    made = Warehouse(str(tmp_path), "machines")
    register(made, "1", TRAINED, champion=True)
    store_rows(made, {TRAINED: 4, night(1): 1})
    for number in range(11):
        signals.store(made, [Signal(Kind.PERFORMANCE, "log loss", State.OK, "Well.")], night(number), "m")
    return made


def store_rows(warehouse, counts):
    table = features_table(project(), pa.schema([("machine", pa.string())]), pa.schema([]))
    for day, count in counts.items():
        same = {"prediction_time": cutoff(day, "Europe/Paris"), "definitions_hash": "d", "run_date": day, "run_id": "f"}
        arrow.append(warehouse, table, [same | {"machine": f"m{n}"} for n in range(count)], "f")


def decided(warehouse, day, retraining=ALL):
    return {one.rule: one for one in triggers.decide(warehouse, project(retraining), day)}


def test_every_declared_rule_says_no_with_what_it_would_have_needed(warehouse):
    of = decided(warehouse, night(10))
    assert {rule: one.decision for rule, one in of.items()} == {
        "time": "no",
        "rows": "no",
        "labels": "unknown",
        "performance": "no",
        "drift": "unknown",
    }
    assert of["time"].needed == "a night from 2024-04-15 on"
    assert of["rows"].needed == "2 new rows of features, 50% of those"
    assert of["performance"].needed == "ACT on 2 nights in a row, 2 more"
    assert set(decided(warehouse, night(10), Retraining())) == {"performance"}


def test_time_and_rows_call_for_a_training_once_they_are_reached(warehouse):
    assert decided(warehouse, night(13))["time"].decision == "no"
    assert decided(warehouse, night(14))["time"].decision == "train"
    store_rows(warehouse, {night(2): 1, night(12): 3})
    assert decided(warehouse, night(10))["rows"].evidence == {"new": 2, "trained_on": 4, "share": 0.5, "needed": 0.5}
    assert decided(warehouse, night(10))["rows"].decision == "train"


def test_act_on_nights_in_a_row_calls_for_one_and_a_night_between_begins_anew(warehouse):
    for number in (7, 9, 10):
        signals.store(warehouse, [LOSS], night(number), "m")
    assert [decided(warehouse, night(number))["performance"].decision for number in (7, 8, 9, 10)] == [
        *("no", "no", "no", "train")
    ]
    signals.store(warehouse, [replace(LOSS, state=State.UNKNOWN)], night(10), "m")
    assert decided(warehouse, night(10))["performance"].decision == "unknown"
    assert "performance of log loss" in decided(warehouse, night(9))["performance"].sentence


def test_cooldown_and_budget_hold_it_back_and_say_until_when(warehouse):
    register(warehouse, "2", night(8))  # trained, and refused: the champion stays
    for number in (9, 10):
        signals.store(warehouse, [LOSS], night(number), "m")
    near = decided(warehouse, night(10))["performance"]
    assert (near.decision, near.needed) == ("postponed", "a night from 2024-04-16 on")
    over = decided(warehouse, night(22))["time"]
    assert (over.decision, over.needed) == ("postponed", "a night from 2025-04-01 on")  # two trainings in a year
    assert decided(warehouse, night(22), replace(ALL, most=3))["time"].decision == "train"
    assert decided(warehouse, night(5), replace(ALL, every="2d"))["time"].decision == "postponed"


def test_what_a_refused_training_has_learnt_from_calls_for_no_other_one(warehouse):
    """Time and rows count from the last training, not from the champion's."""
    register(warehouse, "2", night(8))
    store_rows(warehouse, {night(2): 1, night(8): 3})
    of = decided(warehouse, night(15), replace(ALL, most=3))
    assert (of["time"].decision, of["time"].needed) == ("no", "a night from 2024-04-23 on")
    assert (of["rows"].decision, of["rows"].evidence["trained_on"]) == ("no", 9)
    store_rows(warehouse, {night(9): 5})
    assert decided(warehouse, night(15), replace(ALL, most=3))["rows"].decision == "train"


def test_without_a_champion_nobody_can_say(tmp_path):
    empty = Warehouse(str(tmp_path), "machines")
    assert {one.decision for one in triggers.decide(empty, project(), night(3))} == {"unknown"}


def test_decisions_are_stored_and_a_rerun_replaces_those_of_its_night(warehouse):
    for run in ("a", "b"):
        triggers.store(warehouse, triggers.decide(warehouse, project(), night(3)), night(3), run, "1")
    triggers.store(warehouse, triggers.decide(warehouse, project(), night(4)), night(4), "c", "1")
    rows = rows_of(warehouse, "triggers", "run_date", "run_id", "rule")
    assert len(rows) == 10
    assert {(day, run) for day, run, _ in rows} == {(night(3), "b"), (night(4), "c")}


def test_a_window_is_declared_where_one_is_slid():
    with pytest.raises(ValueError, match="window: found None, expected a number of dates for kind=sliding_window"):
        Retraining(kind=RetrainingKind.SLIDING_WINDOW)
    with pytest.raises(ValueError, match="window: found 9, expected none for kind=full"):
        Retraining(window=9)
