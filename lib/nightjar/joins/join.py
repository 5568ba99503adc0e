"""The as-of join on Spark: stages, each of which joins the spine with the facts that share a placement.

All placements run the one kernel in `nightjar.asof`. The result can be stored without converting it to Spark's rows.
"""

from collections.abc import Iterator, Mapping, Sequence

import pyarrow as pa

from nightjar.asof import Clocks, Facts
from nightjar.joins import cobucketed, reading, shuffle
from nightjar.joins.exchange import Destination, exchange_rows
from nightjar.joins.planner import JoinPlan, plan
from nightjar.joins.stored_facts import StoredFacts, join_facts, output_schema
from nightjar.settings.environment import Placement
from nightjar.tables.rows import Rows, TaskFunction, are_few, merge_tables
from nightjar.tables.warehouse import Warehouse


def as_of_join(
    spine: Rows,
    warehouse: Warehouse,
    facts: Sequence[StoredFacts],
    clocks: Clocks,
    *,
    placements: Mapping[str, Placement] | None = None,
    to: Destination | None = None,
) -> Rows:
    """The spine's rows with the features of each of the facts as of their prediction time.

    Args:
        spine: the rows.
        warehouse: where the fact tables lie; every executor must be able to read it.
        facts: what to join.
        clocks: the columns of the spine that limit what its rows may see, and the zone of local days.
        placements: name of facts -> their placement; that of the others is chosen by size and layout.
        to: the tasks that get the result, by numbers of the spine's rows; None: the tasks of the last stage.

    Raises:
        JoinError: see `nightjar.asof.join`.
    """
    plans = plan(warehouse, facts, placements)
    return join_with_plans(spine, warehouse, plans, clocks, to=to)


def join_with_plans(
    spine: Rows,
    warehouse: Warehouse,
    plans: Sequence[JoinPlan],
    clocks: Clocks,
    *,
    to: Destination | None = None,
) -> Rows:
    """The same, with plans that were made before.

    Raises:
        JoinError: see `nightjar.asof.join`.
    """
    schema = output_schema(spine.schema, [(join_plan.facts, join_plan.files.schema) for join_plan in plans], clocks)
    rows = spine
    stages: list[shuffle.ShuffleStage | cobucketed.CoBucketedStage] = [
        *shuffle.stages(warehouse, _with_placement(plans, Placement.SHUFFLE)),
        *cobucketed.stages(_with_placement(plans, Placement.CO_BUCKETED), spine, clocks.prediction_time),
    ]
    if to is not None and not stages:
        rows = exchange_rows(rows, to)  # before the join: the spine has fewer columns
    for stage in stages:
        rows = stage.join(rows, clocks)
    broadcast = _with_placement(plans, Placement.BROADCAST)
    make = _with_broadcast(rows.make, broadcast, schema.names, clocks, few_rows=are_few(rows.task_input))
    rows = Rows(rows.task_input, make, schema, by_tasks=rows.by_tasks or bool(stages))
    return exchange_rows(rows, to) if to is not None and stages else rows


def _with_placement(plans: Sequence[JoinPlan], placement: Placement) -> list[JoinPlan]:
    return [join_plan for join_plan in plans if join_plan.placement is placement]


def _with_broadcast(
    make: TaskFunction, plans: Sequence[JoinPlan], names: Sequence[str], clocks: Clocks, *, few_rows: bool
) -> TaskFunction:
    """The task of the last stage, joined with the facts that every task reads whole; columns in the declared order.

    Of few rows the keys are looked at first: most facts may be of others.
    """

    def order_columns(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
        for table in make(batches):
            yield table.select(list(names))

    def join_broadcast(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
        facts: list[tuple[StoredFacts, Facts]] = []
        for rows in merge_tables(make(batches)):  # the kernel goes through all facts for each table, however small
            if few_rows or not facts:
                facts = reading.read_whole(plans, rows if few_rows else None)
            yield join_facts(rows, facts, clocks).select(list(names))

    return join_broadcast if plans else order_columns
