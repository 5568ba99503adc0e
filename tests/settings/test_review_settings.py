"""What may be said of reviewing: of which tiers and columns, by which command, and that no outcome is an opinion."""

from dataclasses import replace

import pytest

import builders
from nightjar.settings.connections import DeltaTable
from nightjar.settings.labelling import Annotators
from nightjar.settings.review import Review
from nightjar.settings.serving.reviewing import OF_REVIEWS, REVIEWS, ReviewDecision, Reviewing
from nightjar.settings.sources import Column, ColumnType, Source
from nightjar.tables.serving_definitions import reviews_table
from review import loans
from review.loans import KEY

CASE = "0123abcd"


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"action": "decide", "case": CASE, "by": "ada"}, "decision: found None, expected a text with action=decide"),
        ({"action": "decide", "case": CASE, "by": "ada", "decision": "burn"}, "one of the decisions"),
        ({"action": "claim", "by": "ada"}, "case: found None"),
        ({"action": "claim", "case": CASE}, "by: found None, expected a name"),
        ({"action": "show", "case": "xyz"}, "case: found 'xyz'"),
        ({"reason": "why"}, "reason: found 'why', expected none with action=list"),
        ({"status": "new"}, r"status: found 'new', expected one of \[todo, open,"),
        *(({"action": "claim", "case": CASE, "by": by}, f"by: found '{by}'") for by in ("Ada", "ada ", "", "../a")),
        ({"tier": "act"}, "one of the tiers that are reviewed"),
        ({"action": "export"}, "file: found None"),
        ({"action": "serve", "port": 70_000}, "port: found 70000"),
        ({"action": "serve", "origin": "reviews.example.org"}, "origin: found 'reviews.example.org'"),
        ({"action": "serve", "origin": "https://ada:secret@example.org"}, "origin"),
        ({"run_date": "2022-01-01"}, "run_date: found '2022-01-01'"),
    ],
)
def test_a_command_has_what_its_action_needs(settings, expected):
    with pytest.raises(ValueError, match=expected):
        Review(builders.quick_environment(), loans.project(), **settings)


def test_a_project_without_decisions_has_nothing_to_review():
    with pytest.raises(ValueError, match="without any there is nothing to review"):
        Review(builders.quick_environment(), loans.project(Reviewing()))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"decisions": {"grant": ReviewDecision()}}, "two decisions at least"),
        ({"decisions": {}, "proposals": {}}, "tiers: found .*none without decisions"),
        ({"proposals": {"review": "burn"}}, "one of the decisions"),
        ({"proposals": {"act": "grant"}}, "serving.review.proposals: found 'act', expected one of the project's tiers"),
        ({"tiers": ["act"]}, "serving.review.tiers: found 'act'"),
        ({"shown": ["shoe_size"]}, "serving.review.shown: found 'shoe_size'"),
        ({"similar": ["shoe_size"]}, "serving.review.similar"),
        ({"worth": "shoe_size"}, "serving.review.worth"),
        ({"looked_at_twice": 1.5}, "looked_at_twice"),
    ],
)
def test_reviewing_names_what_there_is(changes, expected):
    with pytest.raises(ValueError, match=expected):
        loans.project(replace(loans.REVIEW, **changes))


def test_what_people_decided_is_an_answer_and_no_outcome():
    project = loans.project()
    answers = Source(
        delta=DeltaTable(f"warehouse/loans/{REVIEWS}/"),
        columns={
            **{name: Column(ColumnType.STRING) for name in ("prediction_id", "applicant", "reviewer")},
            "recorded_at": Column(ColumnType.TIMESTAMP),
            "answer": Column(ColumnType.BOOLEAN),
        },
        key=["prediction_id", "reviewer"],
        event_time="recorded_at",
    )
    sources, label = project.sources | {"answers": answers}, replace(project.label, source="answers", column="answer")
    with pytest.raises(ValueError, match=r"label.annotators.column: .*decisions of people, which are no outcome"):
        replace(project, sources=sources, label=label)
    asked = replace(project, sources=sources, label=replace(label, annotators=Annotators("reviewer", 2)))
    assert asked.label.annotators.least == 2


def test_no_column_of_reviews_may_be_called_like_one_of_the_key():
    columns = {column.name for column in reviews_table(KEY).columns}
    assert columns - set(KEY.names) - {"prediction_time", "run_date", "run_id"} == set(OF_REVIEWS)
    project = loans.project()
    with pytest.raises(ValueError, match=r"spine.key: found 'reviewer', expected another name: table reviews has it"):
        replace(project, spine=replace(project.spine, key=["reviewer"]))
