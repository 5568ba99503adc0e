"""What becomes of an alert, night by night: a letter for what each night says, and one for what follows."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightjar.alerts.lifecycle import FLAPPING, NEW, ONGOING, RESOLVED, SNOOZED, Change, Look, advance, is_word
from nightjar.settings.monitoring.alerting import Alerting, Severity

FIRST = date(2024, 4, 1)
W, A = Severity.WARNING, Severity.CRITICAL
SAYS = {".": (None, True), "w": (W, True), "A": (A, True), "?": (None, False)}
LETTERS = {NEW: "n", ONGOING: "o", RESOLVED: "r", FLAPPING: "f"}
SETTINGS = Alerting(act_nights=1, watch_nights=3, clear_nights=2, cooldown=3, flapping=3)


def night(number):
    return FIRST + timedelta(days=number)


def walk(says, settings=SETTINGS, people=None, *, at_once=False):
    """The changes of all nights; `people`: number of a night -> what somebody does after it."""
    changes, past = [], []
    for number in range(len(says)):
        looks = [Look(night(at), *SAYS[letter]) for at, letter in enumerate(says[: number + 1])]
        change = advance(looks, past, settings, at_once=at_once)
        changes.append(change)
        past += [] if change is None else [change]
        past += [(people or {})[number](past[-1])] if number in (people or {}) else []
    return changes, past


def letters(changes):
    return "".join("-" if one is None else LETTERS[one.state] for one in changes)


@pytest.mark.parametrize(
    ("says", "follows"),
    [
        ("www.", "--n-"),  # three nights in a row
        ("ww.ww.", "------"),
        ("ww?w..", "---n-r"),  # a night of which nobody can say neither breaks nor counts
        ("A", "n"),  # one night of ACT is enough
        ("wwwwww", "--no--"),  # it goes on: one row says so, and no more
        ("www..", "--n-r"),
        ("www.w..", "--n-o-r"),  # one quiet night is not enough
        ("A.?.", "n--r"),
        ("A..A", "n-r-"),  # within the cooldown
        ("A..AAAA", "n-r---n"),  # it still is so after it
        ("www..A", "--n-rn"),  # worse than before: no cooldown
        ("wwwA", "--no"),  # worse: goes on as critical
        ("A....." * 4, "n-r---n-r---f-----------"),  # the third within four weeks flaps, and no word comes after
        ("A....." * 3 + "....", "n-r---n-r---f--------r"),  # before a week more of quiet nights
    ],
)
def test_what_follows_from_what_nights_say(says, follows):
    assert letters(walk(says)[0]) == follows


def test_what_the_system_says_needs_one_night():
    assert letters(walk("w..", at_once=True)[0]) == "n-r"


def test_the_first_night_names_the_alert_until_it_is_over():
    changes, _ = walk("wwww..")
    assert {one.first_seen for one in changes if one} == {FIRST}
    assert [one.severity for one in walk("wwwA..")[0] if one] == [W, A, A]


def snoozed_until(number):
    return lambda last: Change(last.night, SNOOZED, last.severity, last.first_seen, night(number))


def test_what_is_snoozed_is_awake_on_its_night_if_it_is_still_so_or_where_it_becomes_worse():
    assert letters(walk("wwwwwww", people={2: snoozed_until(5)})[0]) == "--n--o-"
    assert letters(walk("wwwwA", people={2: snoozed_until(9)})[0]) == "--n-o"
    assert letters(walk("www....", people={2: snoozed_until(9)})[0]) == "--n-r--"


def test_word_is_sent_of_what_is_new_worse_awake_or_over():
    def words(says, **options):
        _, past = walk(says, **options)
        pairs = zip(past, [None, *past[:-1]], strict=True)
        return "".join(LETTERS.get(one.state, "s") for one, before in pairs if is_word(one, before))

    assert words("wwwwww..") == "nr"
    assert words("wwwA..") == "nor"
    assert words("wwwwwww", people={2: snoozed_until(5)}) == "no"
    assert words("A....." * 4 + "......") == "nrnrfr"
    assert words("A....." * 7) == "nrnrf"


@given(st.text("..wA?", max_size=45), st.integers(1, 3), st.integers(1, 4), st.integers(1, 3), st.integers(0, 4))
def test_whatever_nights_say_alerts_open_and_end_by_the_rules(says, act, watch, clear, cooldown):
    settings = Alerting(act_nights=act, watch_nights=watch, clear_nights=clear, cooldown=cooldown)
    is_open, words_of_raising = False, []
    for number, one in enumerate(walk(says, settings)[0]):
        so_far = says[: number + 1].replace("?", "")
        if one is None:
            continue
        if one.state in (NEW, FLAPPING):
            assert not is_open
            assert so_far.endswith("A" * act) or len(so_far) - len(so_far.rstrip("wA")) >= watch
            words_of_raising.append(number)
            is_open = True
        elif one.state == RESOLVED:
            assert is_open
            assert so_far.endswith("." * clear)
            is_open = False
        else:
            assert is_open
            assert so_far.endswith(("w", "A"))
    for at in range(len(says)):  # of one thing no more than so many within four weeks
        assert sum(at <= number < at + 28 for number in words_of_raising) <= settings.flapping
