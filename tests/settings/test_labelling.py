"""What a label that is not given may say: who answers, how many must, and which rules vote."""

import pytest

from nightjar.settings.features import Aggregate
from nightjar.settings.label import Label
from nightjar.settings.labelling import Annotators
from nightjar.settings.task import Task

GIVEN = {"source": "s", "keys": {"k": "k"}, "column": "x", "horizon": "7d"}
WHO = {"annotators": Annotators("who", 3)}
MOST = {"aggregate": Aggregate.MAX, "rules": {"high": "value > 5", "low": "value > 1"}}

SUM = {"aggregate": Aggregate.SUM, "task": Task.REGRESSION}
EARLY = {"aggregate": Aggregate.COUNT, "condition": "value > 0", "settled_early": True}


def test_its_question_and_its_columns_are_those_of_who_answers():
    assert (Label(**GIVEN | WHO).question(), Label(**GIVEN | WHO).columns()) == (
        "most annotators say that x is true",
        ["x", "who"],
    )
    several = {"task": Task.MULTICLASS, "classes": {"a": "A", "b": "B", "c": "C"}}
    assert Label(**GIVEN | WHO | several).question() == "what most annotators say of x"
    assert (Label(**GIVEN | MOST).question(), Label(**GIVEN | MOST).columns()) == (
        "most of the rules that speak say so (high, low), value being the max of x in the next 7d",
        ["x"],
    )


@pytest.mark.parametrize(
    ("kind", "values", "message"),
    [
        (Annotators, {"column": "who", "least": 0}, "least: found 0, expected at least 1"),
        (Annotators, {"least": 2}, "least: found 2, expected 1 without a column"),
        (Label, GIVEN | WHO | MOST, "annotators.column: found 'who', expected none unless what is classified is no"),
        (Label, GIVEN | WHO | {"task": Task.REGRESSION}, "annotators.column: found 'who', expected none unless"),
        (Label, GIVEN | {"rules": {"high": "x"}}, "rules: found ['high'], expected none unless an aggregate is"),
        (Label, GIVEN | MOST | {"task": Task.REGRESSION}, "rules: found ['high', 'low'], expected none unless an agg"),
        (Label, GIVEN | MOST | {"condition": "value > 0"}, "condition: found 'value > 0', expected a condition on the"),
        (Label, GIVEN | MOST | {"settled_early": True}, "settled_early: found True, expected false with rules"),
        (Label, GIVEN | SUM | {"empty": float("inf")}, "empty: found inf, expected a finite number, or null"),
        (Label, GIVEN | {"empty": 1}, "empty: found 1.0, expected left out: only a sum or count that is not settled"),
        (Label, GIVEN | SUM | {"aggregate": Aggregate.MEAN, "empty": 1}, "empty: found 1.0, expected left out: only a"),
        (Label, GIVEN | EARLY | {"empty": 1}, "empty: found 1.0, expected left out: only a sum or count that is not"),
        (Label, GIVEN | EARLY | {"empty": None}, "empty: found None, expected left out: only a sum or count that is"),
        (Label, GIVEN | MOST | {"rules": {"is high": "x"}}, "rules: found 'is high', expected an identifier that is"),
        (Label, GIVEN | MOST | {"rules": {"value": "x"}}, "rules: found 'value', expected an identifier that is none"),
    ],
)
def test_what_cannot_be_meant_is_refused(kind, values, message):
    with pytest.raises(ValueError) as found:  # noqa: PT011  (the whole beginning is compared)
        kind(**values)
    assert str(found.value).startswith(message)
