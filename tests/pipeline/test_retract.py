"""The job of retracting a night: by a person with a reason, recorded, and not undone by the next nightly."""

import logging
from dataclasses import replace

import pytest

import builders
from nightjar.errors import TableError
from nightjar.pipeline import plan
from nightjar.pipeline.execution import Context, perform
from nightjar.pipeline.sessions import Sessions
from nightjar.pipeline.steps import resources
from nightjar.settings.jobs import JobName, Score
from nightjar.settings.retract import Retract
from nightjar.tables import arrow, retractions
from nightjar.tables.warehouse import Warehouse
from review import loans
from review.loans import NIGHT

REASON = "the rates of that day were wrong"


@pytest.fixture
def context(tmp_path):
    environment = builders.quick_environment(warehouse=str(tmp_path / "warehouse"), home=str(tmp_path / "home"))
    settings = Retract(environment, loans.project(), str(NIGHT), reason=REASON, by="the desk")
    warehouse = Warehouse(environment.warehouse, "loans")
    warehouse.check_writable()
    loans.store(warehouse, settings.project, cases=10, past=0)
    return Context(settings, "config", Sessions(environment, "tests"), warehouse, "revision")


def test_a_night_is_retracted_by_a_run_of_its_own_and_a_nightly_does_not_score_it_again(context, caplog):
    caplog.set_level(logging.INFO)
    step = context.step(NIGHT, context.settings)
    assert resources(JobName.RETRACT, step) == (f"retract/{NIGHT}", f"score/{NIGHT}")
    outcome = perform(JobName.RETRACT, step, "config")
    assert outcome.rows == {"rows no longer served": 20}
    assert set(outcome.outputs) == {"retractions", "scores", "scores_latest"}
    (run,) = arrow.read(context.warehouse, "runs").to_pylist()
    assert (run["job"], run["status"], run["run_date"]) == ("retract", "done", NIGHT)
    (retraction,) = retractions.retracted(context.warehouse).values()
    assert (retraction.reason, retraction.by) == (REASON, "the desk")
    assert arrow.read(context.warehouse, "scores_latest").num_rows == 0
    assert {row["served"] for row in arrow.read(context.warehouse, "scores").to_pylist()} == {False}

    score = Score(context.settings.environment, context.settings.project, str(NIGHT))
    verdict = plan.judge(context.warehouse, JobName.SCORE, score, NIGHT)
    assert not verdict.is_due
    assert f"{REASON}. To serve it again: force=[score]" in verdict.reason
    caplog.clear()
    perform(JobName.RETRACT, context.step(NIGHT, context.settings), "config")
    assert f"{NIGHT} is retracted since" in caplog.text
    day_before = NIGHT.replace(day=2)
    with pytest.raises(TableError, match=f"Table scores of loans has no served row of {day_before}"):
        perform(JobName.RETRACT, context.step(day_before, context.settings), "config")


@pytest.mark.parametrize(
    ("changes", "expected"), [({"reason": " "}, "reason: found ' ', expected why"), ({"by": ""}, "by: found ''")]
)
def test_a_person_says_why(context, changes, expected):
    with pytest.raises(ValueError, match=expected):
        replace(context.settings, **changes)
