"""How a canary goes on from night to night: shares, the champion's place, or back."""

from datetime import date, timedelta

import pyarrow as pa
import pytest

from nightjar.registry import canary, events, roles
from nightjar.registry.canary import Judgement
from nightjar.registry.events import Version
from nightjar.registry.roles import CHALLENGER
from nightjar.settings.serving.canary import Canary
from nightjar.tables import arrow
from nightjar.tables.table import Column, Table

D1 = date(2024, 4, 1)
STEPS = Canary(steps=[0.1, 0.4], nights=2)
SCORES = Table(
    "scores",
    "Only what is looked at.",
    (),
    ("run_date", "role"),
    "score",
    (
        Column("model_version", pa.string(), ""),
        Column("role", pa.string(), ""),
        Column("run_date", pa.date32(), ""),
    ),
)


def day(number):
    return D1 + timedelta(days=number)


def scored(warehouse, number, role="challenger", version="2"):
    rows = [{"model_version": version, "role": role, "run_date": day(number)}]
    arrow.append(warehouse, SCORES, rows, "run")


def judged(warehouse, number, judgement):
    """What follows from a night, told as on the next one: who challenges with which share, and the champion."""
    canary.advance(warehouse, STEPS, day(number), "run", judgement)
    after = roles.holders(warehouse, day(number + 1))
    challenge = None if after.challenge is None else (after.challenge.version.number, after.challenge.share)
    return challenge, after.champion.number


@pytest.fixture
def begun(warehouse):
    events.record(warehouse, "promoted", Version("1", "old", D1, {}), "run", events.CHAMPION)
    roles.assign(
        warehouse, Version("2", "new", D1, {"metric": "x", "outcomes": []}), CHALLENGER, "a winner", "run", 0.1
    )
    return warehouse


def test_steps_are_taken_after_their_nights_and_the_last_one_once_all_is_shown(begun):
    for number in range(8):
        scored(begun, number)
    assert judged(begun, 0, Judgement.PASSED) == (("2", 0.1), "1")
    assert judged(begun, 1, Judgement.WAITING) == (("2", 0.4), "1")
    assert judged(begun, 1, Judgement.PASSED) == (("2", 0.4), "1")  # a rerun changes nothing
    assert judged(begun, 2, Judgement.PASSED) == (("2", 0.4), "1")
    assert judged(begun, 3, Judgement.WAITING) == (("2", 0.4), "1")
    assert judged(begun, 4, Judgement.PASSED) == (None, "2")
    assert roles.holders(begun, day(4)).champion.number == "1"
    promoted = events.find_champion(begun)
    assert promoted.evidence["metric"] == "x"
    assert promoted.evidence["reason"].startswith("Guard metrics have held for 3 nights at 40% of the entities")


def test_nights_without_scores_of_the_challenger_do_not_count(begun):
    for number in (0, 2):
        scored(begun, number, role="champion", version="1")
    scored(begun, 1)
    assert judged(begun, 2, Judgement.PASSED) == (("2", 0.1), "1")
    scored(begun, 3)
    assert judged(begun, 3, Judgement.PASSED) == (("2", 0.4), "1")


def test_a_breach_brings_the_champion_back_from_the_next_night_on_whatever_the_step(begun):
    scored(begun, 0)
    assert judged(begun, 0, Judgement.BREACHED) == (None, "1")
    assert roles.holders(begun, D1).challenge.share == 0.1  # the night itself is repeated as it was
    assert judged(begun, 0, Judgement.PASSED) == (None, "1")
    assert roles.find_loss(begun, "2").startswith("It was challenger, and rolled back: Version 2 has breached")
    roles.assign(begun, Version("2", "new", day(3), {}), CHALLENGER, "once more", "run", 0.1)
    assert roles.find_loss(begun, "2") is None


@pytest.mark.parametrize("against", ["stopped", "rejected", "without scores", "by a person alone"])
def test_who_may_not_serve_and_who_was_not_decided_for_does_not_become_champion_and_harm_still_ends_it(begun, against):
    for number in range(5 if against == "without scores" else 6):
        scored(begun, number)
    evidence = {} if against == "by a person alone" else {"outcomes": []}
    roles.assign(begun, Version("2", "new", day(1), evidence), CHALLENGER, "a winner", "run", 0.4)
    if against == "stopped":
        roles.stop(begun, Version("2", "new", day(2), {}), "it is wrong", {}, "run")
    elif against == "rejected":
        approval = {"user": "ada", "by": None, "reason": "no"}
        rejected = Version("2", "new", day(2), {"reason": "rejected", events.APPROVAL: approval})
        events.record(begun, "refused", rejected, "run", events.CHAMPION)
    assert judged(begun, 5, Judgement.PASSED) == (("2", 0.4), "1")
    assert judged(begun, 5, Judgement.BREACHED) == (None, "1")
