"""The as-of join on Spark: passes over the spine, each with the facts that are joined where its rows then are.

All placements run the one kernel in `nightjar.asof`. The last pass can store what it makes without turning it into
Spark's rows.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql.pandas.types import to_arrow_schema

from nightjar.asof import Facts
from nightjar.joins import cobucketed, reading, shuffle
from nightjar.joins.exchange import in_parts, merged
from nightjar.joins.joined import Joined
from nightjar.joins.planner import Planned, plan
from nightjar.joins.stored import StoredFacts, join_facts, output_schema
from nightjar.settings.environment import Placement
from nightjar.tables.sink import Making
from nightjar.tables.warehouse import Warehouse


def as_of_join(
    spine: DataFrame,
    warehouse: Warehouse,
    facts: Sequence[StoredFacts],
    *,
    prediction_time: str,
    known_by: str | None = None,
    told: Mapping[str, Placement] | None = None,
) -> Joined:
    """The spine's rows with the features of each of the facts as of their prediction time.

    Args:
        spine: the rows; `prediction_time` names one of its columns.
        warehouse: where the fact tables lie; every executor must be able to read it.
        facts: what to join.
        prediction_time: the spine's column with the instant up to which facts are usable.
        known_by: a spine column with a later bound on `known_at`; labels only.
        told: name of facts -> the placement they must have; the others are planned by size and layout.

    Raises:
        JoinError: see `nightjar.asof.join`.
    """
    arrow_spine = to_arrow_schema(spine.schema, timezone="UTC")
    schema = output_schema(warehouse, arrow_spine, facts, prediction_time)
    planned = plan(warehouse, facts, told)
    rows = spine
    for one in _placed(planned, Placement.SHUFFLE):
        rows = shuffle.joined(rows, warehouse, one, prediction_time, known_by)
    passes = cobucketed.passes(_placed(planned, Placement.CO_BUCKETED))
    rows = rows.select("*", *(one.share(prediction_time) for one in passes))
    joined = Joined(rows, in_parts, schema)
    for step in passes:
        joined = step.joined(joined, prediction_time, known_by)
    broadcast = _placed(planned, Placement.BROADCAST)
    return replace(joined, make=_with_broadcast(joined.make, broadcast, schema.names, prediction_time, known_by))


def _placed(planned: Sequence[Planned], placement: Placement) -> list[Planned]:
    return [one for one in planned if one.placement is placement]


def _with_broadcast(
    make: Making, planned: Sequence[Planned], names: Sequence[str], prediction_time: str, known_by: str | None
) -> Making:
    """What the last pass makes, with the facts that every task reads whole, its columns in the declared order."""

    def ordered(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
        for rows in make(batches):
            yield rows.select(list(names))

    def joined(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
        facts: list[tuple[StoredFacts, Facts]] = []
        for rows in merged(make(batches)):  # all facts are gone through for each table, however small
            facts = facts or reading.whole(planned)
            yield join_facts(rows, facts, prediction_time, known_by).select(list(names))

    return joined if planned else ordered
