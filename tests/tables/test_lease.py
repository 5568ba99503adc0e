"""Two runs of one job and date: one wins, the other is told who has it."""

import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta

import pytest

from nightjar.errors import LeaseError
from nightjar.tables import arrow, lease
from nightjar.tables.definitions import LEASES

DAY, OTHER_DAY = date(2024, 4, 1), date(2024, 4, 2)
CONTENDER = """
import sys
from datetime import date
from nightjar.errors import LeaseError
from nightjar.tables import lease
from nightjar.tables.warehouse import Warehouse

root, run_id, day = sys.argv[1:]
print("ready", flush=True)
sys.stdin.readline()
try:
    with lease.held(Warehouse(root, "machines"), "score", date.fromisoformat(day), run_id, 10):
        print("won", flush=True)
        sys.stdin.readline()
except LeaseError as error:
    print("lost", error, flush=True)
"""


def contenders(root, *who):
    """Processes that all try at once; what each answers. The winner holds on until all have answered."""
    command = [sys.executable, "-c", CONTENDER, root]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    started = [subprocess.Popen([*command, *one], **pipes) for one in who]
    for process in started:
        assert process.stdout.readline() == "ready\n"
    for process in started:
        process.stdin.write("go\n")
        process.stdin.flush()
    answers = [process.stdout.readline().strip() for process in started]
    for process in started:
        process.communicate("end\n")
    return answers


def held(warehouse, run_id, day=DAY, minutes=10):
    return lease.held(warehouse, "score", day, run_id, minutes)


def leave_behind(warehouse, *, host, pid, until):
    """The row of a run that ended without giving its lease back."""
    row = {"job": "score", "run_date": DAY, "run_id": "old", "host": host, "pid": pid, "taken_at": until}
    arrow.append(warehouse, LEASES, [row | {"until": until}], "old")


def soon():
    return datetime.now(UTC) + timedelta(hours=1)


def ended_process():
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_of_two_processes_exactly_one_wins_and_the_other_is_told_who(warehouse):
    """Also when the table of leases does not exist yet, and both create it."""
    answers = contenders(warehouse.root, ("a", str(DAY)), ("b", str(DAY)))
    assert sorted(answer.split()[0] for answer in answers) == ["lost", "won"]
    winner = "ab"[answers.index("won")]
    lost = next(answer for answer in answers if answer != "won")
    assert f"score for {DAY} is already being run, by run {winner} (process " in lost


def test_different_dates_both_proceed(warehouse):
    answers = contenders(warehouse.root, ("a", str(DAY)), ("b", str(OTHER_DAY)))
    assert answers == ["won", "won"]


def test_another_job_or_date_is_another_lease(warehouse):
    with held(warehouse, "a"), held(warehouse, "b", OTHER_DAY), lease.held(warehouse, "train", DAY, "c", 10):
        rows = arrow.read(warehouse, "leases").to_pylist()
    assert {(row["job"], row["run_date"], row["run_id"]) for row in rows} == {
        ("score", DAY, "a"),
        ("score", OTHER_DAY, "b"),
        ("train", DAY, "c"),
    }


def test_a_held_lease_refuses_with_holder_and_end(warehouse):
    with (
        held(warehouse, "a"),
        pytest.raises(LeaseError, match=rf"by run a \(process {os.getpid()} on .*its lease ends at") as refused,
        held(warehouse, "b"),
    ):
        pass
    assert refused.value.exit_code == 1


def test_a_lease_is_given_back_when_the_block_ends_however_it_ends(warehouse):
    with pytest.raises(ZeroDivisionError), held(warehouse, "a"):
        _ = 1 / 0
    with held(warehouse, "b"):
        pass
    assert arrow.read(warehouse, "leases").num_rows == 1


def test_the_lease_of_a_dead_process_on_this_machine_is_taken_over(warehouse):
    leave_behind(warehouse, host=lease.socket.gethostname(), pid=ended_process(), until=soon())
    with held(warehouse, "b"):
        assert arrow.read(warehouse, "leases")["run_id"].to_pylist() == ["b"]


def test_the_lease_of_a_living_process_or_another_machine_is_not(warehouse):
    """Nobody can see from here whether a process on another machine lives."""
    leave_behind(warehouse, host="elsewhere", pid=ended_process(), until=soon())
    with pytest.raises(LeaseError, match=r"by run old .* on elsewhere"), held(warehouse, "b"):
        pass


def test_a_lease_whose_time_is_up_is_taken_over(warehouse):
    leave_behind(warehouse, host="elsewhere", pid=1, until=datetime.now(UTC) - timedelta(seconds=1))
    with held(warehouse, "b"):
        pass


def test_who_outlives_its_lease_ends_in_peace_and_leaves_it_to_the_next(warehouse):
    with held(warehouse, "a", minutes=0), held(warehouse, "b"):
        holder = arrow.read(warehouse, "leases").to_pylist()
    assert [row["run_id"] for row in holder] == ["b"]
    overtaken = held(warehouse, "a", minutes=0)
    overtaken.__enter__()
    with held(warehouse, "b"):
        overtaken.__exit__(None, None, None)
        assert arrow.read(warehouse, "leases")["run_id"].to_pylist() == ["b"]
