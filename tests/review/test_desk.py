"""The queue by its tables, and what is recorded: by one person, by two at once, by files."""

import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from builders import rows_of
from nightjar.errors import ReviewError
from nightjar.review import desk as module
from nightjar.review import exchange
from nightjar.review.desk import Act, Desk
from nightjar.review.selection import Order, Selection, select
from nightjar.settings.review import View
from nightjar.tables import arrow
from nightjar.tables.reviews import CLAIM, DECIDE, RELEASE, UNDO
from review import loans
from review.loans import NIGHT, NOON


def selected(desk, reviewer="ada", now=NOON, **wishes):
    """Keys of the cases that a person wants to see."""
    queue = desk.queue()
    chosen = select(queue, desk.ledger.read(), desk.settings, reviewer, Selection(**wishes), now)
    return [queue.rows["applicant"][int(place)].as_py() for place in chosen.places], chosen.counts


def test_the_queue_is_the_reviewed_tiers_and_abstentions_in_the_order_of_their_worth(desk):
    rows = arrow.read(desk.warehouse, "scores").to_pylist()
    amounts = {row["applicant"]: row["amount"] for row in arrow.read(desk.warehouse, "features").to_pylist()}
    tiers = ["reject", "review"]
    cases = [row for row in rows if row["run_date"] == NIGHT and (row["tier"] in tiers or row["abstained"] is not None)]

    def urgency(row):
        rank = tiers.index(row["tier"]) if row["tier"] in tiers else 2
        return rank, -row["score"] * amounts[row["applicant"]]

    expected = [row["applicant"] for row in sorted(cases, key=urgency)]
    assert len({row["tier"] for row in cases}) == 3
    assert selected(desk)[0] == expected
    assert set(selected(desk, tier="review")[0]) == {row["applicant"] for row in cases if row["tier"] == "review"}
    by_score = sorted(cases, key=lambda row: -row["score"])
    assert selected(desk, order=Order.SCORE)[0] == [row["applicant"] for row in by_score]
    assert selected(desk, text="A00001")[0] == ["a00001"]
    assert selected(desk, text="no such")[0] == []


def test_nights_of_before_are_in_the_queue_as_long_as_settings_say_and_a_rerun_changes_it(warehouse):
    project = loans.project()
    for days in (0, 27, 28):
        loans.store(warehouse, project, cases=5, past=0, night=NIGHT - timedelta(days=days))
    desk = Desk(warehouse, project, "review-1")
    nights = {row["run_date"] for row in desk.queue().rows.to_pylist()}
    assert nights == {NIGHT, NIGHT - timedelta(days=27)}
    until = Desk(warehouse, project, "review-1", NIGHT - timedelta(days=1))
    assert {row["run_date"] for row in until.queue().rows.to_pylist()} == {
        NIGHT - timedelta(days=days) for days in (27, 28)
    }
    first = desk.queue()
    assert desk.queue() is first
    loans.store(warehouse, project, cases=5, past=0, night=NIGHT + timedelta(days=1))
    assert desk.queue().night == NIGHT + timedelta(days=1)


def test_without_scores_there_are_no_cases(warehouse):
    desk = Desk(warehouse, loans.project(), "review-1")
    assert desk.queue().ids == []
    assert selected(desk)[0] == []
    assert selected(desk, tier="review", text="a")[0] == []
    for order in Order:
        assert selected(desk, order=order, view=View.ALL)[0] == []


def test_of_several_roles_the_served_row_is_the_case(warehouse):
    project = loans.project()
    loans.store(warehouse, project, cases=5, past=0)
    everything = arrow.read(warehouse, "scores").to_pylist()
    assert {row["served"] for row in everything} == {None}  # as nights of before have it
    others = [row | {"role": "challenger", "model_version": "8"} for row in everything]
    table = loans.scores_definition(project)
    arrow.append(warehouse, table, others, "score-2")
    ids = Desk(warehouse, project, "review-1").queue().ids
    assert len(ids) == len(set(ids))
    served = [row | {"served": row["role"] == "challenger"} for row in [*everything, *others]]
    arrow.replace(warehouse, table, served, {}, "score-3")
    rows = Desk(warehouse, project, "review-1").queue().rows
    assert rows["prediction_id"].to_pylist() == ids
    assert set(rows["model_version"].to_pylist()) == {"8"}


