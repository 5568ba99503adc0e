"""The as-of join on Spark: passes over the spine, each with the facts that are joined where its rows then are.

All placements run the one kernel in `nightjar.asof`. The result can be stored without turning it into Spark's rows.
"""

from collections.abc import Iterator, Mapping, Sequence

import pyarrow as pa

from nightjar.asof import Clocks, Facts
from nightjar.joins import cobucketed, reading, shuffle
from nightjar.joins.exchange import Destination, exchanged
from nightjar.joins.planner import Planned, plan
from nightjar.joins.stored import StoredFacts, join_facts, output_schema
from nightjar.settings.environment import Placement
from nightjar.tables.rows import Rows, TaskFunction, merge_tables
from nightjar.tables.warehouse import Warehouse


def as_of_join(
    spine: Rows,
    warehouse: Warehouse,
    facts: Sequence[StoredFacts],
    clocks: Clocks,
    *,
    told: Mapping[str, Placement] | None = None,
    to: Destination | None = None,
) -> Rows:
    """The spine's rows with the features of each of the facts as of their prediction time.

    Args:
        spine: the rows.
        warehouse: where the fact tables lie; every executor must be able to read it.
        facts: what to join.
        clocks: which columns of the spine say what its rows may see, and whose days are meant.
        told: name of facts -> the placement they must have; the others are planned by size and layout.
        to: the tasks that shall have the result, by numbers of the spine's rows; None: where they then are.

    Raises:
        JoinError: see `nightjar.asof.join`.
    """
    planned = plan(warehouse, facts, told)
    return as_planned(spine, warehouse, planned, clocks, to=to)


def as_planned(
    spine: Rows,
    warehouse: Warehouse,
    planned: Sequence[Planned],
    clocks: Clocks,
    *,
    to: Destination | None = None,
) -> Rows:
    """The same, with placements that were chosen before.

    Raises:
        JoinError: see `nightjar.asof.join`.
    """
    schema = output_schema(spine.schema, [(one.facts, one.files.schema) for one in planned], clocks)
    rows = spine
    passes: list[shuffle.Pass | cobucketed.Pass] = [
        *shuffle.passes(warehouse, _placed(planned, Placement.SHUFFLE)),
        *cobucketed.passes(_placed(planned, Placement.CO_BUCKETED), spine, clocks.prediction_time),
    ]
    if to is not None and not passes:
        rows = exchanged(rows, to)  # before the join: the spine has fewer columns
    for step in passes:
        rows = step.joined(rows, clocks)
    broadcast = _placed(planned, Placement.BROADCAST)
    make = _with_broadcast(rows.make, broadcast, schema.names, clocks)
    rows = Rows(rows.task_input, make, schema)
    return exchanged(rows, to) if to is not None and passes else rows


def _placed(planned: Sequence[Planned], placement: Placement) -> list[Planned]:
    return [one for one in planned if one.placement is placement]


def _with_broadcast(
    make: TaskFunction, planned: Sequence[Planned], names: Sequence[str], clocks: Clocks
) -> TaskFunction:
    """What the last pass makes, with the facts that every task reads whole, its columns in the declared order."""

    def ordered(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
        for rows in make(batches):
            yield rows.select(list(names))

    def joined(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
        facts: list[tuple[StoredFacts, Facts]] = []
        for rows in merge_tables(make(batches)):  # all facts are gone through for each table, however small
            facts = facts or reading.whole(planned)
            yield join_facts(rows, facts, clocks).select(list(names))

    return joined if planned else ordered
