"""The as-of join with facts that are laid out for nothing: facts and spine are shuffled together by their keys.

Facts that are asked by the same spine columns share one shuffle, and a table that is asked twice is moved once. A task
holds all facts and rows of its keys: where one key has most of them, lay the facts out, as only layouts are cut.
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
from nightjar.joins.exchange import Destination, Parcel, dispatched, sent, tasks_of_a_shuffle
from nightjar.joins.keys import bucket_of, keys_of
from nightjar.joins.planner import Planned
from nightjar.joins.stored import join_facts
from nightjar.tables import delta, layouts
from nightjar.tables.hashing import buckets_of
from nightjar.tables.layouts import RETRACTION
from nightjar.tables.rows import Rows, of_frame
from nightjar.tables.warehouse import Warehouse

Held: TypeAlias = tuple[str, int, tuple[str, ...], tuple[str, ...], tuple[str, ...]]
"""What is moved at once: a table, its version, the columns that name a fact, those that order it, the key columns."""


@dataclass(frozen=True)
class Pass:
    """What can be joined by one move of the spine: facts that are asked by the same columns, of the same types.

    Attributes:
        warehouse: where the tables lie.
        planned: what is joined.
    """

    warehouse: Warehouse
    planned: Sequence[Planned]

    def joined(self, before: Rows, clocks: Clocks) -> Rows:
        """What was joined before, with these facts.

        Versions are resolved over the whole source first: what moves elsewhere leaves a retraction at its old place.
        """
        spark, planned = before.task_input.sparkSession, self.planned
        keys, tasks = keys_of(planned[0], _fact_keys(planned[0])), tasks_of_a_shuffle(spark)
        tables = self._tables(spark)
        schemas = {name: table.schema for name, (_, table) in tables.items()}
        beside = reduce(
            DataFrame.union, (sent(table, _by_keys(key, tasks), name) for name, (key, table) in tables.items())
        )
        to = Destination(lambda rows: bucket_of(rows, keys, tasks), tasks)
        given, opened = dispatched(before, to, beside)
        name_of = [(one.facts, _name(_held(one))) for one in planned]

        def make(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
            for parcel in opened(batches):
                facts = [
                    (asked, asked.asked(_facts_of(parcel, name, schemas[name]), RETRACTION)) for asked, name in name_of
                ]
                yield join_facts(parcel.rows, facts, clocks)

        return Rows(given, make, before.schema)

    def _tables(self, spark: SparkSession) -> dict[str, tuple[tuple[str, ...], Rows]]:
        """Name -> key columns and rows of what is moved beside the spine, with the columns that anyone asks for."""
        asked: dict[Held, set[str]] = {}
        for one in self.planned:
            asked.setdefault(_held(one), set()).update(one.facts.columns())
        moved = {}
        for held, columns in asked.items():
            table, version, fact_id, sequence, keys = held
            rows = delta.read(spark, self.warehouse, table, version).select(*sorted(columns))
            versions = layouts.with_retractions(rows, fact_id, sequence, keys, F.lit(True))
            moved[_name(held)] = (keys, of_frame(versions))
        return moved


def passes(warehouse: Warehouse, planned: Sequence[Planned]) -> list[Pass]:
    """One for each set of facts that can be joined in one pass."""
    alike: dict[tuple[object, ...], list[Planned]] = {}
    for one in planned:
        kinds = tuple((name, key.kind) for name, key in keys_of(one, _fact_keys(one)).items())
        alike.setdefault(kinds, []).append(one)
    return [Pass(warehouse, group) for group in alike.values()]


def _fact_keys(planned: Planned) -> tuple[str, ...]:
    """The key columns of the facts, in an order that only the names of the spine's columns decide."""
    return tuple(fact for _, fact in sorted(planned.facts.keys.items()))


def _held(planned: Planned) -> Held:
    asked = planned.facts
    return asked.table, asked.version, asked.fact_id, asked.sequence, _fact_keys(planned)


def _name(held: Held) -> str:
    return repr(held)


def _facts_of(parcel: Parcel, name: str, schema: pa.Schema) -> pa.Table:
    """The facts that came with a parcel; a session of another time zone hands out instants of that zone."""
    held = parcel.beside.get(name)
    return schema.empty_table() if held is None else held.cast(schema)


def _by_keys(keys: Sequence[str], tasks: int) -> Destination:
    def bucket(rows: pa.Table) -> Ints:
        return buckets_of([plain(column_of(rows, key)) for key in keys], tasks)

    return Destination(bucket, tasks)
