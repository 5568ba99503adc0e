"""The job of review by its command line: cases listed, decided, exported and imported, and the page as a process."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import builders
from builders import rows_of
from nightjar.errors import UsageError
from nightjar.pipeline import review
from nightjar.pipeline.execution import Context
from nightjar.review import tokens
from nightjar.settings.review import Review
from nightjar.tables import arrow
from nightjar.tables.warehouse import Warehouse
from review import loans
from review.serving import Client
from system import tree
from system.commands import run_within

JOB = str(tree.ROOT / "jobs" / "review.py")


@pytest.fixture
def run(tmp_path):
    """Runs the job in a folder with the project of loans."""
    project, folder = loans.project(), tmp_path / "conf"
    for name, settings in (("project/loans", project), ("environment/quick", builders.quick_environment())):
        (folder / name).parent.mkdir(parents=True)
        tree.declare(folder / f"{name}.yaml", settings)
    warehouse = Warehouse(str(tmp_path / "warehouse"), "loans")
    warehouse.check_writable()
    loans.store(warehouse, project)
    return lambda *settings: run_within(tmp_path, [JOB, "project=loans", "environment=quick", *settings], None)


def test_cases_are_listed_decided_and_decisions_taken_back(run, tmp_path):
    warehouse = Warehouse(str(tmp_path / "warehouse"), "loans")
    listed = run("limit=3").out
    assert re.search(r"\d+ cases \(todo\) of Loans that will not be repaid", listed)
    case = re.findall(r"│ ([0-9a-f]{12}) ", listed)[0]
    assert listed.count("applicant a") == 3
    assert "Say why you decide grant" in run("action=decide", f"case={case}", "by=ada", "decision=grant").problem
    decided = ("action=decide", f"case={case}", "by=ada", "decision=grant", "reason=the income is proven")
    assert run(*decided).code == 0
    shown = run("action=show", f"case={case}").out
    assert "grant · ada" in shown
    assert "the income is proven" in shown
    assert run("action=undo", f"case={case}", "by=ada").code == 0
    kinds = [(row["number"], row["action"]) for row in arrow.read(warehouse, "reviews").to_pylist()]
    assert sorted(kinds) == [(1, "decide"), (2, "undo")]
    runs = {(row["job"], row["status"], row["run_date"]) for row in arrow.read(warehouse, "runs").to_pylist()}
    assert runs == {("review", "done", loans.NIGHT)}


def test_a_file_of_cases_comes_back_with_decisions(run, tmp_path):
    path = tmp_path / "cases.csv"
    assert run("action=export", f"file={path}", "tier=reject").code == 0
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    assert lines[0] == "prediction_id,case,tier,score,why,night,due,state,decision,reason"
    filled = [lines[0], *(f"{line[:-1]}refuse," for line in lines[1:3]), *lines[3:]]
    path.write_text("\n".join(filled), encoding="utf-8")
    assert run("action=import", f"file={path}", "by=ada").code == 0
    warehouse = Warehouse(str(tmp_path / "warehouse"), "loans")
    expected = sorted((line[:64], "refuse") for line in lines[1:3])
    assert rows_of(warehouse, "reviews", "prediction_id", "decision") == expected
    again = run("action=import", f"file={path}", "by=ben")
    assert again.code == 1
    assert "This case is decided" in again.problem
    assert len(rows_of(warehouse, "reviews")) == 2


def test_a_page_that_ends_by_a_failure_has_its_run(tmp_path):
    project = loans.project()
    environment = replace(builders.quick_environment(), home=str(tmp_path / "home"))
    warehouse = Warehouse(str(tmp_path / "warehouse"), "loans")
    warehouse.check_writable()
    loans.store(warehouse, project, cases=2, past=0)
    tokens.admit(tokens.folder_of(tmp_path / "home", "loans"), "ada")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        settings = Review(environment, project, action="serve", port=taken.getsockname()[1])
        with pytest.raises(UsageError, match="expected a free port"):
            review.run(Context(settings, "hash", None, warehouse, "revision"))
    ((status, error),) = rows_of(warehouse, "runs", "status", "error")
    assert status == "failed"
    assert "expected a free port" in error


@pytest.mark.starts_processes
def test_the_page_is_served_until_a_signal_to_those_who_have_a_token(run, tmp_path):
    assert "nobody may enter" in run("action=serve").problem
    admitted = run("action=admit", "by=ada")
    (path,) = Path(tmp_path / ".nightjar").rglob("ada.token")
    token = path.read_text().strip()
    assert str(path) in admitted.err
    command = [sys.executable, JOB, "project=loans", "environment=quick", "action=serve", "port=0"]
    variables = os.environ | {"PYTHONPATH": str(tree.ROOT / "lib")}
    log = tmp_path / "log"
    with log.open("w") as err, subprocess.Popen(command, cwd=tmp_path, stderr=err, env=variables) as process:
        try:
            while not (found := re.search(r"http://127\.0\.0\.1:(\d+)/", log.read_text())):
                assert process.poll() is None, log.read_text()
            client = Client(int(found[1]))
            assert client.ask("GET", "/")[0] == 303
            assert client.enter(token)[0] == 303
            status, _, text = client.ask("GET", "/")
            assert status == 200
            assert "Loans that will not be repaid" in text
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    lines = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    assert [line["message"] for line in lines][-1] == "the page has ended"
    assert token not in log.read_text()
    assert client.cookies["nightjar_loans"] not in log.read_text()
    (row,) = arrow.read(Warehouse(str(tmp_path / "warehouse"), "loans"), "runs").to_pylist()
    assert (row["job"], row["status"], dict(row["rows"])) == ("review", "done", {"actions": 0})
