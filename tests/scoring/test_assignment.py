"""Rows that nobody acts on: drawn by hashes, with the chance that they had."""

import numpy as np
import pyarrow as pa

from nightjar.scoring.assignment import add_assignments
from nightjar.scoring.identity import prediction_ids
from nightjar.settings.feedback import Feedback


def assigned(feedback, nights=20, entities=500):
    machine, night = np.tile(np.arange(entities), nights), np.repeat(np.arange(nights), entities)
    keys = pa.table({"machine": machine, "prediction_time": night})
    rows = keys.append_column("prediction_id", pa.array(prediction_ids("machines", keys)))
    return add_assignments(rows, "machines", ["machine"], feedback).to_pandas()


def test_shares_and_chances_are_those_declared_and_a_control_stays_one():
    rows = assigned(Feedback(exploration=0.05, control=0.1))
    shares = rows["assignment"].value_counts(normalize=True)
    control = rows[rows["assignment"] == "control"]
    assert control.groupby("machine").size().eq(20).all()
    assert abs(shares["control"] - 0.1) < 4 * np.sqrt(0.1 * 0.9 / 500)  # entities are drawn
    assert abs(shares["exploration"] - 0.045) < 4 * np.sqrt(0.045 * 0.955 / 9_000)
    chances = rows.groupby("assignment")["propensity"].unique().map(tuple).to_dict()
    assert chances == {"control": (0.1,), "exploration": (0.9 * 0.05,), "score": (0.9 * 0.95,)}


def test_a_greater_share_draws_the_same_rows_and_more_and_a_rerun_the_same():
    few, many = (assigned(Feedback(exploration=share), nights=2) for share in (0.05, 0.2))
    assert few.equals(assigned(Feedback(exploration=0.05), nights=2))
    drawn = few["assignment"] == "exploration"
    assert drawn.any()
    assert (many["assignment"][drawn] == "exploration").all()


def test_without_a_share_there_are_no_columns():
    assert list(assigned(Feedback(), nights=1)) == ["machine", "prediction_time", "prediction_id"]
