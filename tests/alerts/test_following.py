"""Alerts as they follow from the signals of nights, in the table; and what people do with them."""

from datetime import date, timedelta

import pytest

from nightjar.alerts import acting, recording
from nightjar.alerts.acting import Act
from nightjar.alerts.following import follow
from nightjar.alerts.recording import STOPPED, Alert
from nightjar.errors import UsageError
from nightjar.monitoring import signals
from nightjar.monitoring.signals import Kind, Signal, State
from nightjar.settings.monitoring.alerting import Alerting, Severity
from nightjar.tables import alert_states, arrow
from nightjar.tables.warehouse import Warehouse

NIGHTS = [date(2024, 4, 1) + timedelta(days=number) for number in range(12)]
SETTINGS = Alerting(watch_nights=2, owner="operations", owners={"performance": "ada"})
LOSS = Signal(Kind.PERFORMANCE, "log loss", State.ACT, "It is 0.61.", "python jobs/train.py", None, {"value": 0.61})
DRIFT = Signal(Kind.COVARIATE, "distance", State.WATCH, "It has moved.")
WELL = Signal(Kind.COVARIATE, "all columns", State.OK, "Nothing has moved.")


@pytest.fixture
def warehouse(tmp_path):
    return Warehouse(str(tmp_path), "machines")


def say(warehouse, night, *looks):
    signals.store(warehouse, [WELL, *looks], night, "m")
    return follow(warehouse, SETTINGS, night, f"run of {night}")


def states(warehouse):
    rows = alert_states.changes(warehouse, date.max)
    return sorted((row["run_date"].day, row["subject"], row["state"]) for row in rows)


def test_signals_become_alerts_go_on_and_are_resolved(warehouse):
    for night, looks in zip(NIGHTS, [(DRIFT,), (DRIFT, LOSS), (DRIFT, LOSS), (DRIFT,), (DRIFT,)], strict=False):
        say(warehouse, night, *looks)
    assert states(warehouse) == [
        *[(2, "distance", "new"), (2, "log loss", "new")],
        *[(3, "distance", "ongoing"), (3, "log loss", "ongoing")],
        (5, "log loss", "resolved"),
    ]
    (drift,) = alert_states.open_alerts(warehouse, NIGHTS[4])
    assert (drift["first_seen"], drift["severity"], drift["owner"]) == (NIGHTS[0], "warning", "operations")
    loss = next(row for row in alert_states.changes(warehouse, NIGHTS[1]) if row["subject"] == "log loss")
    assert (loss["severity"], loss["owner"], loss["command"]) == ("critical", "ada", "python jobs/train.py")
    assert (loss["message"], loss["evidence"], loss["runbook"]) == (
        "It is 0.61.",
        '{"value": 0.61}',
        "docs/monitoring.md#alerts",
    )


def test_a_rerun_of_a_night_changes_nothing_or_replaces_just_its_own_rows(warehouse):
    for night in NIGHTS[:3]:
        say(warehouse, night, LOSS)
    before = alert_states.changes(warehouse, date.max)
    version = arrow.version(warehouse, "alerts")
    assert say(warehouse, NIGHTS[1], LOSS).outputs == {}
    assert arrow.version(warehouse, "alerts") == version
    say(warehouse, NIGHTS[1], LOSS, *[Signal(Kind.DATA, "readings", State.WATCH, "Fewer rows.")])
    after = alert_states.changes(warehouse, date.max)
    assert [row for row in after if row["subject"] == "log loss"] == [
        row | {"run_id": f"run of {NIGHTS[1]}"} if row["run_date"] == NIGHTS[1] else row for row in before
    ]
    assert {row["subject"] for row in after} == {"log loss", "readings"}
    say(warehouse, NIGHTS[0])  # it was well, after all
    assert [
        row["run_date"].day for row in alert_states.changes(warehouse, date.max) if row["subject"] == "log loss"
    ] == [2]


def test_what_jobs_raise_goes_on_under_its_name_and_ends_by_itself(warehouse):
    fallback = Alert("fallback", "champion", Severity.CRITICAL, "3 scores.")
    for night in NIGHTS[:2]:
        recording.record(warehouse, [fallback], night, "s")
        say(warehouse, night)
    recording.record(warehouse, [Alert(STOPPED, "score", Severity.CRITICAL, "It failed.")], NIGHTS[2], "s")
    say(warehouse, NIGHTS[2])  # the night was run again, and went through
    say(warehouse, NIGHTS[3])
    assert states(warehouse) == [
        (1, "champion", "new"),
        (2, "champion", "ongoing"),
        (3, "score", "new"),
        (3, "score", "resolved"),
        (4, "champion", "resolved"),
    ]
    assert len({row["alert_id"] for row in alert_states.changes(warehouse, date.max)}) == 2


def test_what_people_do_holds_until_it_is_over_or_awake(warehouse):
    fallback = Alert("fallback", "champion", Severity.CRITICAL, "3 scores.")
    recording.record(warehouse, [fallback], NIGHTS[0], "s")
    say(warehouse, NIGHTS[0], LOSS)
    by_subject = {row["subject"]: row["alert_id"] for row in alert_states.open_alerts(warehouse, NIGHTS[0])}
    acting.act(warehouse, Act(by_subject["champion"][:8], "acknowledged", "ada", "on it"), NIGHTS[0], "a")
    acting.act(warehouse, Act(by_subject["log loss"], "snoozed", "ada", "known", NIGHTS[3]), NIGHTS[0], "a")
    for night in NIGHTS[1:4]:
        recording.record(warehouse, [fallback], night, "s")
        say(warehouse, night, LOSS)
    now = {row["subject"]: row["state"] for row in alert_states.open_alerts(warehouse, NIGHTS[2])}
    assert now == {"champion": "acknowledged", "log loss": "snoozed"}
    assert {row["subject"]: row["state"] for row in alert_states.open_alerts(warehouse, NIGHTS[3])}[
        "log loss"
    ] == "ongoing"
    acting.act(warehouse, Act(by_subject["champion"], "resolved", "ada", "mended"), NIGHTS[3], "a")
    assert [row["subject"] for row in alert_states.open_alerts(warehouse, NIGHTS[3])] == ["log loss"]


def test_an_act_on_no_alert_or_on_a_night_that_has_passed_is_refused(warehouse):
    say(warehouse, NIGHTS[0], LOSS)
    (row,) = alert_states.open_alerts(warehouse, NIGHTS[0])
    with pytest.raises(UsageError, match="alert=ffffffff: one alert that is open on 2024-04-01 was expected"):
        acting.act(warehouse, Act("f" * 8, "resolved", "ada", "x"), NIGHTS[0], "a")
    with pytest.raises(UsageError, match="until=2024-04-01: expected a night after"):
        acting.act(warehouse, Act(row["alert_id"], "snoozed", "ada", "x", NIGHTS[0]), NIGHTS[0], "a")
    assert states(warehouse) == [(1, "log loss", "new")]
