"""What several classes and the costs of mistakes between them may say."""

import re

import pytest

from nightjar.settings.costs import Costs
from nightjar.settings.features import Aggregate
from nightjar.settings.label import Label
from nightjar.settings.task import Task

OUTCOME = {"source": "s", "keys": {"k": "k"}, "column": "x", "horizon": "7d"}
SEVERAL = {"task": Task.MULTICLASS, "classes": {"1": "One", "2": "Two", "other": "Another"}}
LABEL = Label(**OUTCOME | SEVERAL)
MATRIX = {"1": {"2": 1, "other": 2}, "2": {"1": 0, "other": 3}, "other": {"1": 4, "2": 5}}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"classes": {}}, "classes: found [], expected 3 to 50 classes, value: name; of two, make a boolean"),
        ({"classes": {"a": "A", "b": "B"}}, "classes: found ['a', 'b'], expected 3 to 50 classes"),
        ({"classes": {str(n): str(n) for n in range(51)}}, "expected 3 to 50 classes"),
        ({"classes": {"a ": "A", "b": "B", "c": "C"}}, "classes: found 'a ', expected a value of the outcome, print"),
        ({"classes": {"a": "A", "b": "A", "c": "C"}}, "classes.b: found 'A', expected a name for people that no other"),
        ({"task": Task.CLASSIFICATION}, "classes: found ['1', '2', 'other'], expected none, or task=multiclass"),
        ({"aggregate": Aggregate.MAX}, "aggregate: found 'max', expected none for several classes: derive the class"),
        ({"condition": "value > 0"}, "condition: found 'value > 0', expected none unless an aggregate is classified"),
    ],
)
def test_what_is_no_label_of_several_classes_is_refused(values, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        Label(**OUTCOME | SEVERAL | values)


def test_every_mistake_costs_one_unless_it_has_a_cost_of_its_own():
    assert Costs().between(list(LABEL.classes)) == ((0, 1, 1), (1, 0, 1), (1, 1, 0))
    assert Costs(matrix=MATRIX).between(list(LABEL.classes)) == ((0, 1, 2), (0, 0, 3), (4, 5, 0))
    assert not list(Costs(matrix=MATRIX).issues_with(LABEL))


@pytest.mark.parametrize(
    ("costs", "field", "expected"),
    [
        (Costs(matrix=MATRIX | {"2": {"1": 1}}), "matrix.2.other", "what it costs to predict other for 2"),
        (Costs(matrix=MATRIX | {"2": MATRIX["2"] | {"2": 0}}), "matrix.2.2", "left out: a right decision costs noth"),
        (Costs(matrix=MATRIX | {"2": MATRIX["2"] | {"3": 1}}), "matrix.2.3", "one of ['1', 'other']"),
        (Costs(matrix=MATRIX | {"others": {"1": 1}}), "matrix", "one of the classes of the label ['1', '2', 'other']"),
        (Costs(missed=1, false_alarm=1), "missed", "none for label.task=multiclass"),
    ],
)
def test_a_matrix_that_is_not_of_the_classes_is_refused_by_the_pair(costs, field, expected):
    (issue,) = costs.issues_with(LABEL)
    assert issue.field == field
    assert issue.expected.startswith(expected)


def test_costs_between_classes_need_several_of_them():
    (issue,) = Costs(matrix=MATRIX).issues_with(Label(**OUTCOME))
    assert issue.expected == "none for label.task=classification"


@pytest.mark.parametrize("cost", [-1, float("nan"), float("inf")])
def test_a_mistake_has_a_finite_cost_of_0_or_more(cost):
    with pytest.raises(ValueError, match=r"matrix\.a\.b: found .* expected a finite cost of 0 or more"):
        Costs(matrix={"a": {"b": cost}})


def test_costs_that_are_all_0_decide_nothing():
    with pytest.raises(ValueError, match="expected a mistake that costs more than 0, or no matrix"):
        Costs(matrix={"a": {"b": 0}})
