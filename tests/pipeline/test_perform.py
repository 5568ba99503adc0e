"""A step: under its lease, after the step it needs, and with one row in `runs` however it ends."""

import logging
import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

import builders
from nightjar.errors import LeaseError, MachineError, ModelError, TableError, UsageError
from nightjar.pipeline import execution
from nightjar.pipeline.execution import Context, has_few_rows, perform, run_date_of
from nightjar.pipeline.retrying import never
from nightjar.pipeline.sessions import Sessions
from nightjar.pipeline.steps import resources, tables
from nightjar.settings.jobs import BuildFeatures, Job, JobName
from nightjar.settings.roots import ROOTS
from nightjar.settings.serving.budgets import Budget
from nightjar.settings.serving.serving import Serving
from nightjar.tables import arrow, lease, transaction
from nightjar.tables.granting import Claim
from nightjar.tables.lease import Pace
from nightjar.tables.runs import Outcome
from nightjar.tables.transaction import Change, Note

D1, D3 = date(2024, 4, 1), date(2024, 4, 3)
DONE = Outcome({"features": 1}, {"scores": 2}, {"scores": 5})


def claim(run_id, resource):
    return Claim((resource,), "score", D3, run_id)


def store_nothing(step):
    transaction.commit(step.warehouse, "scores", lambda _: Change(), Note(step.run_id))
    return Outcome()


@pytest.fixture
def context(copied):
    settings = Job(copied.environment, copied.project, "2024-04-03")
    return Context(settings, "config-2", Sessions(copied.environment, "tests"), copied.warehouse, "revision-2")


@pytest.fixture
def recorded(copied):
    """The rows that `runs` has gained."""
    before = {row["run_id"] for row in arrow.read(copied.warehouse, "runs").to_pylist()}
    return lambda: [row for row in arrow.read(copied.warehouse, "runs").to_pylist() if row["run_id"] not in before]


def step_of(context, settings=Job, day=D3, **options):
    return context.step(day, settings(context.settings.environment, context.settings.project, str(day), **options))


def test_a_night_has_few_rows_where_the_last_one_had_and_a_range_of_dates_never_has(context, monkeypatch):
    night, of_features = context.settings, step_of(context, BuildFeatures, since="2024-03-01").settings
    assert has_few_rows(JobName.SCORE, night, context.warehouse)
    assert not has_few_rows(JobName.MAINTAIN, night, context.warehouse)
    assert not has_few_rows(JobName.BUILD_FEATURES, of_features, context.warehouse)
    monkeypatch.setattr(execution, "FEW_ROWS", 4)
    assert not has_few_rows(JobName.SCORE, night, context.warehouse)


def test_a_step_that_is_done_is_one_row_with_what_it_did(context, recorded):
    step = step_of(context)
    assert perform(JobName.SCORE, step, "config-2", lambda _: DONE) == DONE
    (row,) = recorded()
    fields = (
        "run_id",
        "job",
        "run_date",
        "status",
        "error",
        "code_revision",
        "config_hash",
        "inputs",
        "outputs",
        "rows",
    )
    assert {name: row[name] for name in fields} == {
        "run_id": step.run_id,
        "job": "score",
        "run_date": D3,
        "status": "done",
        "error": None,
        "code_revision": "revision-2",
        "config_hash": "config-2",
        "inputs": [("features", 1)],
        "outputs": [("scores", 2)],
        "rows": [("scores", 5)],
    }
    assert row["seconds"] >= 0


def test_outcomes_are_merged_and_the_later_one_counts_where_both_name_a_table():
    later = Outcome({"labels": 3}, {"scores": 7, "drift": 1}, {"scores": 6})
    assert DONE | later == Outcome({"features": 1, "labels": 3}, {"scores": 7, "drift": 1}, {"scores": 6})
    assert Outcome() | DONE == DONE == Outcome({"features": 1}, {"scores": 2}, {"scores": 5})


def test_what_a_step_leaves_for_later_is_called_once_its_run_is_recorded(context, recorded):
    calls = []

    def score(step):
        step.on_done.append(lambda: calls.extend(row["status"] for row in recorded()))
        return DONE

    def fail(step):
        score(step)
        raise ModelError("No champion.")

    with pytest.raises(ModelError):
        perform(JobName.SCORE, step_of(context), "config-2", fail)
    assert calls == []
    perform(JobName.SCORE, step_of(context), "config-2", score)
    assert sorted(calls) == ["done", "failed"]


@pytest.mark.parametrize(
    ("failure", "status", "error"),
    [
        (ModelError("No champion."), "failed", "No champion."),
        (ZeroDivisionError(), "failed", "ZeroDivisionError"),
        (KeyboardInterrupt(), "interrupted", "interrupted"),
    ],
)
def test_a_step_that_fails_is_one_row_with_its_error_and_gives_its_lease_back(
    context, recorded, failure, status, error
):
    def fail(_):
        raise failure

    with pytest.raises(type(failure)):
        perform(JobName.SCORE, step_of(context), "config-2", fail)
    (row,) = recorded()
    assert (row["status"], row["error"], row["outputs"]) == (status, error, [])
    perform(JobName.SCORE, step_of(context), "config-2", lambda _: DONE)
    assert [row["status"] for row in recorded()].count("done") == 1


