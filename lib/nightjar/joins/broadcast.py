"""The as-of join with facts that are small enough for every task to read them whole.

Each task reads the columns it needs from a pinned Delta version with Arrow, once per source, and runs the kernel on
its share of the spine. Facts are neither shuffled nor turned into rows.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql.pandas.types import from_arrow_schema, to_arrow_schema

from nightjar.asof import Facts, Latest, Windowed, join
from nightjar.tables import arrow
from nightjar.tables.warehouse import Warehouse


@dataclass(frozen=True)
class StoredFacts:
    """Facts in a table of the warehouse, at a pinned version.

    Attributes:
        name: the prefix of the features' names.
        table: name of the Delta table, with columns `event_time` and `known_at`.
        version: its Delta version.
        keys: spine column -> fact column.
        fact_id: columns that name a fact; rows that share them are versions of it.
        features: what to compute.
    """

    name: str
    table: str
    version: int
    keys: Mapping[str, str]
    fact_id: tuple[str, ...]
    features: tuple[Latest | Windowed, ...]

    def columns(self) -> set[str]:
        """Every column of the table that the join needs."""
        used = {feature.column for feature in self.features}
        return {*self.keys.values(), *self.fact_id, *used, "event_time", "known_at"}


def output_schema(
    warehouse: Warehouse, spine: pa.Schema, facts: Sequence[StoredFacts], prediction_time: str
) -> pa.Schema:
    """The schema of the join's result, found by joining nothing with nothing.

    Raises:
        JoinError: a definition does not fit the columns of its table; said before any work.
    """
    empty = {stored.name: arrow.schema(warehouse, stored.table, stored.version).empty_table() for stored in facts}
    asked = [_facts(stored, empty[stored.name].select(sorted(stored.columns()))) for stored in facts]
    return join(spine.empty_table(), asked, prediction_time=prediction_time).schema


def as_of_join(
    spine: DataFrame,
    warehouse: Warehouse,
    facts: Sequence[StoredFacts],
    *,
    prediction_time: str,
    known_by: str | None = None,
) -> DataFrame:
    """The spine's rows with the features of each fact table as of their prediction time.

    Args:
        spine: the rows; `prediction_time` names one of its columns.
        warehouse: where the fact tables lie; every executor must be able to read it.
        facts: what to join.
        prediction_time: the spine's column with the instant up to which facts are usable.
        known_by: a spine column with a later bound on `known_at`; labels only.

    Raises:
        JoinError: see `nightjar.asof.join`.
    """
    asked = tuple(facts)
    arrow_spine = to_arrow_schema(spine.schema, timezone="UTC")
    schema = output_schema(warehouse, arrow_spine, asked, prediction_time)

    def join_task(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        rows = pa.Table.from_batches(batches, schema=arrow_spine) if batches else arrow_spine.empty_table()
        if not len(rows):
            return
        joined = join(rows, _read(warehouse, asked), prediction_time=prediction_time, known_by=known_by)
        yield from joined.combine_chunks().to_batches(max_chunksize=50_000)

    return spine.mapInArrow(join_task, from_arrow_schema(schema))


def _read(warehouse: Warehouse, facts: Sequence[StoredFacts]) -> list[Facts]:
    """Each table once, with the columns that any of its feature groups needs."""
    needed: dict[tuple[str, int], set[str]] = {}
    for stored in facts:
        needed.setdefault((stored.table, stored.version), set()).update(stored.columns())
    tables = {
        (table, version): arrow.read(warehouse, table, sorted(columns), at_version=version)
        for (table, version), columns in needed.items()
    }
    return [_facts(stored, tables[stored.table, stored.version]) for stored in facts]


def _facts(stored: StoredFacts, table: pa.Table) -> Facts:
    return Facts(
        stored.name,
        table,
        dict(stored.keys),
        "event_time",
        known_at="known_at",
        fact_id=stored.fact_id,
        features=stored.features,
    )
