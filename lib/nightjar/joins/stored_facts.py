"""Facts in tables of the warehouse, and the features to compute of them."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from nightjar.asof import Clocks, Facts, Latest, Windowed, join
from nightjar.asof.values import INSTANT, column_of, instants
from nightjar.durations import Length, duration_of
from nightjar.errors import JoinError
from nightjar.tables.layouts import EVENT_TIME, KNOWN_AT
from nightjar.timeline import shift


@dataclass(frozen=True)
class StoredFacts:
    """Facts in a table of the warehouse, at a pinned version.

    Attributes:
        name: the prefix of the features' names.
        table: name of the Delta table, with columns `event_time` and `known_at`.
        version: its Delta version.
        keys: spine column -> fact column.
        fact_id: columns that identify a fact; rows that share them are versions of it.
        features: what to compute.
        history: the greatest age of a fact that is used, inclusive; older ones give no feature and no matched clock,
            so that their files need not be read. None: all facts are used.
        layout: the key columns of the table's layout for these keys, in its order; None: there is none.
        sequence: columns that order facts with equal `event_time` and `known_at`.
        deleted: a boolean column that marks a version as a deletion of its fact; None: there are none.
    """

    name: str
    table: str
    version: int
    keys: Mapping[str, str]
    fact_id: tuple[str, ...]
    features: tuple[Latest | Windowed, ...]
    history: Length | None = None
    layout: tuple[str, ...] | None = None
    sequence: tuple[str, ...] = ()
    deleted: str | None = None

    def columns(self) -> set[str]:
        """Every column of the table that the join needs."""
        used = {feature.column for feature in self.features} | ({self.deleted} if self.deleted else set())
        return {*self.keys.values(), *self.fact_id, *self.sequence, *used, EVENT_TIME, KNOWN_AT}

    def to_facts(self, table: pa.Table, retraction: str | None = None) -> Facts:
        """The kernel's facts over rows that were read; `retraction` is their column that marks retractions."""
        features = tuple(self._within_history(feature) for feature in self.features)
        retraction_column = retraction if self.fact_id else None  # without versions there are no retractions
        if retraction_column is not None and self.deleted is not None:
            deleted: Any = table.column(self.deleted)
            ended = pc.or_(table.column(retraction_column), deleted.fill_null(False))
            table = table.set_column(table.column_names.index(retraction_column), retraction_column, ended)
        return Facts(
            self.name,
            table,
            dict(self.keys),
            EVENT_TIME,
            KNOWN_AT,
            self.fact_id,
            retraction_column or self.deleted,
            local_versions=retraction_column is not None,
            sequence=self.sequence,
            features=features,
        )

    def _within_history(self, feature: Latest | Windowed) -> Latest | Windowed:
        if isinstance(feature, Latest) and feature.lookback is None and self.history is not None:
            return replace(feature, lookback=self.history)
        return feature


def join_facts(spine: pa.Table, facts: Sequence[tuple[StoredFacts, Facts]], clocks: Clocks) -> pa.Table:
    """The kernel's join, without the matched clocks of facts that are older than their history.

    Raises:
        JoinError: the kernel's, with the table of the facts that it names.
    """
    with _translate_kernel_errors([stored for stored, _ in facts]):
        joined = join(
            spine,
            [kernel_facts for _, kernel_facts in facts],
            prediction_time=clocks.prediction_time,
            known_by=clocks.known_by,
            since=clocks.since,
            zone=clocks.zone,
        )
    for stored, _ in facts:
        if stored.history is None:
            continue
        matched = [f"{stored.name}__{clock}" for clock in (EVENT_TIME, KNOWN_AT)]
        times = instants(column_of(joined, clocks.prediction_time), f"spine, column {clocks.prediction_time!r}")
        oldest = pa.array(shift(times, duration_of(stored.history), clocks.zone, back=True)).cast(INSTANT)
        recent = pc.greater_equal(joined.column(matched[0]), oldest)
        for clock in matched:
            values = pc.if_else(recent, joined.column(clock), None)
            joined = joined.set_column(joined.column_names.index(clock), clock, values)
    return joined


def output_schema(spine: pa.Schema, facts: Sequence[tuple[StoredFacts, pa.Schema]], clocks: Clocks) -> pa.Schema:
    """The schema of the join's result, from a join of empty tables.

    Args:
        spine: the spine's schema.
        facts: the facts and the schemas of their tables.
        clocks: of the spine.

    Raises:
        JoinError: a definition does not fit the columns of its table; raised before any work.
    """
    empty_facts = [(stored, stored.to_facts(schema.empty_table())) for stored, schema in facts]
    return join_facts(spine.empty_table(), empty_facts, clocks).schema


@contextmanager
def _translate_kernel_errors(facts: Sequence[StoredFacts]) -> Iterator[None]:
    """Name the table of facts in the kernel's errors, which have only the facts' name."""
    try:
        yield
    except JoinError as error:
        tables = [
            f"The facts {stored.name!r} are those of table {stored.table}."
            for stored in facts
            if _mentions(error, stored)
        ]
        raise JoinError(" ".join([f"{error}.", *tables]) if tables else str(error)) from error


def _mentions(error: JoinError, facts: StoredFacts) -> bool:
    return f"facts {facts.name!r}" in str(error)
