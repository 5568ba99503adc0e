"""Self-training: who joins, with which label, when it ends, and who never does."""

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pytest

from nightjar.errors import LearningError
from nightjar.learning.data.other_rows import UnlabelledRows
from nightjar.learning.labels.self_training import Round, self_train
from nightjar.models.examples import Examples, InnerSplit
from nightjar.settings.labelling import SelfTraining


def hours(*numbers):
    return np.datetime64("2024-04-01T00:00", "us") + np.array(numbers, dtype="timedelta64[h]")


def table(*x):
    return pa.table({"x": pa.array(x, pa.float64())})


@dataclass(frozen=True)
class Halfway:
    """The probability of True grows with the distance from the middle of both classes, up to 1 at twice as far."""

    middle: float
    looked_at: list

    def predict(self, rows):
        x = rows["x"].to_numpy()
        self.looked_at.extend(x.tolist())
        return np.clip(0.5 + (x - self.middle) / 20, 0, 1)


class Halves:
    """Fits `Halfway` between the means of the classes, and remembers what it was given and asked."""

    def __init__(self):
        self.fitted_labels, self.looked_at = [], []

    def __call__(self, examples):
        x = examples.table["x"].to_numpy()
        self.fitted_labels.append(dict(zip(x.tolist(), examples.label.tolist(), strict=True)))
        middle = (x[examples.label].mean() + x[~examples.label].mean()) / 2
        return Halfway(middle, self.looked_at)


EXAMPLES = Examples(table(-2, 2), np.array([False, True]))
LATER = hours(100)[0]


def test_rows_join_round_by_round_until_none_is_sure():
    """The floor 0.8 is more than 6 from the middle, at first 0. With 7 and 9 it moves to 2: -5 is sure; 3 never is."""
    fit = Halves()
    pool = UnlabelledRows(table(7, 9, -5, 3), hours(5, 6, 7, 8))
    result = self_train(fit, EXAMPLES, hours(1, 2), pool, LATER, SelfTraining(0.8, 5))
    assert result.rounds == (Round({True: 2, False: 0}, 2), Round({True: 0, False: 1}, 1))
    assert fit.fitted_labels == [
        {-2: False, 2: True},
        {-2: False, 2: True, 7: True, 9: True},
        {-2: False, 2: True, 7: True, 9: True, -5: False},
    ]
    assert result.model.middle == pytest.approx((6 - 3.5) / 2)


def test_it_ends_with_the_rounds():
    fit = Halves()
    result = self_train(
        fit, EXAMPLES, hours(1, 2), UnlabelledRows(table(7, 9, -5), hours(5, 6, 7)), LATER, SelfTraining(0.8, 1)
    )
    assert result.rounds == (Round({True: 2, False: 0}, 1),)
    assert len(fit.fitted_labels) == 2


@pytest.mark.parametrize("x", [6.0, -6.0])
def test_the_floor_itself_is_not_above_it(x):
    fit = Halves()
    settings = SelfTraining(0.8, 5)
    assert self_train(fit, EXAMPLES, hours(1, 2), UnlabelledRows(table(x), hours(5)), LATER, settings).rounds == ()
    assert len(fit.fitted_labels) == 1


def test_rows_of_the_test_period_are_neither_joined_nor_looked_at():
    """It begins with its first instant."""
    fit = Halves()
    pool = UnlabelledRows(table(9, 30, -30), hours(99, 100, 101))
    result = self_train(fit, EXAMPLES, hours(1, 2), pool, LATER, SelfTraining(0.8, 5))
    assert result.rounds == (Round({True: 1, False: 0}, 0),)
    assert fit.looked_at == [9]
    assert all(30 not in labels and -30 not in labels for labels in fit.fitted_labels)


def test_what_joins_takes_its_place_in_time_and_stands_for_one_row():
    """Inner splits follow the given rows to their new numbers, and know nothing of what joined."""
    weighted = replace(EXAMPLES, weight=np.array([3.0, 0.5]), inner=[InnerSplit(np.array([0]), np.array([1]))])
    pool = UnlabelledRows(table(9, -9, 8), hours(0, 2, 3))
    examples = self_train(Halves(), weighted, hours(1, 2), pool, LATER, SelfTraining(0.8, 1)).examples
    assert examples.table["x"].to_pylist() == [9, -2, 2, -9, 8]
    assert examples.label.tolist() == [True, False, True, False, True]
    assert examples.weight is not None
    assert examples.weight.tolist() == [1, 3, 0.5, 1, 1]
    assert [(split.train.tolist(), split.test.tolist()) for split in examples.inner] == [([1], [2])]


def test_it_is_plain_fitting_where_there_is_nothing_to_join():
    result = self_train(Halves(), EXAMPLES, hours(1, 2), UnlabelledRows(table(), hours()), LATER, SelfTraining())
    assert (result.rounds, result.examples) == ((), EXAMPLES)


@pytest.mark.parametrize(
    ("examples", "pool", "message"),
    [
        (replace(EXAMPLES, label=np.array([0.5, 1.0])), UnlabelledRows(table(1), hours(5)), "of no classification"),
        (replace(EXAMPLES, query=np.array([0, 0])), UnlabelledRows(table(1), hours(5)), "of no classification"),
        (EXAMPLES, UnlabelledRows(table(1), hours(5, 6)), r"\[2, 2, 1, 2\]. Each row needs its time"),
        (EXAMPLES, UnlabelledRows(pa.table({"y": [1.0]}), hours(5)), "lack the columns x of those with one"),
        (EXAMPLES, UnlabelledRows(pa.table({"x": ["1"]}), hours(5)), "other types of x"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_fitted(examples, pool, message):
    fit = Halves()
    with pytest.raises(LearningError, match=message):
        self_train(fit, examples, hours(1, 2), pool, LATER, SelfTraining())
    assert fit.fitted_labels == []


@pytest.mark.parametrize(
    ("values", "message"),
    [({"floor": 0.5}, "floor: found 0.5"), ({"floor": 1.0}, "floor: found 1.0"), ({"rounds": 0}, "rounds: found 0")],
)
def test_a_floor_at_chance_or_no_round_is_refused(values, message):
    with pytest.raises(ValueError, match=message):
        SelfTraining(**values)
