"""Counterfactuals: they flip the decision, within ranges, and change nothing else."""

import numpy as np
import pyarrow as pa
import pytest

from models.rows import CLASSIFIED, FEATURES, examples, training_rows
from nightjar.errors import ModelError
from nightjar.explanation.counterfactuals import counterfactuals
from nightjar.models.fitting import fit
from nightjar.settings.explaining import Actionable, Direction

BACKGROUND = training_rows(300, seed=2)[0]
THRESHOLD = 0.4


@pytest.fixture(scope="module", params=["boosting", "logistic", "xgboost"])
def predictor(request):
    return fit(CLASSIFIED[request.param], examples(), features=FEATURES, seed=0)


def changed(row, changes):
    values = row.to_pylist()[0]
    return pa.Table.from_pylist([values | changes], schema=row.schema)


@pytest.mark.parametrize("highest", [True, False])
def test_each_is_on_the_other_side_when_it_is_scored_again(predictor, highest):
    scores = predictor.predict(BACKGROUND)
    row = BACKGROUND.slice(int(np.argmax(scores) if highest else np.argmin(scores)), 1)
    actionable = {"delay": Actionable(low=-60, high=60), "hour": Actionable(low=5, high=22), "carrier": Actionable()}

    results = counterfactuals(predictor, row, BACKGROUND, actionable, THRESHOLD)

    assert results
    for one in results:
        assert set(one.changes) <= set(actionable)
        score = predictor.predict(changed(row, one.changes))[0]
        assert score == pytest.approx(one.score)
        assert (score >= THRESHOLD) != highest
        assert -60 <= one.changes.get("delay", 0) <= 60
        assert one.changes.get("hour", 5) in range(5, 23)
        assert isinstance(one.changes.get("hour", 5), int)
    sizes = [len(one.changes) for one in results]
    assert sizes == sorted(sizes)
    sets = [set(one.changes) for one in results]
    assert not any(one < other for one in sets for other in sets)


def test_a_number_goes_no_further_than_the_decision_asks():
    logistic = fit(CLASSIFIED["logistic"], examples(), features=FEATURES, seed=0)
    row = BACKGROUND.slice(int(np.argmax(logistic.predict(BACKGROUND))), 1)

    (one,) = counterfactuals(logistic, row, BACKGROUND, {"delay": Actionable(low=-200)}, THRESHOLD)

    assert one.score == pytest.approx(THRESHOLD, abs=0.002)
    assert one.distance > 0


def test_no_change_within_the_ranges_or_the_direction_is_no_counterfactual(predictor):
    row = BACKGROUND.slice(int(np.argmax(predictor.predict(BACKGROUND))), 1)
    own = row["delay"][0].as_py()
    only_up = {"delay": Actionable(low=own - 500, high=own + 500, direction=Direction.UP)}

    assert counterfactuals(predictor, row, BACKGROUND, only_up, 0.05) == []
    assert counterfactuals(predictor, row, BACKGROUND, {"hour": Actionable(low=23, high=24)}, 0.05) == []


def with_value(table, name, value):
    place = table.schema.get_field_index(name)
    field = table.schema.field(place)
    return table.set_column(place, field, pa.array([value] * table.num_rows, field.type))


@pytest.mark.parametrize(("own", "low", "high"), [(-50.0, 0, 300), (250.0, -300, 200)])
def test_a_value_outside_the_range_is_changed_to_one_inside(own, low, high):
    logistic = fit(CLASSIFIED["logistic"], examples(), features=FEATURES, seed=0)
    row = with_value(BACKGROUND.slice(3, 1), "delay", own)
    ends = logistic.predict(with_value(BACKGROUND.take([3, 3]), "delay", low if own < low else high))
    between = float((logistic.predict(row)[0] + ends[0]) / 2)  # outside the range it is reached, too

    (one,) = counterfactuals(logistic, row, BACKGROUND, {"delay": Actionable(low=low, high=high)}, between)

    assert low <= one.changes["delay"] <= high
    assert one.changes["delay"] == pytest.approx(low if own < low else high, abs=0.5)


def test_nan_is_a_missing_value():
    tree = fit(CLASSIFIED["tree"], examples(), features=FEATURES, seed=0)
    place = BACKGROUND.schema.get_field_index("delay")
    delay = BACKGROUND["delay"].to_numpy()
    background = BACKGROUND.set_column(place, BACKGROUND.schema.field(place), pa.array(delay))
    scores = tree.predict(background)
    known = int(np.argmax(np.where(np.isnan(delay), -1, scores)))
    missing = int(np.argmax(np.where(np.isnan(delay), scores, -1)))
    for place in (known, missing):
        row = background.slice(place, 1)
        actionable = {"delay": Actionable(), "hour": Actionable()}
        limit = float(scores[place]) - 1e-9

        of_nan = counterfactuals(tree, row, background, actionable, limit)

        assert of_nan == counterfactuals(tree, BACKGROUND.slice(place, 1), BACKGROUND, actionable, limit)
        assert of_nan
        assert np.isfinite([one.distance for one in of_nan]).all()


@pytest.mark.parametrize("name", ["hour", "delay"])
def test_a_range_may_reach_beyond_what_a_column_can_hold(predictor, name):
    row = BACKGROUND.slice(0, 1)
    threshold = float(predictor.predict(row)[0])

    results = counterfactuals(predictor, row, BACKGROUND, {name: Actionable(low=-1e300, high=1e300)}, threshold)

    assert results
    assert isinstance(results[0].changes[name], int if name == "hour" else float)


def test_what_cannot_be_changed_is_refused(predictor):
    row = BACKGROUND.slice(0, 1)
    for actionable, rows, message in (
        ({}, BACKGROUND, "reads none of the actionable columns .none."),
        ({"note": Actionable()}, BACKGROUND, "none of the actionable columns .note."),
        ({"delay": Actionable()}, BACKGROUND.slice(0, 0), "no other rows"),
        ({"carrier": Actionable(low=1)}, BACKGROUND, "actionable.carrier is of text"),
    ):
        with pytest.raises(ModelError, match=message):
            counterfactuals(predictor, row, rows, actionable, THRESHOLD)
