"""Settings of a source: where raw data lies, what shape it must have, and when its facts became known."""

from collections.abc import Iterator
from dataclasses import field
from typing import Annotated

from pydantic import Field

from nightjar.settings.arrival import Arrival
from nightjar.settings.checks import Issue, expect, expect_names, expect_no_twins, expect_one_of
from nightjar.settings.choices import Choice
from nightjar.settings.connections import CatalogueTable, Database, DeltaTable
from nightjar.settings.datasheet import Datasheet
from nightjar.settings.fields import Names, Real
from nightjar.settings.files import Dialect, File
from nightjar.settings.gates import Gate
from nightjar.settings.layouts import Layout
from nightjar.settings.repairs import Repair
from nightjar.settings.validation import settings

OF_RAW_ROWS = ("_file", "_malformed", "_place", "_raw", "_reasons", "_row", "_row_hash", "_stated_known_at")
"""Columns that raw rows have besides the declared ones."""
STAMPS = {"event_time", "known_at", "stated_known_at", "intake", "ingested_on", "run_id", "retraction", "bucket"}
"""Columns that stored facts have besides those of their source."""


class ColumnType(Choice):
    """The types a raw column can be declared with; texts are cast to them row by row."""

    STRING = "string"
    LONG = "bigint"
    DOUBLE = "double"
    BOOLEAN = "boolean"
    DATE = "date"
    TIMESTAMP = "timestamp"


@settings
class Column:
    """A raw column: its type and the values a row may hold. A row outside is refused into `quarantine`.

    What texts of a type look like, blanks around them aside:
    `long`: digits, with or without a sign.
    `double`: digits, with or without a sign, a point and an exponent (`-1.5e3`); NaN, inf and infinity.
    `boolean`: true, false, t, f, yes, no, y, n, 1, 0, in capitals or not.
    `date`: `2024-03-31`.
    `timestamp`: `2024-03-31 06:00:00.123456`, with a T or a blank between, with or without a fraction, and then `Z`,
    `UTC`, an offset (`+02:00`, `+0200`, `+02`) or nothing; `2024-03-31 06:00`; a day alone, which is its midnight. With
    an offset it is that instant; without, and as a plain time in Parquet, it is read as UTC, or as of `repair.zone`.
    Nothing finer than a microsecond is taken (of Parquet's old INT96 it is cut off), and nothing outside the years 1 to
    9999.

    In Parquet a value of another type is taken where it is exactly one of the declared type: 2.0 is a `long`, 1.7 is
    not; 1 is a `boolean`, 0.5 is not; a timestamp at midnight is a `date`. Numbers are no instants: declare a `long`,
    and derive `timestamp_millis(at)`. Fractions become the nearest `double`, whole numbers must be there exactly. What
    names of folders say (`day=2024-03-31`) is text.

    Attributes:
        type: what its texts, or the values of a Parquet file, are read as.
        required: every row must have a value; NaN and infinities are none.
        minimum (the column's): of a number. A column with a bound has neither NaN nor infinities.
        maximum (the column's): of a number, likewise.
        levels: the values there are; empty: any.
        repair: what is read in place of values that stand there.
    """

    type: ColumnType
    required: bool = False
    minimum: Real | None = None
    maximum: Real | None = None
    levels: list[str] = field(default_factory=list)
    repair: Repair = field(default_factory=Repair)

    def issues(self) -> Iterator[Issue]:
        """Whether bounds are bounds, of numbers, and repairs fit the type."""
        if self.minimum is not None and self.maximum is not None:
            yield from expect(self.minimum <= self.maximum, "minimum", self.minimum, f"at most maximum={self.maximum}")
        numeric = self.type in (ColumnType.LONG, ColumnType.DOUBLE)
        bounded = self.minimum is not None or self.maximum is not None
        yield from expect(numeric or not bounded, "minimum/maximum", self.type.word, "a numeric column")
        yield from self.repair.column_issues(self.type.word, self.minimum, self.maximum)


