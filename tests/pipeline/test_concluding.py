"""What a night ends with: signals, verdict, triggers and alerts, of real tables; and what a step that stops leaves."""

import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

import builders
from builders import rows_of
from nightjar.alerts import recording
from nightjar.alerts.recording import Alert
from nightjar.errors import TableError
from nightjar.monitoring.signals import Kind, Signal, State
from nightjar.pipeline import alerts, concluding, execution
from nightjar.pipeline.execution import Context, perform
from nightjar.pipeline.sessions import Sessions
from nightjar.pipeline.step import Step
from nightjar.registry import events
from nightjar.registry.events import Version
from nightjar.settings import jobs
from nightjar.settings.alerts import AlertAction, Alerts
from nightjar.settings.jobs import JobName
from nightjar.settings.monitoring.alerting import Alerting, Severity, Sink, SinkKind
from nightjar.settings.monitoring.monitoring import Monitoring
from nightjar.tables import alert_states, arrow, runs
from nightjar.tables.runs import Outcome, Run
from nightjar.tables.score_definitions import scores_table
from nightjar.timeline import cutoff

D1, D2, D3 = (date(2024, 4, day) for day in (1, 2, 3))
WELL = [Signal(Kind.COVARIATE, "all columns", State.OK, "Well."), Signal(Kind.PERFORMANCE, "loss", State.OK, "Well.")]
KEY = pa.schema([("machine", pa.string())])


@pytest.fixture
def context(warehouse, tmp_path):
    """A champion holds, the nights of the first and the third are scored, the second is not."""
    environment = builders.quick_environment(warehouse=warehouse.root, home=str(tmp_path / "home"))
    sinks = {"file": Sink(SinkKind.FILE, path=str(tmp_path / "lines"))}
    monitoring = Monitoring(due="6h", alerting=Alerting(sinks=sinks))
    project = replace(builders.machines(Path("files")), monitoring=monitoring)
    events.record(warehouse, "promoted", Version("1", "m", D1, {}), "p", events.CHAMPION)
    for day in (D1, D3):
        scored(warehouse, project, day)
    settings = jobs.Monitor(environment, project, str(D3))
    return Context(settings, "config", Sessions(environment, "tests"), warehouse, "revision")


def scored(warehouse, project, day, hours=1):
    same = {"prediction_time": cutoff(day, project.zone), "machine": "m1", "score": 0.5, "model_version": "1"}
    row = same | {"prediction_id": f"{day}", "model_name": "m", "run_date": day, "role": "champion", "run_id": "s"}
    arrow.append(warehouse, scores_table(project, KEY), [row], "s")
    started = cutoff(day, project.zone) + timedelta(hours=hours)
    runs.record(warehouse, Run(f"s{day}", "score", day, "done", None, "c", "h", started, 60.0, Outcome()))


def conclude(context, day, *measured):
    step = Step(f"run of {day}", day, context.warehouse, context.settings, context.sessions, "revision")
    return concluding.conclude(step, [*WELL, *measured])


def verdicts(context):
    return {row["run_date"]: row for row in arrow.read(context.warehouse, "verdicts").to_pylist()}


def test_a_night_ends_with_its_verdict_and_a_rerun_ends_with_the_same(context):
    outcome = conclude(context, D1)
    assert set(outcome.outputs) == {"signals", "verdicts", "triggers"}
    assert (verdicts(context)[D1]["verdict"], verdicts(context)[D1]["model_version"]) == ("ok", "1")
    conclude(context, D3)
    assert verdicts(context)[D3]["verdict"] == "unknown"
    assert "Score has not been run for 2024-04-02" in verdicts(context)[D3]["sentence"]
    tables = ("signals", "verdicts", "triggers", "alerts")
    before = {name: rows_of(context.warehouse, name) for name in tables}
    conclude(context, D3)
    assert {name: rows_of(context.warehouse, name) for name in tables} == before
    (alert,) = alert_states.open_alerts(context.warehouse, D3)
    assert (alert["kind"], alert["subject"]) == ("jobs", "nights without scores")


