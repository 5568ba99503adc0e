"""Which labels are suspect: by hand, by definition, and where some were flipped."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict

from nightjar.errors import LearningError
from nightjar.learning.labels.label_noise import suspects

Y, N = True, False


def test_a_row_is_suspect_below_its_class_s_threshold_and_above_the_other_one_s():
    """Thresholds: true (0.8 + 0.6 + 0.1) / 3 = 0.5, false (0.9 + 0.7 + 0.2 + 0.6) / 4 = 0.6.

    Row 3 is true at 0.1: false at 0.9. Row 5 is false at 0.2: true at 0.8. Row 2 has no prediction.
    """
    label = [Y, Y, N, Y, N, N, N, N]
    probability = [0.8, 0.6, np.nan, 0.1, 0.1, 0.8, 0.3, 0.4]
    assert suspects(label, probability).to_pydict() == {
        "row": [3, 5],
        "label": [Y, N],
        "probability": [0.1, 0.8],
        "margin": pytest.approx([0.8, 0.6]),
    }


def test_a_rare_class_is_no_suspect_for_being_rare():
    """All of the true ones are predicted below one half, and as sure as a true one ever is."""
    assert suspects([Y, Y, N, N, N, N], [0.3, 0.3, 0.1, 0.1, 0.1, 0.1]).num_rows == 0


def test_a_probability_at_the_other_class_s_threshold_is_enough():
    """1 - (1 - 0.1) is less than 0.1 in floating point."""
    assert suspects([N, N, Y], [0.0, 0.1, 0.1])["row"].to_pylist() == [1]


def test_suspects_are_most_of_the_flipped_labels_and_little_else():
    """Of 2,000 labels of two clouds 5 percent are flipped; those far from both clouds' border can be told."""
    random = np.random.default_rng(5)
    truth = random.random(2_000) < 0.4
    points = random.normal(size=(2_000, 2)) + np.where(truth, 4, 0)[:, None] / np.sqrt(2)
    flipped = set(random.permutation(2_000)[:100].tolist())
    label = truth ^ np.isin(np.arange(2_000), list(flipped))
    probability = cross_val_predict(LogisticRegression(), points, label, cv=5, method="predict_proba")[:, 1]
    suspected = suspects(label, probability)["row"].to_pylist()
    assert len(flipped & set(suspected)) >= 65
    assert len(flipped & set(suspected)) >= 0.95 * len(suspected)
    assert flipped >= set(suspected[:40])


@given(st.lists(st.tuples(st.booleans(), st.sampled_from([0, 0.1, 0.25, 0.5, 0.75, 1])), min_size=2, max_size=12))
def test_suspects_are_those_of_the_definition(rows):
    label, probability = [one for one, _ in rows], [p for _, p in rows]
    if len(set(label)) < 2:
        return
    of = {kind: [p if kind else 1 - p for observed, p in rows if observed == kind] for kind in (Y, N)}
    threshold = {kind: np.mean(values) for kind, values in of.items()}
    expected = {}
    for row, (observed, p) in enumerate(rows):
        own, other = (p, 1 - p) if observed else (1 - p, p)
        if own < threshold[observed] and other >= threshold[not observed]:
            expected[row] = other - own
    suspected = suspects(label, probability)
    assert dict(zip(suspected["row"].to_pylist(), suspected["margin"].to_pylist(), strict=True)) == pytest.approx(
        expected
    )
    assert suspected["margin"].to_pylist() == sorted(suspected["margin"].to_pylist(), reverse=True)


@pytest.mark.parametrize(
    ("label", "probability", "message"),
    [
        ([Y, Y], [0.5, 0.6], "Of 2 rows with an out-of-fold prediction, all labelled True: two classes are needed"),
        ([Y, N], [np.nan, np.nan], "Of 0 rows with an out-of-fold prediction, none: two classes are needed"),
        ([Y, N], [0.5, 1.5], "A probability is 1.5, expected 0 to 1"),
        ([Y, N], [0.5], r"\(1,\) predictions for \(2,\) labels: each row needs one, or NaN"),
        ([1, 2], [0.5, 0.5], "y holds 2.0"),
    ],
)
def test_what_cannot_be_judged_is_refused(label, probability, message):
    with pytest.raises(LearningError, match=message):
        suspects(label, probability)


def test_no_suspects_are_an_empty_table_of_the_same_columns():
    suspected = suspects([Y, N], [0.9, 0.1])
    assert suspected.num_rows == 0
    assert suspected.schema == pa.schema(
        [("row", pa.int64()), ("label", pa.bool_()), ("probability", pa.float64()), ("margin", pa.float64())]
    )
