"""What is drawn of a row by hashes: whether anybody acts on its score, and who is to serve its entity."""

from collections.abc import Sequence

import pyarrow as pa

from nightjar.registry.roles import Challenge
from nightjar.scoring.arms import add_arms
from nightjar.scoring.assignment import add_assignments
from nightjar.scoring.identity import prediction_ids
from nightjar.settings.feedback import Feedback


def add_draws(
    rows: pa.Table, project: str, key: Sequence[str], feedback: Feedback, challenge: Challenge | None
) -> pa.Table:
    """The rows with what is drawn of them; as they are where nothing is. The entity of a row is hashed once for all.

    Args:
        rows: with the columns of the key, and `prediction_id`.
        project: name of the project.
        key: of the spine, which names the entity.
        feedback: the shares of rows that nobody acts on.
        challenge: the challenger and its share; None: there are no arms.
    """
    if challenge is None and not feedback.draws():
        return rows
    entities = prediction_ids(project, rows.select(list(key)))
    rows = add_assignments(rows, entities, feedback)
    return rows if challenge is None else add_arms(rows, entities, challenge)
