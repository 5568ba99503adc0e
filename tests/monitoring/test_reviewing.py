"""Figures of what people decided, as of a night's midnight: counted by hand."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from nightjar.monitoring import overdue
from nightjar.monitoring.reviewing import review_figures
from nightjar.monitoring.signals import State
from nightjar.report.reading import PinnedTables
from nightjar.report.review_queue import read_queue
from nightjar.report.reviews import read_reviews
from nightjar.review.desk import Act, Desk
from nightjar.tables import arrow
from nightjar.tables.monitoring_definitions import PERFORMANCE
from nightjar.tables.reviews import DECIDE, TABLE, UNDO
from nightjar.tables.warehouse import Warehouse
from review import loans

NEXT = loans.NIGHT + timedelta(days=1)
LATE = datetime(2024, 4, 7, tzinfo=UTC)  # due on the fifth
AFTER = LATE.date() + timedelta(days=1)


@pytest.fixture(scope="module")
def decided(tmp_path_factory):
    """Twenty cases or so of which five people's decisions are recorded, two of them late, one taken back."""
    warehouse = Warehouse(str(tmp_path_factory.mktemp("reviewing")), "loans")
    warehouse.check_writable()
    twice = loans.project(replace(loans.REVIEW, looked_at_twice=1.0))
    loans.store(warehouse, twice, cases=20, past=0)
    loans.store(warehouse, twice, cases=3, past=0, night=NEXT)
    desk = Desk(warehouse, twice, "review-1", loans.NIGHT)
    tiers = {name: desk.queue().row(name)["tier"] for name in desk.queue().ids}
    names = [name for name, tier in tiers.items() if tier == "review"]  # grant is proposed

    def decide(at, reviewer, decision, when=loans.NOON):
        desk.act([Act(names[at], DECIDE, decision, "a reason")], reviewer, "page", when)

    for at, second in enumerate(["grant", "grant", "refuse", "refuse"]):
        decide(at, "ada", "grant" if at < 3 else "refuse")
        decide(at, "ben", second)
    decide(4, "ada", "grant", LATE)
    decide(4, "ben", "grant", LATE)
    decide(5, "eve", "refuse")
    desk.act([Act(names[5], UNDO)], "eve", "page", loans.NOON)
    return warehouse, twice, len(tiers)


def figures(decided, run_date):
    warehouse, project, _ = decided
    rows = review_figures(warehouse, project, run_date, "monitor-1")
    return {(row["evaluated_date"], row["slice"], row["measure"]): (row["value"], row["rows"]) for row in rows}


def test_figures_are_those_of_the_decisions_that_were_recorded_by_midnight(decided):
    of = figures(decided, NEXT)
    cases, window = decided[2], "last 28 nights"
    last = NEXT - timedelta(days=1)
    assert of[last, "all", "cases"] == (cases, cases)
    assert of[last, "all", "decided_share"] == (3 / cases, cases)  # of the four that both have decided one is disputed
    assert of[last, window, "decided_in_time"] == (1, 3)
    assert of[last, window, "override_rate"] == (3 / 8, 8)  # ada once, ben twice
    assert of[last, window, "agreement"] == (3 / 4, 4)
    # Five of eight answers are grant: of two chance alone would agree with the share (5/8)^2 + (3/8)^2.
    chance = (5 / 8) ** 2 + (3 / 8) ** 2
    assert of[last, window, "kappa"] == (pytest.approx((0.75 - chance) / (1 - chance)), 4)
    assert of[last, "reviewer ada", "decisions"] == (4, 4)
    assert of[last, "reviewer ben", "override_rate"] == (1 / 2, 4)
    assert (last, "reviewer eve", "decisions") not in of


def test_later_figures_know_later_decisions_and_what_was_late(decided):
    of = figures(decided, AFTER)
    last, window = AFTER - timedelta(days=1), "last 28 nights"
    assert of[last, window, "decided_in_time"] == (3 / 4, 4)
    assert of[loans.NIGHT, "all", "decided_in_time"] == (3 / 4, 4)
    assert of[NEXT, "all", "decided_share"][0] == 0
    assert of[last, window, "cases"][0] > decided[2]


def test_cases_that_nobody_has_decided_in_time_are_a_signal(decided):
    """Those of the first night are due on the fifth: on the sixth all but those with a final decision are late."""
    warehouse, project, cases = decided
    (early,) = overdue.look(warehouse, project, NEXT)
    assert early.state is State.OK
    sixth = LATE.date() - timedelta(days=1)
    (late,) = overdue.look(warehouse, project, sixth)
    assert late.state is State.WATCH
    share, count = figures(decided, sixth)[loans.NIGHT, "all", "decided_share"]
    assert (late.evidence["overdue"], count) == (cases - round(share * cases), cases)
    assert "the oldest is of 2024-04-02 22:00 UTC" in late.sentence


def test_the_nights_page_reads_them_back(decided):
    warehouse, project, _ = decided
    rows = review_figures(warehouse, project, NEXT, "monitor-1")
    arrow.append(warehouse, PERFORMANCE, rows, "monitor-1")
    shown = read_reviews(PinnedTables(warehouse, NEXT, arrow.versions(warehouse, [PERFORMANCE.name])))
    assert shown.window == "last 28 nights"
    assert shown.figures["agreement"].value == 3 / 4
    assert list(shown.reviewers) == ["ada", "ben"]
    assert shown.reviewers["ben"]["override_rate"].value == 1 / 2


def test_the_nights_page_has_the_queue(decided):
    """What is overdue is what the signal says; of four cases that two people decided one is open, as they differ."""
    warehouse, project, cases = decided

    def queue(night):
        return read_queue(PinnedTables(warehouse, night, arrow.versions(warehouse, ["scores", TABLE])), project)

    early, late = queue(NEXT), queue(LATE.date() - timedelta(days=1))
    new = early.all.tonight
    assert new > 0
    assert (early.all.before, early.all.open, early.all.to_decide) == (cases, cases - 3, cases - 3 + new)
    assert (early.all.overdue, early.all.first_due) == (0, datetime(2024, 4, 4, 22, tzinfo=UTC))
    assert [one.tier for one in early.tiers] == ["reject", "review", "approve"]  # of the last those that abstain
    assert sum(one.open for one in early.tiers) == early.all.open
    assert [one.before - one.open for one in early.tiers] == [0, 3, 0]
    (signal,) = overdue.look(warehouse, project, LATE.date() - timedelta(days=1))
    assert (late.all.overdue, late.all.before) == (signal.evidence["overdue"], signal.evidence["cases"])
    assert queue(loans.NIGHT).all.before == 0
    assert read_queue(PinnedTables(warehouse, NEXT, {}), project) is None


def test_where_nobody_reviews_there_are_none(decided, tmp_path):
    warehouse, project, _ = decided
    off = replace(project, serving=replace(project.serving, review=type(loans.REVIEW)()))
    assert review_figures(warehouse, off, NEXT, "monitor-1") == []
    assert review_figures(Warehouse(str(tmp_path), "loans"), project, NEXT, "monitor-1") == []
