"""A replay walks features that were built for it: up to its last night, and by the definitions it is asked for."""

import importlib.util
import re
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from learning import problems
from nightjar.config import compose_job, make_settings
from nightjar.errors import LearningError, UsageError
from nightjar.features.definitions import definitions_hash
from nightjar.settings.jobs import JobName
from nightjar.settings.model import Estimator, Model
from nightjar.tables import runs
from nightjar.tables.runs import Outcome, Run
from nightjar.tables.warehouse import Warehouse

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
SUMMER = ("--first", "2013-07-01", "run_date=2013-10-01")
EDITED = "project.features.aircraft.features.landings.windows=[3d]"
GROUPS = "tailnum"
STARTED = datetime(2024, 4, 9, tzinfo=UTC)


class RowsAreReadError(Exception):
    """All is built: what comes then is looked at elsewhere."""


@pytest.fixture
def replaying(tmp_path, monkeypatch):
    """The program in a place of its own. Its jobs do nothing, and end well; `job_arguments` are those of each."""
    spec = importlib.util.spec_from_file_location("replaying", ROOT / "scripts" / "replaying.py")
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    program.job_arguments = {}

    def run(command, **_):
        job, job_arguments = Path(command[1]).stem, command[2:]
        program.job_arguments[job] = job_arguments
        values = dict(one.split("=", 1) for one in job_arguments)
        run_date = date.fromisoformat(values["run_date"])
        done = Run(job, job, run_date, "done", None, "c1", "h1", STARTED, 1.0, Outcome())
        warehouse = Warehouse(values["environment.warehouse"], "flights")
        runs.record(warehouse, done)
        for table in ("features", "labels"):
            write_deltalake(warehouse.path(table), pa.table({"run_date": [run_date]}), mode="append")

    def read(*_, slices=(), **__):
        program.slices = slices
        raise RowsAreReadError

    monkeypatch.setattr(program, "HOME", tmp_path)
    monkeypatch.setattr(program, "read_training_set", read)
    monkeypatch.setattr(program.subprocess, "run", run)
    return program


def build_arguments(replaying, *arguments):
    """The arguments of a replay's jobs; empty if it starts none."""
    replaying.job_arguments.clear()
    with pytest.raises(RowsAreReadError):
        replaying.main(list(arguments))
    return dict(replaying.job_arguments)


def test_what_reaches_the_run_date_is_not_built_again(replaying):
    assert list(build_arguments(replaying)) == ["ingest", "build_features"]
    assert build_arguments(replaying) == {}
    assert build_arguments(replaying, *SUMMER, "search=flights", "search.final_days=7") == {}


def test_what_ends_before_the_run_date_is_built_up_to_it(replaying):
    build_arguments(replaying, *SUMMER)
    job_arguments = build_arguments(replaying)
    assert all("run_date=2013-12-31" in job_arguments[job] for job in ("ingest", "build_features"))
    assert "since=2013-01-01" in job_arguments["build_features"]


def test_edited_definitions_are_built_without_anything_of_older_ones_and_both_are_kept(replaying):
    before = build_arguments(replaying)
    after = build_arguments(replaying, EDITED, "search=flights", "+model@search.candidates.mine=tree")
    assert definitions_of(before) != definitions_of(after)
    assert before["ingest"][-1] != after["ingest"][-1]  # the warehouse
    assert build_arguments(replaying, EDITED) == build_arguments(replaying) == {}


def definitions_of(job_arguments):
    """The hash of the definitions in a job's arguments."""
    return definitions_hash(
        make_settings(compose_job(ROOT / "conf", JobName.BUILD_FEATURES, job_arguments["build_features"])).project
    )


def test_rows_and_candidates_are_those_of_a_mitigation(replaying):
    arguments = [f"project.fairness.mitigation={{kind: reweighing, columns: [{GROUPS}]}}"]
    build_arguments(replaying, *arguments)
    assert GROUPS in replaying.slices
    settings, _ = replaying._settings(arguments)
    candidates = {"near": Model(Estimator.NEIGHBOURS), "majority": Model(Estimator.MAJORITY, baseline=True)}
    search = replace(settings.search, candidates=candidates)
    with pytest.raises(LearningError, match=r"search\.candidates\.near.*weight"):
        replaying._search_and_replay(problems.rows(), replace(settings, search=search), None)


def test_a_first_night_after_the_last_one_is_refused_before_anything_is_built(replaying):
    with pytest.raises(UsageError, match=re.escape("A replay from 2013-10-01 to 2013-09-28 has no night")):
        replaying.main(["run_date=2013-10-01"])
    assert replaying.job_arguments == {}
