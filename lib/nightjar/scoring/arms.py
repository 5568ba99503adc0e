"""Which entities a challenger serves: drawn by their hash, so that every run and every night draws the same."""

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from nightjar.registry.roles import Challenge
from nightjar.tables.drawing import uniform
from nightjar.tables.predictions import ARM, ARM_PROPENSITY, CHALLENGER_ROLE, CHAMPION_ROLE, SCORE, SERVED
from nightjar.tables.rows import TaskFunction


def add_arms(rows: pa.Table, entities: Sequence[str], challenge: Challenge) -> pa.Table:
    """The rows with `arm` and `arm_propensity`, which say who is to serve their entity.

    The hash is salted by the challenger's version, so that the entities of one challenge are no more likely than others
    to be those of the next. A greater share has the entities of a smaller one and more.

    Args:
        rows: of any columns.
        entities: the identifier of each row's entity.
        challenge: the challenger and its share.
    """
    purpose, share = f"{CHALLENGER_ROLE} {challenge.version.number}", challenge.share
    arms = [CHALLENGER_ROLE if uniform(purpose, one) < share else CHAMPION_ROLE for one in entities]
    chances = [share if arm == CHALLENGER_ROLE else 1 - share for arm in arms]
    assigned = rows.append_column(ARM, pa.array(arms, pa.string()))
    return assigned.append_column(ARM_PROPENSITY, pa.array(chances, pa.float64()))


def of_challenger(make: TaskFunction) -> TaskFunction:
    """The same task, whose rows say whether the challenger serves them: those of its arm that it could score."""

    def mark(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
        for rows in make(batches):
            if ARM in rows.column_names:
                is_own = pc.and_(pc.equal(rows[ARM], pa.scalar(CHALLENGER_ROLE)), pc.is_valid(rows[SCORE]))
            else:  # what it could not score was drawn nothing for
                is_own = pa.array([False] * len(rows))
            yield rows.append_column(SERVED, is_own)

    return mark


def of_champion(make: TaskFunction, unscored: Sequence[str]) -> TaskFunction:
    """The champion's rows as they are beside a challenger's: those that the challenger serves are not served, nor are
    those of a champion that somebody has stopped since they were stored.

    Args:
        make: makes the champion's rows, with their arms.
        unscored: ids of the rows that the challenger could not score, which the champion serves.
    """
    exceptions = pa.array(unscored, pa.string())

    def mark(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
        for rows in make(batches):
            is_exception = pc.is_in(rows["prediction_id"], value_set=exceptions)
            is_own = pc.or_(pc.equal(rows[ARM], pa.scalar(CHAMPION_ROLE)), is_exception)
            yield rows.set_column(rows.column_names.index(SERVED), SERVED, pc.and_(is_own, rows[SERVED]))

    return mark
