"""Who may be champion, and who is when."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

import builders
from nightjar.errors import ModelError
from nightjar.registry import events
from nightjar.registry.events import Version
from nightjar.registry.period import final_period_blocks, intervals_over
from nightjar.registry.promotion import Approval, Decision, decide
from nightjar.settings.features import Aggregate
from nightjar.settings.promotion import Promotion
from nightjar.settings.spine import Weekday


def evidence(metric="roc_auc", estimate=0.05, low=0.01, high=0.09, better=1, blocks=28, **reason):
    difference = {"over": "majority", "better": better, "estimate": estimate, "low": low, "high": high, **reason}
    return {"metric": metric, "period": ["2024-03-28", "2024-03-30"], "candidate": {"name": "w"}} | {
        "difference": difference,
        "clusters": {"entities": 100, "blocks": blocks, "block_days": 30},
    }


@pytest.mark.parametrize(
    ("recorded", "promoted", "reason"),
    [
        (
            evidence(),
            True,
            "w against majority on 2024-03-28 to 2024-03-30: better, roc_auc +0.0500, 95% interval",
        ),
        (
            evidence() | {"unobserved": {"acted_on": 50.0, "without_outcome": 6.0, "at_most": 0.1}},
            False,
            "Of the 50 rows of the final period that it would act on, 6 (12.0%) have no outcome, more than 10.0%. H",
        ),
        (
            evidence() | {"unobserved": {"acted_on": 50.0, "without_outcome": 6.0, "at_most": None}},
            True,
            "better, roc_auc +0.0500",
        ),
        (evidence(low=-0.01), False, "not reliably better, roc_auc +0.0500, 95% interval -0.0100 to +0.0900"),
        (evidence(low=0.0), False, "not reliably better"),
        (evidence(estimate=-0.05, low=-0.09, high=-0.01), False, "not reliably better"),
        (evidence("log_loss", -0.05, -0.09, -0.01, better=-1), True, "better, log_loss -0.0500"),
        (evidence("log_loss", -0.05, -0.09, 0.0, better=-1), False, "not reliably better"),
        (evidence("log_loss", 0.05, 0.01, 0.09, better=-1), False, "not reliably better"),
        (
            evidence(estimate=None, low=None, high=None, reason="none of the 12 rows is positive"),
            False,
            "roc_auc cannot be compared: none of the 12 rows is positive.",
        ),
        (
            evidence(low=None, high=None, reason="2 entities and 2 blocks of time are too few"),
            False,
            "roc_auc +0.0500 has no interval: 2 entities and 2 blocks of time are too few.",
        ),
        (
            evidence("rmse", -3.5, -4.25, -0.0004, better=-1),
            True,
            "better, rmse -3.5000, 95% interval -4.2500 to -0.0004.",
        ),
        (evidence("rmse", -3e37, -4e37, -2.5e-4, better=-1), True, "rmse -3e+37, 95% interval -4e+37 to -0.00025."),
        (evidence("ndcg", 0.05, 0.01, 0.09), True, "better, ndcg +0.0500"),
        (
            evidence("mae", -3.5, None, None, better=-1),
            False,
            "mae -3.5000 has no interval: its evidence, of an earlier version, does not say why.",
        ),
    ],
)
def test_a_champion_beats_the_best_baseline_with_its_whole_interval(recorded, promoted, reason):
    """An interval that touches zero is no reliable difference; for a loss, below zero is better."""
    decision = decide(recorded)
    assert decision.promoted is promoted
    assert reason in decision.reason


@pytest.mark.parametrize("blocks", [0, 1, 2])
def test_figures_of_one_period_only_promote_nobody_without_a_person(blocks):
    recorded = evidence(blocks=blocks)
    decision = decide(recorded)
    assert (decision.promoted, decide(evidence(blocks=3)).promoted) == (False, True)
    assert "better in this period only, roc_auc +0.0500, 95% interval +0.0100 to +0.0900" in decision.reason
    assert f"{blocks} block{'' if blocks == 1 else 's'} of 30 days, and fewer than 3 say nothing" in decision.reason
    assert "search.final_days" in decision.reason
    approved = decide(recorded, approvals=[Approval("ada", None, "it is a pilot")])
    assert approved == Decision(True, f"approved by ada: it is a pilot; by itself {decision.reason}")


BASIS = {"version": "3", "basis": "as it scores now"}


@pytest.mark.parametrize(
    ("low", "settings", "promoted"),
    [
        (0.001, Promotion(), True),
        (0.0, Promotion(), False),
        (0.02, Promotion(better_by=0.02), True),
        (0.019, Promotion(better_by=0.02), False),
        (-0.019, Promotion(not_worse_by=0.02), True),
        (-0.021, Promotion(not_worse_by=0.02), False),
    ],
)
@pytest.mark.parametrize("sign", [1, -1])
def test_the_margin_to_the_champion_is_the_settings(low, settings, promoted, sign):
    difference = evidence(estimate=0.05 * sign, low=low, high=0.09, better=sign)["difference"]
    if sign < 0:
        difference |= {"low": -0.09, "high": -low}
    recorded = evidence() | {"champion": BASIS | difference | {"over": "champion version 3 (forest)"}}
    assert decide(recorded, settings).promoted is promoted


def test_a_person_may_promote_what_is_not_better_and_changes_nothing_where_it_is():
    worse, better = evidence(low=-0.01), evidence()
    assert "by itself w against majority" in decide(worse, approvals=[Approval("ada", None, "it is simpler")]).reason
    assert decide(better, approvals=[Approval("ada", "Bob", "fine")]).reason == (
        f"approved by ada for Bob: fine; {decide(better).reason}"
    )


def test_evidence_that_does_not_say_what_its_intervals_are_over_promotes_nobody():
    """As Nightjar recorded it when it took days for independent."""
    old = evidence()
    del old["clusters"]
    assert not decide(old).promoted
    assert "its intervals are over days, as if nothing repeated in them" in decide(old).reason


@pytest.mark.parametrize(
    ("options", "says", "enough"),
    [
        ({}, "(search.final_days=28) holds at most 1 block of 30 days: its figures will be of that period only", False),
        ({"final_days": 89}, "2 blocks of 30 days: ", False),
        ({"final_days": 90}, "(search.final_days=90) holds at most 3 blocks of 30 days", True),
        ({"block_days": 7}, "holds at most 4 blocks of 7 days", True),
    ],
)
def test_the_blocks_of_the_final_period_are_told_before_a_run(options, says, enough):
    project = builders.machines(Path("files"))
    label = replace(project.label, horizon="30d", aggregate=Aggregate.COUNT, condition="value > 0")
    search = builders.search(**{"final_days": 28} | options)
    text, is_enough = final_period_blocks(search, replace(project, label=label))
    assert says in text
    assert is_enough == enough
    assert ("90 days or more" in text) == (not enough)
    assert final_period_blocks(search, project)[1]  # an outcome is of its night alone


@pytest.mark.parametrize(
    ("weekdays", "final_days", "says"),
    [
        ([Weekday.MONDAY], 28, "at most 4 nights"),
        (
            [Weekday.MONDAY],
            14,
            "at most 2 nights: its figures will be of that period only, and no model is prom",
        ),
        ([Weekday.MONDAY], 14, "; 15 days or more"),
        ([Weekday.SATURDAY, Weekday.SUNDAY], 7, "at most 2 nights: "),
        ([Weekday.SATURDAY, Weekday.SUNDAY], 7, "; 8 days or more"),
    ],
)
def test_nights_of_a_spine_of_some_weekdays_are_counted_by_the_calendar(weekdays, final_days, says):
    """From a Saturday to the next one are three days of weekends: eight days may hold them, seven may not."""
    project = builders.machines(Path("files"))
    weekly = replace(project, spine=replace(project.spine, weekdays=weekdays))
    assert says in final_period_blocks(builders.search(final_days=final_days), weekly)[0]


@pytest.mark.parametrize(
    ("clusters", "says"),
    [
        ({"entities": 1500, "blocks": 28, "block_days": 1}, "1,500 entities and 28 nights"),
        ({"entities": 665, "blocks": 3, "block_days": 30}, "665 entities and 3 blocks of 30 days"),
        ({"entities": 1, "blocks": 28, "block_days": 1}, "28 nights"),
        ({"entities": 665, "blocks": 1, "block_days": 1}, "665 entities, in this period only (1 night)"),
    ],
)
def test_what_intervals_are_over_is_told_in_words(clusters, says):
    assert intervals_over({"clusters": clusters}) == says


def promote(warehouse, number, day, event="promoted"):
    events.record(warehouse, event, Version(number, f"model-{number}", day, {}), "run", alias="champion")


def test_the_champion_of_a_date_is_the_last_one_promoted_for_it_or_an_earlier_one(warehouse):
    """A promotion for an older date, made later, does not unseat a newer champion; a refusal unseats nobody."""
    first, second = date(2024, 4, 1), date(2024, 4, 5)
    promote(warehouse, "1", first)
    promote(warehouse, "2", second)
    promote(warehouse, "3", first)
    promote(warehouse, "4", second, "refused")
    champions = {day: events.champion(warehouse, date(2024, 4, day)).number for day in (1, 4, 5, 9)}
    assert champions == {1: "3", 4: "3", 5: "2", 9: "2"}
    assert events.find_champion(warehouse, date(2024, 3, 31)) is None


def test_no_champion_is_an_error_that_says_what_to_run(warehouse):
    message = "No champion of machines holds on 2024-04-01: .* Run jobs/train.py and jobs/promote.py for 2024-04-01"
    with pytest.raises(ModelError, match=message):
        events.champion(warehouse, date(2024, 4, 1))
    promote(warehouse, "1", date(2024, 4, 2))
    with pytest.raises(ModelError, match=message):
        events.champion(warehouse, date(2024, 4, 1))


def test_only_a_version_trained_for_the_date_can_be_promoted_for_it(warehouse):
    events.record(warehouse, "registered", Version("1", "w", date(2024, 4, 1), {"a": 1}), "run")
    events.record(warehouse, "registered", Version("2", "w", date(2024, 4, 1), {"a": 2}), "run")
    version = events.newest_registered(warehouse, date(2024, 4, 1))
    assert (version.number, version.evidence) == ("2", {"a": 2})
    with pytest.raises(ModelError, match="No model was trained for 2024-04-02"):
        events.newest_registered(warehouse, date(2024, 4, 2))
