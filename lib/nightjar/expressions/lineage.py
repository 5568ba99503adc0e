"""Lineage: which columns each column is made of, and what is made of it, from raw rows to the score."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property


class Layer(StrEnum):
    """What kind of thing has a column, in the order of the data."""

    RAW = "raw"
    LOOKUP = "lookup"
    FACTS = "facts"
    FEATURES = "features"
    LABELS = "labels"
    SCORES = "scores"


@dataclass(frozen=True, order=True)
class TableColumn:
    """A column of a project.

    Attributes:
        layer: of the thing that has it.
        place: the source; of a lookup's file `source.lookup`; else the table.
        name: of the column.
    """

    layer: Layer
    place: str
    name: str


@dataclass(frozen=True)
class Step:
    """How a column is made.

    Attributes:
        meaning: in words, or the expression.
        values: the columns that its values are made of.
        rows: those that decide of which rows: keys, clocks and conditions.
        is_certain: False: the expression was not read, and `values` are all columns that its text may name.
    """

    meaning: str
    values: tuple[TableColumn, ...] = ()
    rows: tuple[TableColumn, ...] = ()
    is_certain: bool = True


@dataclass(frozen=True)
class Lineage:
    """Every column of a project but those that runs stamp on rows; what one is made of stands before it."""

    steps: Mapping[TableColumn, Step]

    def above(self, column: TableColumn) -> list[TableColumn]:
        """All columns that its values are made of, the nearest first."""
        return _reach(column, lambda one: self.steps[one].values if one in self.steps else ())

    def below(self, column: TableColumn) -> list[TableColumn]:
        """All columns whose values are made of it, the nearest first."""
        return _reach(column, lambda one: self._users.get(one, ()))

    def raw(self, column: TableColumn) -> list[TableColumn]:
        """The columns of raw rows and of lookups' files that its values are made of."""
        return [one for one in [column, *self.above(column)] if one.layer in (Layer.RAW, Layer.LOOKUP)]

    def users(self, column: TableColumn) -> tuple[TableColumn, ...]:
        """The columns that are made of it directly."""
        return self._users.get(column, ())

    @cached_property
    def _users(self) -> Mapping[TableColumn, tuple[TableColumn, ...]]:
        users: dict[TableColumn, list[TableColumn]] = {}
        for column, step in self.steps.items():
            for one in step.values:
                users.setdefault(one, []).append(column)
        return {column: tuple(ones) for column, ones in users.items()}


def features(name: str) -> TableColumn:
    """A column of the feature table."""
    return TableColumn(Layer.FEATURES, "features", name)


def facts_column(source: str, name: str) -> TableColumn:
    """A column of a source's rows, stored or not."""
    return TableColumn(Layer.FACTS, source, name)


def _reach(start: TableColumn, neighbours: Callable[[TableColumn], Iterable[TableColumn]]) -> list[TableColumn]:
    """All that can be reached from here, the nearest first."""
    reached, ring = dict.fromkeys([start]), [start]
    while ring:
        beside = dict.fromkeys(one for here in ring for one in neighbours(here))
        ring = [one for one in beside if one not in reached]
        reached |= dict.fromkeys(ring)
    return list(reached)[1:]