def test_what_is_done_with_a_case_is_recorded_and_stays(desk):
    name = desk.queue().ids[0]
    assert desk.queue().row(name)["tier"] == "reject"
    steps = [(CLAIM, None, None), (RELEASE, None, None), (DECIDE, "grant", "income is proven"), (UNDO, None, None)]
    for number, (kind, decision, reason) in enumerate(steps):
        desk.act([Act(name, kind, decision, reason)], "ada", "page", NOON + timedelta(minutes=number))
    columns = ("number", "action", "decision", "answer", "proposal", "reason", "reviewer", "recorded_by", "looks")
    assert rows_of(desk.warehouse, "reviews", *columns) == [
        (1, "claim", None, None, None, None, "ada", "page", None),
        (2, "release", None, None, None, None, "ada", "page", None),
        (3, "decide", "grant", False, "refuse", "income is proven", "ada", "page", 1),
        (4, "undo", None, None, None, None, "ada", "page", None),
    ]
    (claim, *_) = sorted(arrow.read(desk.warehouse, "reviews").to_pylist(), key=lambda row: row["number"])
    assert claim["claimed_until"] == NOON + timedelta(minutes=30)
    case = desk.queue().row(name)
    assert {part: claim[part] for part in ("applicant", "score", "tier", "run_date")} == {
        part: case[part] for part in ("applicant", "score", "tier", "run_date")
    }


@pytest.mark.parametrize(
    ("act", "why"),
    [
        ({"decision": "grant"}, "it overrides the proposal, refuse"),
        ({"decision": "ask"}, "ask"),
        ({"decision": "burn"}, "'burn' is no decision, expected one of grant, refuse, ask"),
        ({"decision": None}, "is no decision"),
        ({"decision": "refuse", "reason": "x" * 2_001}, "2,001 characters"),
        ({"decision": "refuse", "prediction_id": "f" * 64}, "not in the queue"),
    ],
)
def test_what_is_no_decision_is_refused_and_nothing_is_written(desk, act, why):
    act = {"prediction_id": desk.queue().ids[0], "kind": DECIDE} | act
    with pytest.raises(ReviewError, match=why):
        desk.act([Act(**act)], "ada", "page", NOON)
    assert not arrow.exists(desk.warehouse, "reviews")


