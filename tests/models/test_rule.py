import math

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightjar.errors import LearningError
from nightjar.models.columns import FeatureColumn
from nightjar.models.estimators.rule import RuleOfThumb
from nightjar.models.estimators.rule_grammar import Kind, rule_of
from nightjar.models.examples import Examples
from nightjar.models.fitting import fit
from nightjar.models.serialization.predictor_files import dump, open_predictor
from nightjar.settings.model import Estimator, Model
from nightjar.settings.task import Task

FEATURES = (FeatureColumn("x", "number"), FeatureColumn("y", "number"), FeatureColumn("site", "category"))
NAN = float("nan")


def value_of(expression, **row):
    """Of one row; None is null."""
    frame = pd.DataFrame({name: np.array([NAN if value is None else value]) for name, value in row.items()})
    [[value]] = RuleOfThumb(expression).fit(frame).transform(frame)
    return None if math.isnan(value) else value


@pytest.mark.parametrize(
    ("expression", "row", "expected"),
    [
        ("x + 2 * y - 1", {"x": 3.0, "y": 4.0}, 10),
        ("-(x / 4)", {"x": 2.0}, -0.5),
        ("x / y", {"x": 1.0, "y": 0.0}, None),
        ("1 / x + 1", {"x": 0.0}, None),
        ("x + 1", {"x": None}, None),
        ("0 < x <= 2", {"x": 2.0}, 1),
        ("0 < x < 2", {"x": 2.0}, 0),
        ("x == y", {"x": None, "y": None}, None),
        ("x != 1", {"x": None}, None),
        ("not x > 1", {"x": None}, None),
        ("not x > 1", {"x": 0.0}, 1),
        ("site == 'north'", {"site": "north"}, 1),
        ("site == 'north'", {"site": "south"}, 0),
        ("'north' != site", {"site": None}, None),
        ("x > 1 and y > 1", {"x": None, "y": 0.0}, 0),
        ("x > 1 and y > 1", {"x": None, "y": 2.0}, None),
        ("x > 1 or y > 1", {"x": None, "y": 2.0}, 1),
        ("x > 1 or y > 1", {"x": None, "y": 0.0}, None),
        ("x > 1 and 2 > 1", {"x": 2.0}, 1),
        ("y if x > 1 else 2 * y", {"x": 2.0, "y": 3.0}, 3),
        ("y if x > 1 else 2 * y", {"x": None, "y": 3.0}, 6),
        ("y if x > 1 else 2", {"x": 2.0, "y": None}, None),
    ],
)
def test_what_a_rule_says_with_nulls_as_in_sql(expression, row, expected):
    assert value_of(expression, **row) == expected


NUMBERS = st.recursive(
    st.sampled_from(["x", "y", "2", "0.5"]),
    lambda inner: st.tuples(inner, st.sampled_from("+-*/"), inner).map(lambda one: f"({one[0]} {one[1]} {one[2]})"),
    max_leaves=6,
)
TRUTHS = st.tuples(NUMBERS, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), NUMBERS).map(" ".join)