@settings
class Lookup:
    """Columns from a static file, brought to a source by one key column before derived columns are computed.

    Attributes:
        file: the static file; its key must be unique.
        key: column of the source.
        file_key: column of the file that equals `key`.
        types: new column of the source -> its type.
        columns: new column of the source -> column of the file.
        missing: key value -> {new column: value}, for keys that the file lacks and the project knows; texts as in
            `Column`.
    """

    file: File
    key: str
    file_key: str
    types: dict[str, ColumnType]
    columns: Annotated[dict[str, str], Field(min_length=1)]
    missing: dict[str, dict[str, str]] = field(default_factory=dict)

    def issues(self) -> Iterator[Issue]:
        """Whether every new column has a type, and values for missing keys are of new columns."""
        yield from expect(
            set(self.types) == set(self.columns), "types", sorted(self.types), f"the names {sorted(self.columns)}"
        )
        for values in self.missing.values():
            yield from expect_one_of("missing", values, self.columns, "lookup's columns")

    def file_columns(self) -> list[str]:
        """The columns of the file that are read, its key first."""
        return list(dict.fromkeys([self.file_key, *self.columns.values()]))


@settings
class Source:
    """Raw data and how it becomes facts.

    Attributes:
        file: files that the raw rows lie in. A source has one of `file`, `delta`, `catalogue` and `database`.
        delta: a Delta table.
        catalogue: a table of a Spark catalogue.
        database: a table or query of a database.
        columns: every column that is read, with its type and checks.
        lookups: columns brought from static files.
        derived: new column -> Spark SQL expression over the columns before it, row by row, in this order.
        where: Spark SQL condition; rows for which it is not true are no facts of this source (counted, not refused).
        checks: name -> Spark SQL condition over all columns that every fact must meet, or it is refused.
        key: columns that name a fact; together with `known_at`, and `sequence` if there is one, they are unique.
        event_time: column saying when the fact happened (an instant, `timestamp`).
        known_at: column saying when it could have been known (`timestamp`). Where it is null, and where there is none,
            that is `event_time`. A version that arrives on a later night than another is the newer one, whatever it
            states: corrections often keep their old clocks. Those of one night are ordered as they state.
        sequence: columns that order facts with equal `event_time` and `known_at`, and versions of one fact with equal
            `known_at`; the greatest is the latest. Without them, or where they are equal, the greatest key is.
        deleted: boolean column that marks a version of a fact as its deletion: from its `known_at` on there is no such
            fact, whatever key or `event_time` the earlier versions have. Like every row it needs key and `event_time`.
        keep: columns that are stored besides key, sequence and deleted; empty: all.
        near_duplicates: columns, such as name and street, that tell a fact from others. Of facts with different keys
            whose texts there differ in case, punctuation, white space or compatible letters (NFKC) alone, the first is
            stored: one that earlier nights have stored, else that known first, else that with the least key. The others
            are refused, and `repairs` names the first. Later versions of stored facts are stored, and a fact without
            text in one of the columns is compared with none.
        refuse_above (share): share of refused rows above which the whole source is refused.
        arrival: what every night brings of it at least, and what becomes of a night to which it brings less.
        gates: name -> what is expected of the new rows of a night beyond what columns and checks ask of each row.
        layouts: name -> a key set that facts are laid out for, beside the table of the source.
        datasheet: where the data come from, and what they may be used for.
    """

    file: File | None = None
    delta: DeltaTable | None = None
    catalogue: CatalogueTable | None = None
    database: Database | None = None
    columns: Annotated[dict[str, Column], Field(min_length=1)] = field(kw_only=True)
    lookups: dict[str, Lookup] = field(default_factory=dict)
    derived: dict[str, str] = field(default_factory=dict)
    where: str | None = None
    checks: dict[str, str] = field(default_factory=dict)
    key: Names = field(kw_only=True)
    event_time: str = field(kw_only=True)
    known_at: str | None = None
    sequence: list[str] = field(default_factory=list)
    deleted: str | None = None
    keep: list[str] = field(default_factory=list)
    near_duplicates: list[str] = field(default_factory=list)
    refuse_above: Annotated[Real, Field(ge=0, le=1)] = 0.01
    arrival: Arrival = field(default_factory=Arrival)
    gates: dict[str, Gate] = field(default_factory=dict)
    layouts: dict[str, Layout] = field(default_factory=dict)
    datasheet: Datasheet = field(default_factory=Datasheet)

    def issues(self) -> Iterator[Issue]:
        """Whether it lies in one place, names are plain, and keys, clocks and kept columns exist."""
        origins = {"file": self.file, "delta": self.delta, "catalogue": self.catalogue, "database": self.database}
        declared = [name for name, origin in origins.items() if origin is not None]
        yield from expect(len(declared) == 1, "file", declared, f"one of {', '.join(origins)}")
        if self.delta is not None:
            yield from self.delta.feed_issues(self.columns, self.key, self.sequence, self.known_at)
        for kind, one in (("catalogue", self.catalogue), ("database", self.database)):
            if one is not None and one.watermark is not None:
                types = {name: column.type.word for name, column in self.columns.items()}
                yield from one.watermark.column_issues(f"{kind}.watermark", types.get(one.watermark.column))
        yield from expect_names("lookups", self.lookups)
        yield from expect_names("layouts", self.layouts)
        yield from expect_names("gates", self.gates)
        names = self.column_names()
        plain = [*names, *(column for lookup in self.lookups.values() for column in lookup.file_columns())]
        for name in plain:
            yield from expect("." not in name and "`" not in name, "columns", name, "a name without dots and backticks")
        yield from expect_no_twins("columns", dict.fromkeys(names))
        for name in self.columns:
            yield from expect(name.lower() not in OF_RAW_ROWS, "columns", name, "another name: raw rows have it")
        yield from expect_one_of("key", self.key, names, "source's columns")
        yield from expect_one_of("keep", self.keep, names, "source's columns")
        yield from expect_one_of(
            "near_duplicates", self.near_duplicates, self.stored_columns(), "source's stored columns"
        )
        yield from expect_one_of("event_time", [self.event_time], names, "source's columns")
        yield from expect_one_of("known_at", [self.known_at] if self.known_at else [], names, "source's columns")
        yield from expect_one_of("sequence", self.sequence, names, "source's columns")
        yield from expect_one_of("deleted", [self.deleted] if self.deleted else [], names, "source's columns")
        free = self.deleted not in [*self.key, *self.sequence]
        yield from expect(free, "deleted", self.deleted, "a column that is neither in key nor in sequence")
        before = list(self.columns)
        for name, lookup in self.lookups.items():
            yield from expect_one_of(f"lookups.{name}.key", [lookup.key], before, "columns there are before it")
            before += lookup.columns
        for name, layout in self.layouts.items():
            yield from expect_one_of(
                f"layouts.{name}.keys", layout.keys, self.stored_columns(), "source's stored columns"
            )
        for name, gate in self.gates.items():
            yield from gate.column_issues(f"gates.{name}", names, self.stored_columns())
        tables = ["_".join(layout.keys) for layout in self.layouts.values()]
        yield from expect(len(set(tables)) == len(tables), "layouts", tables, "other keys: they name a layout's table")
        reserved = {name.lower() for name in self.stored_columns()} & STAMPS
        yield from expect(not reserved, "columns", sorted(reserved), "names other than those of the stored clocks")

    @property
    def origin(self) -> File | DeltaTable | CatalogueTable | Database:
        """Where the raw rows come from."""
        return next(one for one in (self.file, self.delta, self.catalogue, self.database) if one is not None)

    @property
    def dialect(self) -> Dialect:
        """How texts are written."""
        return Dialect() if self.file is None else self.file.dialect

    def column_names(self) -> list[str]:
        """All columns a row has once lookups and derived columns are there."""
        looked_up = [name for lookup in self.lookups.values() for name in lookup.columns]
        return [*self.columns, *looked_up, *self.derived]

    def sql(self) -> dict[str, str]:
        """Key path within the source -> Spark SQL expression."""
        expressions = {f"derived.{name}": sql for name, sql in self.derived.items()}
        expressions |= {"where": self.where} if self.where else {}
        expressions |= {f"checks.{name}": sql for name, sql in self.checks.items()}
        gates = {f"gates.{name}.expression": gate.expression for name, gate in self.gates.items()}
        return expressions | {path: sql for path, sql in gates.items() if sql is not None}

    def stored_columns(self) -> list[str]:
        """The columns that are stored, keys first, without the two clocks (those have names of their own)."""
        columns = self.keep or self.column_names()
        return list(dict.fromkeys([*self.key, *self.sequence, *([self.deleted] if self.deleted else []), *columns]))
