"""What a night says of a challenger is recorded for the next night, and told once."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

import builders
from builders import rows_of
from nightjar.alerts.recording import Alert
from nightjar.monitoring.judging import Judged
from nightjar.pipeline import canary_moves, cards
from nightjar.pipeline.sessions import Sessions
from nightjar.pipeline.step import Step
from nightjar.registry import aliases, canary, events, roles
from nightjar.registry.canary import Judgement
from nightjar.registry.events import Version
from nightjar.settings import jobs
from nightjar.settings.monitoring.alerting import Severity
from nightjar.settings.serving.canary import Canary
from nightjar.settings.serving.serving import Serving

D1 = date(2024, 4, 1)
ROLLBACK = Alert("rollback", "version 2", Severity.CRITICAL, "Challenger 2 is rolled back.")
ODD = Alert("experiment", "version 2", Severity.WARNING, "It cannot be judged.")
FIGURES = {"experiment": [{"name": "value", "low": 0.5}]}


@pytest.fixture
def step(warehouse, tmp_path):
    environment = builders.quick_environment(warehouse=warehouse.root, home=str(tmp_path / "home"))
    project = replace(builders.machines(Path("files")), serving=Serving(canary=Canary([0.1, 0.5], nights=1)))
    events.record(warehouse, "promoted", Version("1", "old", D1, {}), "p", events.CHAMPION)
    roles.assign(warehouse, Version("2", "new", D1, {}), roles.CHALLENGER, "a winner", "p", 0.1)
    settings = jobs.Monitor(environment, project, str(D1))
    return Step("run", D1, warehouse, settings, Sessions(environment, "tests"), "revision")


def test_harm_ends_the_challenge_with_its_figures_and_one_alert_however_often_the_night_is_run(step):
    for number in range(2):
        outcome = canary_moves.advance(step, Judged(Judgement.BREACHED, FIGURES, [ROLLBACK]))
        assert set(outcome.outputs) == (set() if number else {"model_events", "alerts"})
    assert [one.func for one in step.on_done] == [aliases.repeat, cards.write_of_run]
    assert roles.holders(step.warehouse, D1 + timedelta(days=1)).challenge is None
    (event,) = [one for one in events.read(step.warehouse) if one["event"] == roles.ROLLED_BACK]
    assert '"low": 0.5' in event["evidence"]
    assert rows_of(step.warehouse, "alerts", "kind", "message") == [("rollback", "Challenger 2 is rolled back.")]


def test_what_cannot_be_judged_moves_nothing_and_is_told(step):
    assert canary_moves.advance(step, None).outputs == {}
    assert canary_moves.advance(step, Judged(None, FIGURES)).outputs == {}
    assert set(canary_moves.advance(step, Judged(None, FIGURES, [ODD])).outputs) == {"alerts"}
    assert roles.holders(step.warehouse, D1 + timedelta(days=1)).challenge.share == 0.1


def test_the_alert_of_a_run_that_was_killed_after_its_event_is_recorded_by_the_next_one(step):
    canary.advance(step.warehouse, step.project.serving.canary, D1, "killed", Judgement.BREACHED)
    outcome = canary_moves.advance(step, Judged(Judgement.BREACHED, FIGURES, [ROLLBACK]))
    assert set(outcome.outputs) == {"alerts"}
    assert step.on_done[0].func is aliases.repeat
    assert rows_of(step.warehouse, "alerts", "kind", "message") == [("rollback", "Challenger 2 is rolled back.")]


def test_a_challenge_that_a_person_has_ended_already_is_not_told_as_rolled_back(step):
    after = Version("2", "new", D1 + timedelta(days=1), {})
    roles.withdraw(step.warehouse, after, roles.CHALLENGER, "enough", {}, "p")
    assert canary_moves.advance(step, Judged(Judgement.BREACHED, FIGURES, [ROLLBACK])).outputs == {}
