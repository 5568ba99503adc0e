"""Who holds which role on a run date, by the events of `model_events`."""

from datetime import date, timedelta

from nightjar.registry import events, roles
from nightjar.registry.events import Version
from nightjar.registry.roles import CHALLENGER, SHADOW

D1 = date(2024, 4, 1)
D2, D3, D4, D5 = (D1 + timedelta(days=n) for n in range(1, 5))


def version(number, day, **evidence):
    return Version(str(number), f"model-{number}", day, evidence)


def promote(warehouse, number, day, **evidence):
    events.record(warehouse, "promoted", version(number, day, **evidence), "run", events.CHAMPION)


def numbers(warehouse, day):
    """Champion, previous champion, challenger and its share, shadows."""
    held = roles.holders(warehouse, day)
    names = [None if one is None else one.number for one in (held.champion, held.previous)]
    challenge = None if held.challenge is None else (held.challenge.version.number, held.challenge.share)
    return (*names, challenge, [one.number for one in held.shadows])


def test_each_date_has_the_holders_that_its_events_name_however_late_these_are_recorded(warehouse):
    assert numbers(warehouse, D1) == (None, None, None, [])
    promote(warehouse, 1, D1)
    roles.assign(warehouse, version(2, D2), CHALLENGER, "a winner", "run", 0.05)
    roles.share(warehouse, version(2, D4), 0.2, "a week has passed", {"entities": 50}, "run")
    roles.assign(warehouse, version(10, D3), SHADOW, "a look", "run")
    roles.assign(warehouse, version(9, D3), SHADOW, "a look", "run")
    promote(warehouse, 2, D5)
    roles.withdraw(warehouse, version(9, D4), SHADOW, "seen enough", {}, "run")
    assert numbers(warehouse, D1) == ("1", None, None, [])
    assert numbers(warehouse, D2) == ("1", None, ("2", 0.05), [])
    assert numbers(warehouse, D3) == ("1", None, ("2", 0.05), ["9", "10"])
    assert numbers(warehouse, D4) == ("1", None, ("2", 0.2), ["10"])
    assert numbers(warehouse, D5) == ("2", "1", None, ["10"])
    challenge = roles.holders(warehouse, D4).challenge
    assert (challenge.version.holds_from, challenge.share_since) == (D2, D4)
    assert [one.number for one in roles.in_use(warehouse)] == ["2", "1", "10"]


def test_a_rollback_ends_the_challenge_from_its_date_on_and_not_before(warehouse):
    promote(warehouse, 1, D1)
    roles.assign(warehouse, version(2, D1), CHALLENGER, "a winner", "run", 0.5)
    roles.roll_back(warehouse, version(2, D3), "defaults rise", {"low": 0.01}, "run")
    assert numbers(warehouse, D2)[2] == ("2", 0.5)
    assert numbers(warehouse, D3)[2] is None
    roles.assign(warehouse, version(3, D4), CHALLENGER, "another", "run", 0.1)
    roles.share(warehouse, version(2, D5), 0.9, "too late", {}, "run")
    assert numbers(warehouse, D5)[2] == ("3", 0.1)


def test_the_champion_before_is_one_that_nobody_was_against_and_that_was_not_stopped(warehouse):
    promote(warehouse, 1, D1)
    promote(warehouse, 2, D2)
    promote(warehouse, 3, D3)
    assert numbers(warehouse, D3)[:2] == ("3", "2")
    promote(warehouse, 1, D4, **{events.ROLLED_BACK: "3", "reason": "drift"})
    assert numbers(warehouse, D4)[:2] == ("1", "2")
    roles.stop(warehouse, version(2, D5), "it is wrong", {}, "run")
    assert numbers(warehouse, D5)[:2] == ("1", None)
    assert roles.holders(warehouse, D5).stopped == {"2": "it was stopped from 2024-04-05 on: it is wrong"}
    assert roles.holders(warehouse, D4).stopped == {}
    roles.resume(warehouse, version(2, D5), "it is not", {}, "run")
    assert numbers(warehouse, D5)[:2] == ("1", "2")
