"""Two runs want the same alone: one gets it, the other is told; and of one that was taken over, nothing lands."""

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nightjar.errors import LeaseError, TableError
from nightjar.tables import arrow, beats, granting, lease
from nightjar.tables.definitions import BEATS, LEASES
from nightjar.tables.granting import Claim
from nightjar.tables.lease import Pace, Watch
from nightjar.tables.table import INSTANT, Column, Table
from nightjar.tables.warehouse import Lease, Warehouse
from tables.things import ids, store, things

DAY, OTHER_DAY = date(2024, 4, 1), date(2024, 4, 2)
LIVELY = Pace(beat=0.05, patience=20, look=0.02)
FROZEN = Pace(beat=1000, patience=0.1, look=0.02)
"""A holder gives one sign of life, and a contender waits a tenth of a second for the next."""


def claim(run_id, *resources, day=DAY):
    return Claim(resources or (f"score/{day}",), "score", day, run_id)


def hold(warehouse, run_id, *resources, pace=LIVELY, tables=("things",), day=DAY):
    return lease.hold(warehouse, claim(run_id, *resources, day=day), lambda: tables, pace)


def left_behind(warehouse, run_id="old", host="elsewhere", pid=1):
    """The row of a run that ended without giving its lease back, and the warehouse that it wrote to."""
    arrow.ensure(warehouse, LEASES)
    arrow.ensure(warehouse, BEATS)
    row = {"resource": f"score/{DAY}", "job": "score", "run_date": DAY, "run_id": run_id, "host": host, "pid": pid}
    token = arrow.append(warehouse, LEASES, [row | {"alive": run_id, "taken_at": datetime.now(UTC)}], run_id)
    return warehouse.with_lease(Lease((f"score/{DAY}",), token, run_id))


def holder(warehouse):
    """Resource -> run of those that are held."""
    return {row["resource"]: row["run_id"] for row in granting.read_leases(warehouse)[1] if row["released_at"] is None}