def test_late_scores_and_what_jobs_raise_decide_too(context):
    scored(context.warehouse, context.settings.project, D2, hours=9)
    recording.record(context.warehouse, [Alert("fallback", "champion", Severity.CRITICAL, "3 scores.")], D3, "s")
    conclude(context, D2)
    conclude(context, D3)
    assert verdicts(context)[D2]["verdict"] == "unknown"
    assert "3.0 h later than project.monitoring.due=6h allows" in verdicts(context)[D2]["sentence"]
    assert (verdicts(context)[D3]["verdict"], verdicts(context)[D3]["sentence"]) == ("act", "3 scores.")
    kinds = {(row["kind"], row["subject"]) for row in alert_states.open_alerts(context.warehouse, D3)}
    assert kinds == {("jobs", "late scores"), ("fallback", "champion")}  # each once


def test_a_step_that_stops_leaves_an_alert_and_an_unknown_verdict_until_the_night_has_run(context):
    def fail(_):
        raise TableError("Table readings is gone.")

    with pytest.raises(TableError):
        perform(JobName.SCORE, context.step(D3, context.settings), "config", fail)
    verdict = verdicts(context)[D3]
    assert verdict["sentence"] == "The night has stopped: score failed. Table readings is gone."
    assert verdict["command"] == "python jobs/nightly.py project=machines run_date=2024-04-03"
    conclude(context, D3, Signal(Kind.DATA, "readings", State.OK, "Well."))
    assert "stopped" not in verdicts(context)[D3]["sentence"]
    assert {row["kind"] for row in alert_states.open_alerts(context.warehouse, D3)} == {"jobs"}


def test_word_is_sent_as_a_job_ends_and_people_act_by_a_job(context, capsys):
    def night(_):
        conclude(context, D3, Signal(Kind.PERFORMANCE, "log loss", State.ACT, "It is 0.61.", "python jobs/train.py"))

    lines = Path(context.settings.project.monitoring.alerting.sinks["file"].path)
    execution.execute(JobName.MONITOR, context.settings, "config", night, context.sessions)
    told = [json.loads(line) for line in lines.read_text().splitlines()]
    assert sorted(one["subject"] for one in told) == ["log loss", "nights without scores"]
    loss = next(one["alert_id"] for one in told if one["subject"] == "log loss")

    def job(**options):
        settings = Alerts(context.settings.environment, context.settings.project, **options)
        execution.execute(JobName.ALERTS, settings, "config", alerts.run, context.sessions)
        return capsys.readouterr().out

    assert "python jobs/train.py" in job()
    job(action=AlertAction.ACKNOWLEDGE, alert=loss[:8], reason="on it", by="ada")
    (row,) = [one for one in alert_states.open_alerts(context.warehouse, D3) if one["alert_id"] == loss]
    assert (row["state"], row["reason"], row["by"].split()[0]) == ("acknowledged", "on it", "ada")
    assert [json.loads(line)["state"] for line in lines.read_text().splitlines()][2:] == ["acknowledged"]
    assert [row["status"] for row in runs.covering(context.warehouse, ["alerts"], D3)] == ["done"]
    job(action=AlertAction.TEST)
    assert json.loads(lines.read_text().splitlines()[-1])["kind"] == "test"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"action": "acknowledge", "alert": "a" * 8}, "reason: found None, expected a value with action=acknowledge"),
        (
            {"action": "snooze", "alert": "a" * 8, "reason": "x"},
            "until: found None, expected a value with action=snooze",
        ),
        ({"alert": "a" * 8}, "alert: found 'aaaaaaaa', expected none with action=list"),
        ({"by": "ada"}, "by: found 'ada', expected none with action=list"),
    ],
)
def test_an_action_of_the_job_has_what_it_needs_and_no_more(context, options, expected):
    with pytest.raises(ValueError, match=expected):
        Alerts(context.settings.environment, context.settings.project, **options)
