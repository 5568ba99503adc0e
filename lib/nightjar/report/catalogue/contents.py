"""What the catalogue says: every table, declared and live, and of every column what it means and is made of."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

import pyarrow as pa

from nightjar.expressions.lineage import Layer, Lineage, Step, TableColumn
from nightjar.expressions.project_lineage import lineage_of
from nightjar.masking.values import Masking, masking_of
from nightjar.report.catalogue.declared import declared_tables
from nightjar.report.catalogue.freshness import Freshness, Runs
from nightjar.report.catalogue.holding import Content, by_log, read_night
from nightjar.report.catalogue.reader import Reader, find_reader
from nightjar.report.catalogue.values import type_word
from nightjar.report.reading import PinnedTables
from nightjar.settings.layouts import BY
from nightjar.settings.project import Project
from nightjar.tables.overview import Overview, Unreadable, overviews
from nightjar.tables.source_definitions import source_table_name
from nightjar.tables.table import Column, Table
from nightjar.tables.warehouse import Warehouse


@dataclass(frozen=True)
class ListedColumn:
    """A column of a table.

    Attributes:
        type: in SQL's words; empty: nobody has said yet.
        comment: what the contract says of it.
        at: its place in the lineage; None: a run stamps it.
        step: how it is made; None: a run stamps it, or its table's comment says all.
        is_key: whether it is part of the table's key.
        is_live: whether the live table has it; of a table that is not there, True.
        is_sensitive: whether nobody is to see its values.
        nulls: the share of rows without a value, of a feature on the newest night; None: nobody says, or is to see it.
        range: its least and greatest value, in words, likewise; empty: nobody says.
    """

    name: str
    type: str
    comment: str
    at: TableColumn | None
    step: Step | None
    is_key: bool
    is_live: bool
    is_sensitive: bool
    nulls: float | None
    range: str


@dataclass(frozen=True)
class ListedTable:
    """A table.

    Attributes:
        definition: its contract.
        source: whose facts it holds; empty: of none.
        owner: who answers for it, and where to ask; empty: nobody has said.
        path: where it lies.
        live: what its log says; None: it is not there yet.
        problem: why it could not be opened; empty: it could.
    """

    definition: Table
    source: str
    owner: str
    path: str
    live: Overview | None
    problem: str
    freshness: Freshness
    columns: tuple[ListedColumn, ...]

    @property
    def name(self) -> str:
        """Of the table."""
        return self.definition.name


@dataclass(frozen=True)
class Catalogue:
    """What there is of a project.

    Attributes:
        groups: of tables: title -> tables.
        lineage: of all columns.
        reader: the model whose features these are; None: nothing scores yet.
        newest: the newest night; None: none has been run.
    """

    project: Project
    root: str
    groups: Mapping[str, tuple[ListedTable, ...]]
    lineage: Lineage
    reader: Reader | None
    newest: date | None

    def tables(self) -> list[ListedTable]:
        """All tables, in the order of the page."""
        return [table for tables in self.groups.values() for table in tables]


def read_catalogue(warehouse: Warehouse, project: Project) -> Catalogue:
    """Look at every table's log, and at the records of runs and models; no data file of other tables is read."""
    masking, groups = masking_of(project), declared_tables(project)
    live = overviews(warehouse, [one.name for tables in groups.values() for one in tables])
    versions = {name: one.version for name, one in live.items() if isinstance(one, Overview)}
    pinned = PinnedTables(warehouse, date.max, versions, masking=masking)
    reader, runs = find_reader(pinned), Runs(pinned)
    lineage = lineage_of(project, None if reader is None else reader.inputs)
    listing = _Listing(warehouse, project, lineage, masking, live, runs, read_night(pinned))
    listed = {title: tuple(map(listing.table, tables)) for title, tables in groups.items()}
    return Catalogue(project, warehouse.path("").rstrip("/"), listed, lineage, reader, runs.newest)


@dataclass(frozen=True)
class _Listing:
    warehouse: Warehouse
    project: Project
    lineage: Lineage
    masking: Masking
    live: Mapping[str, Overview | Unreadable]
    runs: Runs
    night: Mapping[str, Content]

    def table(self, definition: Table) -> ListedTable:
        """A table as the catalogue lists it."""
        live = self.live.get(definition.name)
        problem = live.problem if isinstance(live, Unreadable) else ""
        overview = live if isinstance(live, Overview) else None
        source = self._source_of(definition.name)
        freshness = self.runs.freshness(replace(definition, name=definition.name.split(BY)[0]))
        columns = tuple(self._column(definition, one, overview) for one in _columns(definition, overview))
        path = self.warehouse.path(definition.name)
        return ListedTable(definition, source, self._owner(source), path, overview, problem, freshness, columns)

    def _source_of(self, table: str) -> str:
        names = (name for name in self.project.sources if table.split(BY, maxsplit=1)[0] == source_table_name(name))
        return next(names, "")

    def _owner(self, source: str) -> str:
        """Of a source's tables who answers for the data, of others who answers for the models."""
        about = self.project.sources[source].datasheet if source else self.project.card
        return ", ".join(text for text in (about.owner, about.contact) if text)

    def _column(self, table: Table, column: Column, live: Overview | None) -> ListedColumn:
        is_sensitive = self.masking.hides(column.name)
        bounds = None if is_sensitive else self._bounds(table.name, column.name, live)
        at = self._place(table.name, column.name)
        return ListedColumn(
            column.name,
            self._type(table, column),
            column.comment,
            at,
            None if at is None else self.lineage.steps.get(at),
            column.name in table.key,
            live is None or column.name in live.schema.names,
            is_sensitive,
            bounds.share if bounds else None,
            bounds.words if bounds else "",
        )

    def _bounds(self, table: str, column: str, live: Overview | None) -> Content | None:
        """What a column holds: of a feature on the newest night, of others by the log of their table."""
        if table == "features" and column in self.night:
            return self.night[column]
        of_log = None if live is None else live.columns.get(column)
        return None if of_log is None or live is None else by_log(of_log, live.rows)

    def _type(self, table: Table, column: Column) -> str:
        """Of the live table; before there is one, that of the source's settings."""
        source = self.project.sources.get(self._source_of(table.name))
        if pa.types.is_null(column.type) and source is not None and column.name in source.columns:
            return source.columns[column.name].type.word
        return type_word(column.type)

    def _place(self, table: str, column: str) -> TableColumn | None:
        layers = {"features": Layer.FEATURES, "labels": Layer.LABELS, "scores": Layer.SCORES}
        source = self._source_of(table)
        if source:
            place = TableColumn(Layer.FACTS, source, column)
        elif table == "scores_latest":
            place = TableColumn(Layer.SCORES, "scores", column)
        elif table in layers:
            place = TableColumn(layers[table], table, column)
        else:
            return None
        return place if place in self.lineage.steps else None


def _columns(definition: Table, live: Overview | None) -> list[Column]:
    """Those of the contract with their live types, then those that only the live table has."""
    there = {} if live is None else {field.name: field for field in live.schema}
    declared = [
        replace(one, type=there[one.name].type) if one.name in there and pa.types.is_null(one.type) else one
        for one in definition.columns
    ]
    names = {one.name for one in declared}
    others = [Column(name, field.type, _comment(field)) for name, field in there.items() if name not in names]
    return [*declared, *others]


def _comment(field: "pa.Field[pa.DataType]") -> str:
    comment = (field.metadata or {}).get(b"comment", b"").decode()
    return f"{comment}; no longer declared" if comment else "no longer declared"
