"""Rows that nobody acts on: drawn by hashes, with the chance that they had."""

from datetime import date

import numpy as np
import pyarrow as pa

from nightjar.registry.events import Version
from nightjar.registry.roles import Challenge
from nightjar.scoring import draws
from nightjar.scoring.identity import prediction_ids
from nightjar.settings.feedback import Feedback
from nightjar.tables.drawing import uniform


def assigned(feedback, nights=20, entities=500):
    return drawn(feedback, None, nights, entities).to_pandas()


def drawn(feedback, challenge, nights, entities):
    machine, night = np.tile(np.arange(entities), nights), np.repeat(np.arange(nights), entities)
    keys = pa.table({"machine": machine, "prediction_time": night})
    rows = keys.append_column("prediction_id", pa.array(prediction_ids("machines", keys)))
    return draws.add_draws(rows, "machines", ["machine"], feedback, challenge)


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


def test_arms_and_assignments_are_drawn_of_one_hash_of_each_rows_entity(monkeypatch):
    """A hash of every row is a good part of what a night costs beside the model."""
    hashed = []
    monkeypatch.setattr(draws, "prediction_ids", lambda *one: hashed.append(one) or prediction_ids(*one))
    challenge = Challenge(Version("4", "boosting-1", date(2024, 4, 1), {}), 0.3, date(2024, 4, 1))
    feedback = Feedback(exploration=0.05, control=0.1)
    both, alone = drawn(feedback, challenge, 2, 200).to_pandas(), drawn(feedback, None, 2, 200).to_pandas()

    assert len(hashed) == 2  # once for each of the two tables
    assert both[list(alone)].equals(alone)
    entities = prediction_ids("machines", pa.table({"machine": both["machine"].to_numpy()}))
    expected = ["challenger" if uniform("challenger 4", one) < 0.3 else "champion" for one in entities]
    assert list(both["arm"]) == expected
    assert set(zip(both["arm"], both["arm_propensity"], strict=True)) == {("challenger", 0.3), ("champion", 0.7)}
