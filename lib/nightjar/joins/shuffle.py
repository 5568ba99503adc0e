"""The as-of join with facts that have no layout: facts and spine are shuffled together by their keys.

Facts with the same spine columns as keys share one shuffle, and a table that is used twice is moved once. A task has
all facts and rows of its keys in memory: where one key has most facts, give them a layout, as only layouts are cut into
slices.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import TypeAlias

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

from nightjar.asof import Clocks
from nightjar.asof.values import Ints, column_of, plain
from nightjar.joins.exchange import Destination, ShuffleBlock, dispatch, messages_of, tasks_of_a_shuffle
from nightjar.joins.keys import bucket_of, keys_of
from nightjar.joins.planner import JoinPlan
from nightjar.joins.stored_facts import join_facts
from nightjar.tables import delta, layouts
from nightjar.tables.hashing import buckets_of
from nightjar.tables.layouts import RETRACTION
from nightjar.tables.rows import Rows, of_frame
from nightjar.tables.warehouse import Warehouse

FactSet: TypeAlias = tuple[str, int, tuple[str, ...], tuple[str, ...], tuple[str, ...]]
"""Facts that are moved once: table, version, columns that identify a fact, columns that order it, key columns."""


@dataclass(frozen=True)
class ShuffleStage:
    """The joins that share one shuffle of the spine: by the same spine columns and types.

    Attributes:
        warehouse: where the tables lie.
        plans: the joins.
    """

    warehouse: Warehouse
    plans: Sequence[JoinPlan]

    def join(self, rows: Rows, clocks: Clocks) -> Rows:
        """The rows, joined with these facts.

        Versions are resolved over the whole source first: a fact that moves leaves a retraction at its old place.
        """
        spark, plans = rows.task_input.sparkSession, self.plans
        keys, tasks = keys_of(plans[0], _fact_keys(plans[0])), tasks_of_a_shuffle(spark)
        tables = self._tables(spark)
        schemas = {name: table.schema for name, (_, table) in tables.items()}
        messages = reduce(
            DataFrame.union, (messages_of(table, _by_keys(key, tasks), name) for name, (key, table) in tables.items())
        )
        to = Destination(lambda rows: bucket_of(rows, keys, tasks), tasks)
        task_input, receive = dispatch(rows, to, messages)
        name_of = [(plan.facts, _name(_fact_set(plan))) for plan in plans]

        def make(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
            for block in receive(batches):
                facts = [
                    (stored_facts, stored_facts.to_facts(_facts_of(block, name, schemas[name]), RETRACTION))
                    for stored_facts, name in name_of
                ]
                yield join_facts(block.rows, facts, clocks)

        return Rows(task_input, make, rows.schema)

    def _tables(self, spark: SparkSession) -> dict[str, tuple[tuple[str, ...], Rows]]:
        """Name -> key columns and rows of the facts to move, with all columns that the joins need."""
        columns_of: dict[FactSet, set[str]] = {}
        for plan in self.plans:
            columns_of.setdefault(_fact_set(plan), set()).update(plan.facts.columns())
        tables = {}
        for fact_set, columns in columns_of.items():
            table, version, fact_id, sequence, keys = fact_set
            rows = delta.read(spark, self.warehouse, table, version).select(*sorted(columns))
            versions = layouts.with_retractions(rows, fact_id, sequence, keys, F.lit(True))
            tables[_name(fact_set)] = (keys, of_frame(versions))
        return tables


def stages(warehouse: Warehouse, plans: Sequence[JoinPlan]) -> list[ShuffleStage]:
    """One stage for each set of facts that can be joined together."""
    groups: dict[tuple[object, ...], list[JoinPlan]] = {}
    for plan in plans:
        key_types = tuple((name, key.kind) for name, key in keys_of(plan, _fact_keys(plan)).items())
        groups.setdefault(key_types, []).append(plan)
    return [ShuffleStage(warehouse, group) for group in groups.values()]


def _fact_keys(plan: JoinPlan) -> tuple[str, ...]:
    """The key columns of the facts, in the order of the names of the spine's columns."""
    return tuple(fact for _, fact in sorted(plan.facts.keys.items()))


def _fact_set(plan: JoinPlan) -> FactSet:
    facts = plan.facts
    return facts.table, facts.version, facts.fact_id, facts.sequence, _fact_keys(plan)


def _name(fact_set: FactSet) -> str:
    return repr(fact_set)


def _facts_of(block: ShuffleBlock, name: str, schema: pa.Schema) -> pa.Table:
    """The facts in a block, cast to their schema: Spark's instants have the zone of its session."""
    received = block.extras.get(name)
    return schema.empty_table() if received is None else received.cast(schema)


def _by_keys(keys: Sequence[str], tasks: int) -> Destination:
    def bucket(rows: pa.Table) -> Ints:
        return buckets_of([plain(column_of(rows, key)) for key in keys], tasks)

    return Destination(bucket, tasks)