def ended_process():
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_of_two_at_once_one_wins_and_the_other_is_told_who(warehouse):
    """Also when the tables do not exist yet, and all create them. Another date is another lease."""
    start, refused = threading.Barrier(3), threading.Event()
    answers = {}

    def contend(run_id, day):
        start.wait(60)
        try:
            with hold(warehouse, run_id, day=day):
                answers[run_id] = "won"
                refused.wait(60)
        except LeaseError as error:
            answers[run_id] = str(error)
            refused.set()

    threads = [threading.Thread(target=contend, args=one) for one in (("a", DAY), ("b", DAY), ("c", OTHER_DAY))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert answers.pop("c") == "won"
    winner = next(run_id for run_id in answers if answers[run_id] == "won")
    (lost,) = (answers[run_id] for run_id in answers if run_id != winner)
    assert f"score for {DAY}: score/{DAY} is held by run {winner} (score for {DAY}, process " in lost


def test_a_held_lease_refuses_with_its_holder_and_what_to_do(warehouse):
    with hold(warehouse, "a"), pytest.raises(LeaseError) as refused, hold(warehouse, "b"):
        pass
    parts = ("by run a", f"process {os.getpid()} on ", "UTC by its clock", "Run it again once", "jobs/leases.py")
    assert [part for part in parts if part not in str(refused.value)] == []
    assert refused.value.exit_code == 1


def test_what_two_runs_need_in_part_is_granted_whole_or_not_at_all(warehouse):
    """Ingests of neighbouring dates write the same sources."""
    with hold(warehouse, "a", "ingest/1", "source/x", "source/y"):
        with pytest.raises(LeaseError, match="source/y is held by run a"), hold(warehouse, "b", "source/y", "source/z"):
            pass
        with hold(warehouse, "c", "source/z", "ingest/2"):
            assert holder(warehouse) == dict.fromkeys(("ingest/1", "source/x", "source/y"), "a") | {
                "source/z": "c",
                "ingest/2": "c",
            }
    assert holder(warehouse) == {}


def test_a_lease_is_given_back_however_the_block_ends_and_is_free_at_once(warehouse):
    with pytest.raises(ZeroDivisionError), hold(warehouse, "a"):
        _ = 1 / 0
    started = time.monotonic()
    with hold(warehouse, "b", pace=Pace(patience=1000)):
        assert holder(warehouse) == {f"score/{DAY}": "b"}
    assert time.monotonic() - started < 500


@pytest.mark.parametrize("place", ["a living process here", "an ended one here", "elsewhere"])
def test_who_gives_no_sign_of_life_is_dead_wherever_it_was(warehouse, place, caplog):
    """In a container, the successor of a dead run may have its host name and process number."""
    here = socket.gethostname()
    host, pid = {
        "a living process here": (here, os.getpid()),
        "an ended one here": (here, ended_process()),
        "elsewhere": ("elsewhere", 1),
    }[place]
    left_behind(warehouse, host=host, pid=pid)
    with caplog.at_level("INFO", "nightjar"), hold(warehouse, "b", pace=FROZEN):
        assert holder(warehouse) == {f"score/{DAY}": "b"}
    messages = "\n".join(caplog.messages)
    assert "Watching for up to 0.1 s" in messages
    assert (
        f"taken over, without a sign of life for 0.1 s: score/{DAY} by run old (score for {DAY}, process {pid}"
        in messages
    )


def test_who_gives_signs_of_life_lives_wherever_it_is(warehouse):
    """A process in another namespace of the same host name looks from here as if it had ended."""
    left_behind(warehouse, host=socket.gethostname(), pid=ended_process())
    with (
        beats.keep_alive(warehouse, "old", 0.05),
        pytest.raises(LeaseError, match="held by run old"),
        hold(warehouse, "b", pace=Pace(patience=20, look=0.02)),
    ):
        pass


def test_who_was_frozen_past_its_lease_and_wakes_cannot_commit_any_more(warehouse):
    store(warehouse, things(id=[1], place=["a"]))
    with hold(warehouse, "a", pace=FROZEN) as first:
        store(first, things(id=[2], place=["a"]))
        with hold(warehouse, "b", pace=FROZEN) as second:
            with pytest.raises(LeaseError) as refused:
                store(first, things(id=[3], place=["a"]))
            store(second, things(id=[4], place=["a"]))
            with pytest.raises(LeaseError):
                store(first, things(id=[5], place=["a"]))
    parts = (
        "Table things at",
        f"score/{DAY} of this run a has ended",
        "another run has taken over, run b",
        "Nothing was",
    )
    assert [part for part in parts if part not in str(refused.value)] == []
    assert ids(warehouse) == [1, 2, 4]
    assert holder(warehouse) == {}


def test_a_step_lives_and_dies_with_its_nightly(warehouse):
    """Whoever takes the night over does not wait once more for the step's lease."""
    store(warehouse, things(id=[1], place=["a"]))
    for table in (LEASES, BEATS):
        arrow.ensure(warehouse, table)
    dead = lease.take(warehouse, claim("night", "nightly/1"), FROZEN)
    step = lease.take(warehouse.with_lease(dead), claim("step", "ingest/1", "source/x"), FROZEN)
    with hold(warehouse, "again", "nightly/1", pace=FROZEN) as night:
        with hold(night, "first", "ingest/1", "source/x", pace=Pace(patience=1000)) as first:
            store(first, things(id=[2], place=["a"]))
            assert holder(warehouse) == {"nightly/1": "again", "ingest/1": "first", "source/x": "first"}
            assert set(beats.read(warehouse, ["again"]).values()) != {None}
            assert set(beats.read(warehouse, ["first", "night", "step"]).values()) == {None}
        for old in (dead, step):
            with pytest.raises(LeaseError):
                store(warehouse.with_lease(old), things(id=[3], place=["a"]))
        assert len(lease.free(warehouse, "nightly/1", "operator", "freed", ["things"])) == 1
    assert ids(warehouse) == [1, 2]


def test_what_a_step_could_not_give_back_its_nightly_takes_again_at_once(warehouse):
    """Though the nightly, and so the step that has failed, gives signs of life."""
    with hold(warehouse, "night", "nightly/1") as night:
        lease.take(night, claim("failed", "score/1"), LIVELY)
        with hold(night, "again", "score/1", pace=Pace(patience=1000)):
            assert holder(warehouse) == {"nightly/1": "night", "score/1": "again"}


def test_who_was_overtaken_leaves_the_lease_to_who_has_it(warehouse):
    overtaken = hold(warehouse, "a", pace=FROZEN)
    overtaken.__enter__()
    with hold(warehouse, "b", pace=FROZEN):
        overtaken.__exit__(None, None, None)
        assert holder(warehouse) == {f"score/{DAY}": "b"}


def test_a_commit_in_flight_when_its_lease_is_taken_over_does_not_land(warehouse):
    """It has looked at the table before the new token came, and would commit after."""
    store(warehouse, things(id=[1], place=["a"]))
    old = left_behind(warehouse)
    looks = []

    def taken_over_meanwhile(_):
        looks.append(len(looks))
        if looks == [0, 1]:  # the first is at the version that the target was taken at
            granted = lease.take(warehouse, claim("b"), FROZEN)
            granting.announce(warehouse, granted, ["things"])
        return False

    with pytest.raises(LeaseError, match="another run has taken over, run b"):
        store(old, things(id=[2], place=["a"]), replaces=taken_over_meanwhile)
    assert looks == [0, 1]
    assert ids(warehouse) == [1]


def test_a_take_over_that_cannot_be_announced_leaves_the_lease_to_the_next_take_over(warehouse):
    """Released, it would be free at once, and the old holder could still commit."""
    store(warehouse, things(id=[1], place=["a"]))
    old = left_behind(warehouse)

    def out_of_reach():
        raise TableError("the tables are out of reach")

    with pytest.raises(TableError, match="out of reach"), lease.hold(warehouse, claim("b"), out_of_reach, FROZEN):
        pytest.fail("the work began")
    assert holder(warehouse) == {f"score/{DAY}": "b"}
    with hold(warehouse, "c", pace=FROZEN), pytest.raises(LeaseError):
        store(old, things(id=[2], place=["a"]))


def test_who_cannot_give_signs_of_life_is_warned_and_goes_on(warehouse, caplog):
    with caplog.at_level("WARNING", "nightjar"), hold(warehouse, "a") as holding:
        shutil.rmtree(warehouse.path("beats"))
        limit = time.monotonic() + 60
        while not caplog.messages and time.monotonic() < limit:
            time.sleep(0.02)
        store(holding, things(id=[1], place=["a"]))
    assert "run a could not give its sign of life in table beats at" in caplog.messages[0]
    assert "its commits are refused from then on" in caplog.messages[0]
    assert ids(warehouse) == [1]


def test_who_cannot_give_its_lease_back_is_warned_and_done_all_the_same(warehouse, caplog):
    with caplog.at_level("WARNING", "nightjar"), hold(warehouse, "a"):
        shutil.rmtree(warehouse.path("leases"))
    (warning,) = [message for message in caplog.messages if "give back" in message]
    assert f"run a could not give back score/{DAY} in table leases at" in warning


def test_a_lease_freed_by_hand_is_free_at_once_and_its_holder_refused_with_the_reason(warehouse):
    store(warehouse, things(id=[1], place=["a"]))
    with hold(warehouse, "a", "ingest/1", "source/x") as holding:
        freed = lease.free(warehouse, "source/x", "operator", "freed by ada on desk: host is gone", ["things"])
        assert {row["resource"]: row["run_id"] for row in freed} == {"ingest/1": "a", "source/x": "a"}
        with (
            hold(warehouse, "b", "ingest/1", pace=Pace(patience=1000)),
            pytest.raises(LeaseError, match="has taken over"),
        ):
            store(holding, things(id=[2], place=["a"]))
        with pytest.raises(LeaseError, match=r"source/x .* freed by ada on desk: host is gone\. Nothing was"):
            store(warehouse.with_lease(Lease(("source/x",), 1, "a")), things(id=[2], place=["a"]))
    assert ids(warehouse) == [1]
    with (
        hold(warehouse, "c", "source/y"),
        pytest.raises(LeaseError, match=r"no lease on source/q\. Held are: source/y"),
    ):
        lease.free(warehouse, "source/q", "operator", "x", ["things"])


def test_a_lost_table_of_leases_is_told_and_freeing_by_hand_mends_it(warehouse):
    store(warehouse, things(id=[1], place=["a"]))
    for run_id in ("a", "b", "c"):
        with hold(warehouse, run_id) as holding:
            store(holding, things(id=[2], place=["a"]))
    shutil.rmtree(warehouse.path("leases"))
    with hold(warehouse, "d") as holding, pytest.raises(LeaseError, match="removed or put back to an older state"):
        store(holding, things(id=[3], place=["a"]))
    lease.free(warehouse, f"score/{DAY}", "operator", "leases was lost", ["things"])
    with hold(warehouse, "e") as holding:
        store(holding, things(id=[4], place=["a"]))
    assert ids(warehouse) == [1, 2, 2, 2, 4]


def test_a_table_of_leases_from_before_there_were_tokens_still_serves(warehouse):
    names = [("job", pa.string()), ("run_date", pa.date32()), ("run_id", pa.string()), ("host", pa.string())]
    columns = [Column(name, kind, name) for name, kind in [*names, ("pid", pa.int64()), ("until", INSTANT)]]
    old = Table("leases", "Old.", ("job", "run_date"), (), "every job", tuple(columns))
    row = {"job": "score", "run_date": DAY, "run_id": "old", "host": "h", "pid": 1, "until": datetime.now(UTC)}
    arrow.append(warehouse, old, [row], "old")
    with hold(warehouse, "a"):
        assert holder(warehouse) == {f"score/{DAY}": "a"}


def test_the_log_of_signs_of_life_is_kept_for_a_day(warehouse):
    arrow.ensure(warehouse, BEATS)
    log = Path(warehouse.path("beats")) / "_delta_log"
    for _ in range(11):
        beats.give(warehouse, "a")
    for file in log.iterdir():
        os.utime(file, (time.time() - 90_000,) * 2)
    for _ in range(10):
        beats.give(warehouse, "a")
    assert min(file.name for file in log.glob("*.json")) == f"{9:020}.json"
    before = beats.read(warehouse, ["a", "b"])
    beats.give(warehouse, "a")
    after = beats.read(warehouse, ["a", "b"])
    assert after["a"] > before["a"]
    assert after["b"] is before["b"] is None


def test_signs_of_life_of_many_at_once_are_all_given(warehouse):
    arrow.ensure(warehouse, BEATS)
    threads = [threading.Thread(target=beats.give, args=(warehouse, f"run-{number}")) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert None not in beats.read(warehouse, [f"run-{number}" for number in range(6)]).values()


class Story:
    """An old holder and two contenders, each going on by a step in any order; `now` is the contenders' clock.

    A contender looks, takes, announces and commits twice, each of them a step. Nobody but the old holder gives signs of
    life, so a contender that has taken over may be taken over itself.
    """

    def __init__(self, warehouse):
        self.warehouse, self.now, self.beaten, self.announced = warehouse, 0, 0, 0
        store(warehouse, things(id=[0], place=["a"]))
        self.old = left_behind(warehouse)
        self.going = {name: self.contend(name) for name in "bc"}

    def step(self, who):
        self.now += 1
        if who == "the old one lives":
            beats.give(self.warehouse, "old")
            self.beaten += 1
        elif who == "the old one commits":
            self.commit(self.old)
        else:
            next(self.going[who], None)

    def contend(self, name):
        claimed, watch, before = claim(name), Watch(lambda: self.now), self.beaten
        granted = None
        while granted is None:
            try:
                seen, rows, others, silence = lease.look(self.warehouse, claimed, watch)
            except LeaseError:
                assert self.beaten > before
                return
            assert self.beaten == before or "old" not in {row["run_id"] for row in others}
            yield
            if not others or silence >= 3:
                granted = granting.grant(self.warehouse, claimed, seen, rows, ())
        holding = self.warehouse.with_lease(granted)
        yield
        try:
            granting.announce(self.warehouse, granted, ["things"])
        except LeaseError:
            assert self.announced > granted.token
            return
        self.announced = granted.token
        for _ in range(2):
            yield
            self.commit(holding)

    def commit(self, holding):
        token = holding.leases[0].token
        try:
            store(holding, things(id=[token], place=["a"]))
        except LeaseError:
            assert self.announced > token
        else:
            assert self.announced <= token


@pytest.mark.slow
@settings(max_examples=8)
@given(st.lists(st.sampled_from(["b", "c", "the old one lives", "the old one commits"]), min_size=12, max_size=24))
def test_in_any_order_nothing_lands_after_a_newer_holder_has_announced_itself(tmp_path_factory, steps):
    """And exactly then: whoever has the newest token commits. Nobody takes over one that it has seen living."""
    story = Story(Warehouse(str(tmp_path_factory.mktemp("story")), "machines"))
    for who in steps:
        story.step(who)
