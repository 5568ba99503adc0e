"""What may be done with a case, and how it looks to whom: rules of actions in order, without tables."""

from datetime import timedelta

import pytest

from nightjar.errors import ReviewError
from nightjar.review.cases import History, Status, is_looked_at_twice, require_possible, require_unchanged
from nightjar.tables.reviews import CLAIM, DECIDE, RELEASE, UNDO, Action
from review.loans import NOON

MINUTE = timedelta(minutes=1)


def history(*steps, looks=1, now=NOON + timedelta(hours=1)):
    """Of steps such as "ada claim", "ben decide grant"; one a minute from noon on, claims of half an hour."""
    actions = []
    for number, step in enumerate(steps, start=1):
        reviewer, kind, *decision = step.split()
        at = NOON + number * MINUTE
        until = at + 30 * MINUTE if kind == CLAIM else None
        chosen = decision[0] if decision else None
        actions.append(Action(number, kind, reviewer, at, chosen, looks=looks, claimed_until=until))
    return History(tuple(actions), looks, now)


def at(minutes, *steps, looks=1):
    return history(*steps, looks=looks, now=NOON + minutes * MINUTE)


@pytest.mark.parametrize(
    ("case", "of_ada", "of_ben"),
    [
        (at(0), "open", "open"),
        (at(5, "ada claim"), "mine", "claimed"),
        (at(31, "ada claim"), "open", "open"),  # half an hour from 12:01 on
        (at(5, "ada claim", "ada release"), "open", "open"),
        (at(5, "ada claim", "ada decide grant"), "decided", "decided"),
        (at(5, "ada decide grant", "ada undo"), "open", "open"),
        (at(5, "ada decide grant", looks=2), "waiting", "open"),
        (at(5, "ada decide grant", "ben decide grant", looks=2), "decided", "decided"),
        (at(5, "ada decide grant", "ben decide refuse", looks=2), "waiting", "waiting"),
        (at(5, "ada decide grant", "ben decide refuse", "eve decide ask", looks=2), "decided", "decided"),
        (at(5, "ada decide grant", "ben claim", looks=2), "waiting", "mine"),
    ],
)
def test_how_a_case_looks(case, of_ada, of_ben):
    assert (case.status("ada").word, case.status("ben").word) == (of_ada, of_ben)


@pytest.mark.parametrize(
    ("steps", "looks", "final"),
    [
        ([], 1, None),
        (["ada decide grant"], 1, "grant"),
        (["ada decide grant", "ada undo", "ada decide refuse"], 1, "refuse"),
        (["ada decide grant"], 2, None),
        (["ada decide grant", "ben decide grant"], 2, "grant"),
        (["ada decide grant", "ben decide refuse"], 2, None),
        (["ada decide grant", "ben decide refuse", "eve decide refuse"], 2, "refuse"),
        (["ada decide grant", "ben decide refuse", "eve decide ask"], 2, "ask"),
        (["ada decide grant", "ben decide grant", "ben undo"], 2, None),
    ],
)
def test_which_decision_holds(steps, looks, final):
    held = history(*steps, looks=looks).final
    assert (held and held.decision) == final


@pytest.mark.parametrize(
    ("case", "kind", "reviewer", "why"),
    [
        (at(5, "ada claim"), DECIDE, "ben", "ada claimed this case at 10:01:00 UTC and has it until 10:31"),
        (at(5, "ada claim"), CLAIM, "ben", "ada claimed"),
        (at(5, "ada decide grant"), DECIDE, "ben", "ada decided grant at 10:01:00 UTC"),
        (at(5, "ada decide grant"), CLAIM, "ada", "This case is decided"),
        (at(5, "ada decide grant", looks=2), DECIDE, "ada", "another person looks at it next"),
        (at(5), RELEASE, "ada", "not claimed"),
        (at(5, "ada decide grant"), UNDO, "ben", "no decision of yours"),
        (at(5, "ada decide grant", "ada undo"), UNDO, "ada", "no decision of yours"),
    ],
)
def test_what_a_person_may_not_do(case, kind, reviewer, why):
    with pytest.raises(ReviewError, match=why):
        require_possible(case, kind, reviewer)


@pytest.mark.parametrize(
    ("case", "kind", "reviewer"),
    [
        (at(0), DECIDE, "ada"),
        (at(5, "ada claim"), CLAIM, "ada"),
        (at(31, "ada claim"), DECIDE, "ben"),
        (at(5, "ada claim"), RELEASE, "ada"),
        (at(5, "ada decide grant", looks=2), DECIDE, "ben"),
        (at(5, "ada decide grant", "ben decide refuse", looks=2), DECIDE, "eve"),
        (at(5, "ada decide grant", "ben decide grant", looks=2), UNDO, "ada"),
    ],
)
def test_what_a_person_may_do(case, kind, reviewer):
    require_possible(case, kind, reviewer)


def test_nobody_sees_what_another_has_decided_before_all_is_decided():
    case = at(5, "ada claim", "ada decide grant", "ben claim", looks=2)
    assert [one.kind for one in case.visible("ada")] == [CLAIM, DECIDE, CLAIM]
    assert [one.kind for one in case.visible("ben")] == [CLAIM]
    assert case.status("eve") is Status.CLAIMED
    done = at(5, "ada decide grant", "ben decide grant", looks=2)
    assert len(done.visible("eve")) == 2


def test_who_acts_on_what_has_changed_is_told_by_whom():
    case = at(5, "ada decide grant")
    require_unchanged(case, 1, "ben")
    with pytest.raises(ReviewError, match=r"ada decided this case at 10:01:00 UTC, after you opened it"):
        require_unchanged(case, 0, "ben")


@pytest.mark.parametrize(
    "case",
    [at(5, "ada decide grant", looks=2), at(5, "ada claim", "ada release"), at(5, "ada decide grant", "ada undo")],
)
def test_who_acts_on_what_has_changed_is_not_told_what_nobody_else_may_see_yet(case):
    """Nor by the words that they are kept from it: of one look and of two they are the same."""
    with pytest.raises(ReviewError, match=r"^This case has changed since you opened it. Nothing of yours was recorded"):
        require_unchanged(case, 0, "ben")
    with pytest.raises(ReviewError, match=r"^ada "):
        require_unchanged(case, 0, "ada")


def test_a_greater_share_of_second_looks_draws_those_of_a_smaller_one():
    ids = [str(number) for number in range(2_000)]
    tenth, half = ({one for one in ids if is_looked_at_twice(one, share)} for share in (0.1, 0.5))
    assert tenth < half
    assert 150 < len(tenth) < 250
    assert 900 < len(half) < 1_100
    assert not any(is_looked_at_twice(one, 0) for one in ids)
