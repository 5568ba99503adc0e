"""Reasons: the features that add most, in words, with usual ranges of training rows; what is masked stays masked."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.rows import CLASSIFIED, FEATURES, examples, training_rows
from nightjar.evaluation.histograms import Bins, count, fit_bins
from nightjar.explanation.contributions import contributions
from nightjar.explanation.reasons import Wording, reasons
from nightjar.explanation.values import MIDDLE, usual
from nightjar.masking.showing import show
from nightjar.masking.values import MASK, Masking
from nightjar.models.fitting import fit
from nightjar.settings.serving.reasons import Adverse, AdverseAction, Reasons
from nightjar.settings.task import Task

LATE = "It was late before"
WORDS = {name.name: LATE if name.name in ("hour", "delay") else f"About {name.name}" for name in FEATURES}
TABLE = training_rows(50, seed=1)[0]
NONE = np.zeros(len(TABLE), np.intp)


def explained(name, wording, is_adverse, task=Task.CLASSIFICATION, predicted=NONE):
    predictor = fit(CLASSIFIED[name], examples(task), features=FEATURES, task=task, seed=0)
    own = reasons(predictor, TABLE, predictor.predict(TABLE), predicted, is_adverse, training_rows(60)[0], wording)
    return predictor, list(own)


@pytest.mark.parametrize("scores", list(Adverse))
def test_they_are_the_greatest_contributions_and_of_a_decision_against_somebody_those_that_made_the_score_worse(scores):
    """Compared with a sort of all contributions of each row; two features that share a sentence say it once."""
    settings = Reasons(["act"], top=2, adverse=AdverseAction(["act"], scores, WORDS))
    is_adverse = np.arange(len(TABLE)) % 2 == 0
    predictor, own = explained("boosting", Wording(settings, {"delay": "5 to 20"}, Masking()), is_adverse)

    values = contributions(predictor, TABLE).values[:, 0]
    for row, (told, adverse) in enumerate(zip(own, is_adverse, strict=True)):
        sign = 1 if scores is Adverse.HIGH else -1
        ranked = sorted(
            (-abs(value), place)
            for place, value in enumerate(values[row])
            if value and (not adverse or sign * value > 0)
        )
        expected, sentences = [], []
        for _, place in ranked:
            name = FEATURES[place].name
            if adverse and WORDS[name] in sentences:
                continue
            sentences.append(WORDS[name])
            expected.append((name, show(TABLE[name][row].as_py()), pytest.approx(values[row, place], abs=1e-9)))
        assert [(one.feature, one.value, one.contribution) for one in told] == expected[:2]
        if adverse:
            assert [one.text for one in told] == sentences[:2]
        for one in told:
            assert one.usual == ("5 to 20" if one.feature == "delay" else None)
            assert adverse or one.text.endswith("; raises the score" if one.contribution > 0 else "; lowers the score")


def test_of_several_classes_they_are_of_the_predicted_one_and_none_of_a_class_that_training_had_no_row_of():
    predicted = np.arange(len(TABLE)) % 4
    wording = Wording(Reasons(sample=1, top=9), {}, Masking())
    predictor, own = explained("boosting", wording, NONE > 0, Task.MULTICLASS, predicted)

    values = contributions(predictor, TABLE).values
    place = {0: 0, 2: 1, 3: 2}
    for row, (told, code) in enumerate(zip(own, predicted.tolist(), strict=True)):
        expected = {} if code == 1 else dict(zip(predictor.features, values[row, place[code]], strict=True))
        assert {one.feature: one.contribution for one in told} == {
            column.name: pytest.approx(value, abs=1e-9) for column, value in expected.items() if round(value, 9)
        }


def test_sampled_ones_count_only_where_they_are_not_noise():
    """Columns that the model does not read add nothing in any order, and a contribution within its error is none."""
    _, own = explained("neighbours", Wording(Reasons(sample=1, top=9), {}, Masking()), NONE > 0)
    named = {one.feature for told in own for one in told}
    assert {"hour", "delay"} <= named
    assert not {"empty", "nothing"} & named


def test_of_a_sensitive_column_nobody_reads_a_value():
    settings = Reasons(["act"], top=9, names={"delay": "Delay before"})
    wording = Wording(settings, {"delay": "5 to 20", "hour": "6 to 18"}, Masking(frozenset({"delay"})))
    _, own = explained("boosting", wording, NONE > 0)
    delays = [one for told in own for one in told if one.feature == "delay"]
    hours = [one for told in own for one in told if one.feature == "hour"]
    assert {(one.value, one.usual) for one in delays} == {(MASK, None)}
    assert {one.text for one in delays} == {f"Delay before: {MASK}; {move} the score" for move in ("raises", "lowers")}
    assert hours[0].text.startswith(f"hour: {hours[0].value}, usually 6 to 18; ")


@given(st.lists(st.floats(-1e6, 1e6) | st.integers(0, 5).map(float), min_size=1, max_size=400))
def test_a_usual_range_of_numbers_holds_the_middle_of_them(values):
    """To a bin, of which there are 50."""
    bins = fit_bins(pa.array(values))
    words = usual(bins, count(bins, pa.array(values)).tolist())
    low, *high = (float(end.replace(",", "")) for end in words.split(" to "))
    ends = low, (high or [low])[0]
    room = [1 + 1e-3 * abs(end) for end in ends]  # words have four digits
    below, above = np.mean(np.array(values) < ends[0] - room[0]), np.mean(np.array(values) > ends[1] + room[1])
    assert max(below, above) <= (1 - MIDDLE) / 2 + 2 / 50


@pytest.mark.parametrize(
    ("column", "words"),
    [
        ([True] * 5 + [False] * 95, "no"),
        ([True] * 50 + [False] * 50, "no or yes"),
        (["a"] * 30 + ["b"] * 30 + ["c"] * 20 + ["d"] * 20, "a, b or c"),
        (["a"] * 40 + [f"x{number}" for number in range(60)], "a, x0, x1, or another"),
        (["a"] * 90 + ["b"] * 10, "a"),
        ([1.0] * 40 + [None] * 60, "missing"),
        ([3.0] * 9, "3"),
        ([None, None], "missing"),
        ([float(number) for number in range(1, 101)] * 3, "11 to 89"),
        ([10.0 * number for number in range(2000)], "2,000 to 17,600"),
    ],
)
def test_usual_ranges_are_words_that_people_use(column, words):
    kind = pa.array(column, pa.float64()) if column[0] is None else pa.array(column)
    bins = fit_bins(kind)
    shown = usual(bins, count(bins, kind).tolist(), is_boolean=pa.types.is_boolean(kind.type))
    assert shown == words


def test_no_training_rows_have_no_usual_range():
    assert usual(Bins("numeric", edges=(1.0, 2.0)), [0, 0, 0, 0]) is None