@given(expression=NUMBERS | TRUTHS, x=st.integers(-3, 3), y=st.integers(-3, 3))
def test_without_nulls_it_is_what_python_says(expression, x, y):
    try:
        expected = float(eval(expression, {"x": float(x), "y": float(y)}))  # noqa: S307 - the oracle, on our own text
    except ZeroDivisionError:
        return
    assert value_of(expression, x=float(x), y=float(y)) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("__import__('os').system('true')", "holds `__import__"),
        ("x.__class__", "holds `x.__class__`"),
        ("x[0]", r"holds `x\[0\]`"),
        ("x ** 99", r"holds `x \*\* 99`"),
        ("x if y else 2", r"`y` is a number: expected a yes or no"),
        ("x if y > 1 else 'late'", r"`'late'` is a text: expected a number"),
        ("[x]", r"holds `\[x\]`"),
        ("x in (1, 2)", r"holds `\(1, 2\)`"),
        ("(x := 2)", r"holds `\(?x := 2"),
        ("lambda: x", "holds `lambda: x`"),
        ("x > True", "holds `True`"),
        ("x + 1j", "holds `1j`"),
        ("x + " + "9" * 400, "holds `9999"),
        ("x +", "cannot be read"),
        ("", "cannot be read"),
        ("x\x00", "cannot be read"),
        (None, "A rule is a text"),
        ("x" * 1001, "at most 1000 characters"),
        ("-" * 300 + "x", "nested 30[0-9] deep: expected at most 50"),
        ("(" * 300 + "x" + ")" * 300, "cannot be read"),
        ("wings", "names wings, not among the features x, y, site"),
        ("x and y > 1", r"`x` is a number: expected a yes or no. Compare it, as in `x != 0`"),
        ("site + 1", "`site` is a text: expected a number"),
        ("x == site", r"compares x \(number\), site \(text\)"),
        ("site < 'north'", "== or != unless they are numbers"),
        ("'late'", "says nothing about any feature"),
        ("1 + 1", "says nothing about any feature"),
    ],
)
def test_what_is_no_rule_is_refused_and_never_run(expression, message):
    with pytest.raises(LearningError, match=message):
        rule_of(expression, FEATURES)


def test_a_rule_reads_only_what_it_names():
    assert rule_of("y > 1 and site == 'north'", FEATURES) == (FEATURES[1:], Kind.TRUTH)
    assert rule_of("x * 2", FEATURES) == (FEATURES[:1], Kind.NUMBER)


TABLE = pa.table({"x": [2.0, 2, 2, 2, 0, 0, 0, 0, None, 5]})
LATE = np.array([1, 1, 1, 0, 0, 0, 0, 1, 1, 1], dtype=bool)


def scores(expression, label, task=Task.CLASSIFICATION):
    model = Model(Estimator.RULE, parameters={"expression": expression})
    predictor = fit(model, Examples(TABLE, label, query=np.zeros(10, int)), features=FEATURES[:1], task=task, seed=0)
    return predictor.predict(pa.table({"x": [3.0, 0.0, None]})).tolist()


def test_of_yes_and_no_the_rates_are_learned_and_null_gets_the_prior():
    """Shrunk with ten rows of the overall rate, 0.6: a probability of exactly 0 or 1 would cost without end."""
    assert scores("x > 1", LATE) == [(4 + 6) / 15, (1 + 6) / 14, 0.6]


def test_a_number_is_taken_as_it_is_within_what_a_probability_can_be():
    assert scores("x / 2 - 0.25", LATE) == [1.0, 0.0, 0.6]
    assert scores("x / 10", LATE) == [0.3, 0.0, 0.6]


def test_an_amount_or_a_relevance_has_no_bounds():
    for task in (Task.REGRESSION, Task.RANKING):
        assert scores("x - 10", np.arange(10.0), task) == [-7.0, -10.0, 4.5]


def test_a_rule_that_gives_texts_predicts_the_shares_of_the_classes_at_each():
    """Ten rows of the overall shares are added, as for a rate; a text that no training row has gets these."""
    expression = "'late' if x > 1 else ('on_time' if x < 0.5 else 'unsure')"
    rows = Examples(TABLE, np.array([2, 2, 2, 1, 1, 1, 1, 1, 0, 2]), classes=("early", "on_time", "late"))
    model = Model(Estimator.RULE, parameters={"expression": expression})
    structure, files = dump(fit(model, rows, features=FEATURES[:1], task=Task.MULTICLASS, seed=0))
    predictor = open_predictor(structure, files, "it")
    np.testing.assert_allclose(
        predictor.predict(pa.table({"x": [3.0, 0.0, None, 0.7]})),
        [[1 / 15, 6 / 15, 8 / 15], [1 / 14, 9 / 14, 4 / 14], [2 / 11, 5 / 11, 4 / 11], [2 / 11, 5 / 11, 4 / 11]],
    )
