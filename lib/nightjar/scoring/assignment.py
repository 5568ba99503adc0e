"""Which rows are to be acted on by their scores, and which are drawn so that nobody acts on them, with what chance."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from nightjar.settings.feedback import Feedback
from nightjar.tables.drawing import uniform
from nightjar.tables.predictions import ASSIGNMENT, BY_SCORE, CONTROL, EXPLORATION


def add_assignments(rows: pa.Table, entities: Sequence[str], feedback: Feedback) -> pa.Table:
    """The rows with `assignment` and `propensity`, the chance of that assignment; as they are where nothing is drawn.

    Hashes draw, so that a rerun draws the same rows, an entity in control stays there, and a greater share draws the
    rows of a smaller one and more.

    Args:
        rows: with `prediction_id`.
        entities: the identifier of each row's entity.
        feedback: the shares.
    """
    if not feedback.draws():
        return rows
    control, exploration = feedback.control, feedback.exploration
    chances = {CONTROL: control, EXPLORATION: (1 - control) * exploration, BY_SCORE: (1 - control) * (1 - exploration)}
    ids: list[Any] = rows["prediction_id"].to_pylist()
    assigned = [
        CONTROL
        if uniform(CONTROL, entity) < control
        else EXPLORATION
        if uniform(EXPLORATION, row) < exploration
        else BY_SCORE
        for entity, row in zip(entities, ids, strict=True)
    ]
    rows = rows.append_column(ASSIGNMENT, pa.array(assigned, pa.string()))
    return rows.append_column("propensity", pa.array([chances[one] for one in assigned], pa.float64()))
