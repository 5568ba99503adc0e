"""Processes that are killed in the middle of a night. The whole matrix of kills is `scripts/test --faults`."""

import signal

import pytest

from faults.matrix import LEDGERS, rows, run, tables
from system import tree

pytestmark = pytest.mark.starts_processes


def test_a_driver_killed_in_its_commit_and_a_killed_java_leave_a_night_as_if_undisturbed(tmp_path_factory, tmp_path):
    """The first kill comes as the log of `scores` gets its entry: the commit is whole, or there is none. In the rerun
    Java is killed while its tasks write: the step is tried again by itself, with another Java.
    """
    checkout = tree.copied(tmp_path_factory, tmp_path)
    before = {name: rows(checkout, name) for name in set(tables(checkout)) - LEDGERS}
    kill = {"table": "scores", "nth": 1, "warehouse": str(checkout / "warehouse" / "machines")}
    kill |= {"marker": str(tmp_path / "killed")}
    night = (f"run_date={tree.NIGHT}", "from=score")

    code, _ = run(checkout, kill | {"moment": "during", "victim": "driver"}, *night)
    assert code == -signal.SIGKILL
    code, said = run(checkout, kill | {"moment": "before", "victim": "jvm"}, *night)
    assert code == 0, said
    assert len((tmp_path / "killed").read_text().split()) == 2
    assert f"score for {tree.NIGHT}: attempt 1 of 3 has failed by what may pass (java)" in said
    assert f"nightly machines {tree.NIGHT}: done, 2 steps run, 0 skipped, 5 scores" in said
    assert {name: rows(checkout, name) for name in set(tables(checkout)) - LEDGERS} == before