def test_of_two_people_who_decide_a_case_at_once_one_is_recorded_and_the_other_told(desk):
    """Eight at once, each by a desk of their own: both have looked before either writes."""
    name, all_have_looked, refused = desk.queue().ids[0], threading.Barrier(8), []

    def decide(reviewer):
        own = Desk(desk.warehouse, desk.project, f"run-{reviewer}")
        history = own._history
        calls = []

        def wait(*arguments):  # once, after the state was read that the decision is based on
            result = history(*arguments)
            if not calls:
                calls.append(1)
                all_have_looked.wait(30)
            return result

        own._history = wait
        try:
            own.act([Act(name, DECIDE, "refuse")], reviewer, "page", NOON)
        except ReviewError as error:
            refused.append(str(error))

    threads = [threading.Thread(target=decide, args=(f"r{number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    ((number, winner),) = rows_of(desk.warehouse, "reviews", "number", "reviewer")
    assert number == 1
    assert len(refused) == 7
    assert all(f"{winner} decided this case" in one for one in refused)


def test_people_who_decide_different_cases_at_once_are_all_recorded_and_files_are_merged(desk, monkeypatch):
    monkeypatch.setattr(module, "MOST_FILES", 5)
    ids, reviewers = desk.queue().ids[:12], ("ada", "ben", "eve")

    def decide(reviewer, names):
        own = Desk(desk.warehouse, desk.project, f"run-{reviewer}")
        for name in names:
            own.act([Act(name, DECIDE, "grant", "a reason")], reviewer, "page", NOON)

    threads = [threading.Thread(target=decide, args=(one, ids[at::3])) for at, one in enumerate(reviewers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    expected = sorted((name, reviewers[at % 3]) for at, name in enumerate(ids))
    assert rows_of(desk.warehouse, "reviews", "prediction_id", "reviewer") == expected
    assert desk.ledger.read().decided == set(ids) == desk.ledger.read().by_case.keys()
    assert desk.ledger.files < 12


def test_what_is_recorded_is_no_failure_where_files_cannot_be_merged(desk, monkeypatch, caplog):
    first, second = desk.queue().ids[:2]
    desk.act([Act(first, DECIDE, "refuse")], "ada", "page", NOON)
    for path in Path(desk.warehouse.path("reviews")).rglob("*.parquet"):
        path.unlink()
    monkeypatch.setattr(module, "MOST_FILES", 1)
    desk.act([Act(second, DECIDE, "refuse")], "ada", "page", NOON)
    assert desk.ledger.read().decided == {first, second}
    assert "the files of table reviews were not merged" in caplog.text


def test_a_second_look_is_asked_of_another_person_and_a_third_decides_a_dispute(warehouse):
    project = loans.project(replace(loans.REVIEW, looked_at_twice=1.0))
    loans.store(warehouse, project)
    desk = Desk(warehouse, project, "review-1")
    name = desk.queue().ids[0]
    desk.act([Act(name, DECIDE, "refuse")], "ada", "page", NOON)
    assert selected(desk, "ada", view=View.WAITING)[0] == selected(desk, "ben", view=View.TODO)[0][:1]
    with pytest.raises(ReviewError, match="another person"):
        desk.act([Act(name, DECIDE, "refuse")], "ada", "page", NOON)
    desk.act([Act(name, DECIDE, "grant", "proven")], "ben", "page", NOON)
    assert desk.history(name, NOON).final is None
    desk.act([Act(name, DECIDE, "grant", "proven")], "eve", "page", NOON)
    assert desk.history(name, NOON).final.reviewer == "eve"
    once = Desk(warehouse, loans.project(), "review-1")  # since then nothing is looked at twice
    assert once.history(name, NOON).final.decision == "grant"


def test_cases_are_overdue_once_their_time_has_passed_and_decided_ones_never(desk):
    late = NOON + timedelta(days=3)
    first = desk.queue().ids[0]
    desk.act([Act(first, DECIDE, "refuse")], "ada", "page", NOON)
    everything, counts = selected(desk, now=NOON, view=View.ALL)
    assert counts["overdue"] == 0
    assert selected(desk, now=late, view=View.OVERDUE)[1]["overdue"] == len(everything) - 1
    assert len(selected(desk, now=late, view=View.OVERDUE)[0]) == len(everything) - 1


def test_cases_go_out_to_a_file_and_come_back_with_decisions_all_or_none(desk, tmp_path):
    path, ids = tmp_path / "cases.csv", desk.queue().ids
    exchange.write(path, ["case"], [(name, "=cmd()") for name in ids[:3]])
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    assert lines[1] == f"{ids[0]},'=cmd(),,"
    path.write_text("\n".join([lines[0], f"{lines[1][:-1]}refuse,", f"{lines[2][:-1]}grant,'=proven", lines[3]]))
    acts = exchange.read(path, desk.settings.decisions)
    assert acts == [Act(ids[0], DECIDE, "refuse"), Act(ids[1], DECIDE, "grant", "=proven")]
    desk.act(acts, "ada", "root", NOON)
    assert len(rows_of(desk.warehouse, "reviews")) == 2
    assert arrow.version(desk.warehouse, "reviews") == 1
    with pytest.raises(ReviewError, match="is decided"):
        desk.act([Act(ids[2], DECIDE, "refuse"), *acts], "ben", "root", NOON)
    assert len(rows_of(desk.warehouse, "reviews")) == 2


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("prediction_id,decision\na,grant\n", "no column reason"),
        (
            "prediction_id,decision,reason\na,burn,\nb,,\na,grant,\na,grant,\n",
            "line 2: decision 'burn'.*line 4: line 2",
        ),
        ("\xff", "not imported"),
    ],
)
def test_a_file_that_is_none_of_ours_is_refused(tmp_path, text, why):
    path = Path(tmp_path / "cases.csv")
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(ReviewError, match=why):
        exchange.read(path, loans.REVIEW.decisions)