def test_a_step_that_is_tried_again_has_not_stopped_the_night(context, recorded):
    """Nobody is told before the last attempt: no verdict, no alert, no page."""

    def fail(_):
        raise MachineError("Java is gone.", "java")

    def told():
        there = [name for name in ("verdicts", "alerts") if arrow.exists(context.warehouse, name)]
        nights = [row["run_date"] for name in there for row in arrow.read(context.warehouse, name).to_pylist()]
        return nights.count(D3), Path(context.warehouse.path(f"reports/night-{D3}.html")).exists()

    before = told()
    for will_retry, more in ((lambda _: True, before), (never, (before[0] + 2, True))):
        with pytest.raises(MachineError):
            perform(JobName.SCORE, step_of(context), "config-2", fail, will_retry)
        assert told() == more
    assert [row["status"] for row in recorded()].count("failed") == 2


def test_who_loses_the_lease_does_nothing_and_records_nothing(context, recorded):
    done = []
    with (
        lease.hold(context.warehouse, claim("other", f"score/{D3}"), list, Pace(beat=0.1)),
        pytest.raises(LeaseError, match="by run other"),
    ):
        perform(JobName.SCORE, step_of(context), "config-2", done.append)
    assert (done, recorded()) == ([], [])


def test_who_is_overtaken_is_refused_even_in_a_later_step_of_its_night_and_says_so_in_runs(context, recorded):
    """The nightly's own lease is taken over between two of its steps; the step's own is not."""

    def night(step):
        lease.free(step.warehouse, f"nightly/{D3}", "operator", "freed by ada on desk: stuck", ["scores"])
        inner = replace(step_of(context), warehouse=step.warehouse)
        return perform(JobName.SCORE, inner, "config-2", store_nothing)

    with pytest.raises(LeaseError, match="freed by ada on desk: stuck"):
        perform(JobName.NIGHTLY, step_of(context), "config-2", night)
    assert {(row["job"], row["status"]) for row in recorded()} == {("nightly", "failed"), ("score", "failed")}
    assert all("freed by ada on desk: stuck. Nothing was written" in row["error"] for row in recorded())


def test_a_step_that_takes_more_than_its_budget_is_done_and_raises_an_alert(context, recorded):
    serving = Serving(budgets={"score": Budget(seconds=1e-9, rows_per_second=1e9), "monitor": Budget(seconds=1e9)})
    settings = replace(context.settings, project=replace(context.settings.project, serving=serving))
    for job in (JobName.SCORE, JobName.MONITOR):
        perform(job, context.step(D3, settings), "config-2", lambda _: DONE)
    ended = {row["job"]: row for row in recorded()}
    score, monitor = ended["score"], ended["monitor"]
    assert score["status"] == monitor["status"] == "done"
    assert score["rows_per_second"] == pytest.approx(5 / score["seconds"])
    assert score["peak_memory_bytes"] > 1 << 20
    assert score["stages"] is None  # no Spark was started
    (alert,) = arrow.read(context.warehouse, "alerts").to_pylist()
    assert (alert["kind"], alert["subject"], alert["run_id"]) == ("budget", "score", score["run_id"])
    assert "score for 2024-04-03 has taken more than project.serving.budgets.score allows: seconds" in alert["message"]
    assert "rows_per_second" in alert["message"]


def test_ingests_of_two_dates_need_the_same_sources_and_builds_the_same_labels(context):
    """So do two upkeeps, two promotions and two trainings. Everything else is of its date alone."""
    both = {name: [set(resources(name, step_of(context, day=day))) for day in (D1, D3)] for name in JobName}
    assert {name.value: one & other for name, (one, other) in both.items() if one & other} == {
        "ingest": {"source/schedule", "source/outcomes", "source/readings"},
        "build_features": {"build_features"},
        "train": {"train"},
        "promote": {"promote"},
        "maintain": {"maintain"},
    }


def test_every_table_that_jobs_write_is_told_of_a_new_holder(context):
    written = set(builders.versions(context.warehouse)) - {"beats"}
    assert written <= set(tables(context.settings.project))


@pytest.mark.parametrize(
    ("job", "needed"),
    [
        (JobName.BUILD_FEATURES, "ingest"),
        (JobName.TRAIN, "build_features"),
        (JobName.PROMOTE, "train"),
        (JobName.SCORE, "build_features"),
        (JobName.MONITOR, "score"),
    ],
)
def test_a_step_needs_the_finished_step_before_it(context, recorded, job, needed):
    message = f"{job.value} for 2024-04-03 needs {needed} for 2024-04-03, which has not been run. Run: jobs/{needed}.py"
    search = {"search": builders.search()} if job is JobName.TRAIN else {}
    with pytest.raises(TableError, match=message):
        perform(job, step_of(context, ROOTS[job], **search), "config-2")
    (row,) = recorded()
    assert row["status"] == "failed"
    assert message in row["error"]


def test_a_step_says_in_one_line_what_it_did(context, caplog):
    logger = logging.getLogger("nightjar.job")
    logger.addHandler(caplog.handler)
    logger.setLevel(logging.INFO)
    try:
        perform(JobName.SCORE, step_of(context), "config-2", lambda _: DONE)
    finally:
        logger.removeHandler(caplog.handler)
    assert re.fullmatch(r"score for 2024-04-03 done in [0-9.]+ ?s: scores version 2; 5 scores", caplog.messages[-1])


def test_a_job_without_a_run_date_has_none(context):
    assert run_date_of(context.settings) == D3
    context.settings.run_date = None
    with pytest.raises(UsageError, match="run_date"):
        run_date_of(context.settings)
