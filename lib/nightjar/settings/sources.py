"""Settings of a source: where raw data lies, what shape it must have, and when its facts became known."""

from dataclasses import dataclass, field
from enum import Enum

from omegaconf import MISSING

from nightjar.settings.arrival import Arrival
from nightjar.settings.checks import (
    require,
    require_filled,
    require_names,
    require_no_twins,
    require_one_of,
)

BY, LONGEST_KEYS = "__by_", 150  # what stands before a layout's keys in its table's name, and their letters at most


class ColumnType(Enum):
    """The types a raw column can be declared with; texts are cast to them row by row."""

    STRING = "string"
    LONG = "bigint"
    DOUBLE = "double"
    BOOLEAN = "boolean"
    DATE = "date"
    TIMESTAMP = "timestamp"


class FileFormat(Enum):
    CSV = "csv"
    PARQUET = "parquet"


@dataclass
class File:
    """A raw file. A zip archive holding one file is read as that file.

    Attributes:
        package: Python package whose data folder holds the file; the package is located, never imported.
        path: path inside the package, or a local or object-store path when there is no package.
        null_text: the text that stands for a missing value in CSV, besides the empty text.
    """

    path: str = MISSING
    package: str | None = None
    format: FileFormat = FileFormat.CSV
    null_text: str = "NA"


@dataclass
class Column:
    """A raw column: its type and the values a row may hold. A row outside is refused into `quarantine`.

    What texts of a type look like, blanks around them aside:
    LONG: digits, with or without a sign.
    DOUBLE: digits, with or without a sign, a point and an exponent (`-1.5e3`); NaN, inf and infinity.
    BOOLEAN: true, false, t, f, yes, no, y, n, 1, 0, in capitals or not.
    DATE: `2024-03-31`.
    TIMESTAMP: `2024-03-31 06:00:00.123456`, with a T or a blank between, with or without a fraction, and then `Z`,
    `UTC`, an offset (`+02:00`, `+0200`, `+02`) or nothing; `2024-03-31 06:00`; a day alone, which is its midnight. With
    an offset it is that instant; without, and as a plain time in Parquet, it is read as UTC. If it is of another zone,
    let a derived column say so: `to_utc_timestamp(at, 'Europe/Paris')`. Nothing finer than a microsecond is taken
    (of Parquet's old INT96 it is cut off), and nothing outside the years 1 to 9999.

    In Parquet a value of another type is taken where it is exactly one of the declared type: 2.0 is a LONG, 1.7 is not;
    1 is a BOOLEAN, 0.5 is not; a timestamp at midnight is a DATE. Numbers are no instants: declare a LONG, and derive
    `timestamp_millis(at)`. Fractions become the nearest DOUBLE, whole numbers must be there exactly. What names of
    folders say (`day=2024-03-31`) is text.

    Attributes:
        type: the type.
        required: every row must have a value; NaN and infinities are none.
        minimum: of a number. A column with a bound has neither NaN nor infinities.
        maximum: likewise.
        levels: the values there are; empty: any.
    """

    type: ColumnType = MISSING
    required: bool = False
    minimum: float | None = None
    maximum: float | None = None
    levels: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Check that bounds are bounds."""
        if self.minimum is not None and self.maximum is not None:
            require(self.minimum <= self.maximum, "minimum", self.minimum, f"at most maximum={self.maximum}")
        numeric = self.type in (ColumnType.LONG, ColumnType.DOUBLE)
        bounded = self.minimum is not None or self.maximum is not None
        require(numeric or not bounded, "minimum/maximum", self.type.value, "a numeric column")


@dataclass
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

    file: File = MISSING
    key: str = MISSING
    file_key: str = MISSING
    types: dict[str, ColumnType] = field(default_factory=dict)
    columns: dict[str, str] = field(default_factory=dict)
    missing: dict[str, dict[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check that every new column has a type."""
        require_filled("columns", self.columns)
        require(set(self.types) == set(self.columns), "types", sorted(self.types), f"the names {sorted(self.columns)}")
        for values in self.missing.values():
            require_one_of("missing", values, self.columns, "lookup's columns")

    def file_columns(self) -> list[str]:
        """The columns of the file that are read, its key first."""
        return list(dict.fromkeys([self.file_key, *self.columns.values()]))


@dataclass
class Layout:
    """A second copy of a source's facts, laid out for joins by one key set; worth it for facts of millions.

    Attributes:
        keys: stored columns of the source, in the order that facts are sorted by.
        buckets: parts that tasks take one by one; facts and spine rows of one must fit a task's memory.
    """

    keys: list[str] = field(default_factory=list)
    buckets: int = 16

    def __post_init__(self) -> None:
        """Check that there are keys, which name its table, and buckets."""
        require_filled("keys", self.keys)
        require_names("keys", self.keys)
        require(len("_".join(self.keys)) <= LONGEST_KEYS, "keys", self.keys, f"at most {LONGEST_KEYS} letters together")
        require(self.buckets >= 1, "buckets", self.buckets, "at least 1")


@dataclass
class Source:
    """Raw data and how it becomes facts.

    Attributes:
        file: where the raw rows lie.
        columns: every column that is read, with its type and checks.
        lookups: columns brought from static files.
        derived: new column -> Spark SQL expression over the columns before it, row by row, in this order.
        where: Spark SQL condition; rows for which it is not true are no facts of this source (counted, not refused).
        checks: name -> Spark SQL condition over all columns that every fact must meet, or it is refused.
        key: columns that name a fact; together with `known_at`, and `sequence` if there is one, they are unique.
        event_time: column saying when the fact happened (an instant, TIMESTAMP).
        known_at: column saying when it could have been known (TIMESTAMP). Where it is null, and where there is none,
            that is `event_time`. A version that arrives on a later night than another is the newer one, whatever it
            states: corrections often keep their old clocks. Those of one night are ordered as they state.
        sequence: columns that order facts with equal `event_time` and `known_at`, and versions of one fact with equal
            `known_at`; the greatest is the latest. Without them, or where they are equal, the greatest key is.
        deleted: boolean column that marks a version of a fact as its deletion: from its `known_at` on there is no such
            fact, whatever key or `event_time` the earlier versions have. Like every row it needs key and `event_time`.
        keep: columns that are stored besides key, sequence and deleted; empty: all.
        refuse_above: share of refused rows above which the whole source is refused.
        arrival: what every night brings of it.
        layouts: name -> key set that facts are laid out for.
    """

    file: File = MISSING
    columns: dict[str, Column] = field(default_factory=dict)
    lookups: dict[str, Lookup] = field(default_factory=dict)
    derived: dict[str, str] = field(default_factory=dict)
    where: str | None = None
    checks: dict[str, str] = field(default_factory=dict)
    key: list[str] = field(default_factory=list)
    event_time: str = MISSING
    known_at: str | None = None
    sequence: list[str] = field(default_factory=list)
    deleted: str | None = None
    keep: list[str] = field(default_factory=list)
    refuse_above: float = 0.01
    arrival: Arrival = field(default_factory=Arrival)
    layouts: dict[str, Layout] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check that keys, clocks and kept columns exist."""
        require_filled("columns", self.columns)
        require_filled("key", self.key)
        require_names("lookups", self.lookups)
        require_names("layouts", self.layouts)
        names = self.column_names()
        plain = [*names, *(column for lookup in self.lookups.values() for column in lookup.file_columns())]
        for name in plain:
            require("." not in name and "`" not in name, "columns", name, "a name without dots and backticks")
        require_no_twins("columns", dict.fromkeys(names))
        require_one_of("key", self.key, names, "source's columns")
        require_one_of("keep", self.keep, names, "source's columns")
        require_one_of("event_time", [self.event_time], names, "source's columns")
        require_one_of("known_at", [self.known_at] if self.known_at else [], names, "source's columns")
        require_one_of("sequence", self.sequence, names, "source's columns")
        require_one_of("deleted", [self.deleted] if self.deleted else [], names, "source's columns")
        free = self.deleted not in [*self.key, *self.sequence]
        require(free, "deleted", self.deleted, "a column that is neither in key nor in sequence")
        before = list(self.columns)
        for name, lookup in self.lookups.items():
            require_one_of(f"lookups.{name}.key", [lookup.key], before, "columns there are before it")
            before += lookup.columns
        require(0 <= self.refuse_above <= 1, "refuse_above", self.refuse_above, "a share between 0 and 1")
        for name, layout in self.layouts.items():
            require_one_of(f"layouts.{name}.keys", layout.keys, self.stored_columns(), "source's stored columns")
        tables = ["_".join(layout.keys) for layout in self.layouts.values()]
        require(len(set(tables)) == len(tables), "layouts", tables, "other keys: they name a layout's table")
        clocks = {"event_time", "known_at", "stated_known_at", "ingested_on", "run_id", "retraction", "bucket"}
        reserved = clocks & {name.lower() for name in self.stored_columns()}
        require(not reserved, "columns", sorted(reserved), "names other than those of the stored clocks")

    def column_names(self) -> list[str]:
        """All columns a row has once lookups and derived columns are there."""
        looked_up = [name for lookup in self.lookups.values() for name in lookup.columns]
        return [*self.columns, *looked_up, *self.derived]

    def sql(self) -> dict[str, str]:
        """Key path within the source -> Spark SQL expression."""
        expressions = {f"derived.{name}": sql for name, sql in self.derived.items()}
        expressions |= {"where": self.where} if self.where else {}
        return expressions | {f"checks.{name}": sql for name, sql in self.checks.items()}

    def stored_columns(self) -> list[str]:
        """The columns that are stored, keys first, without the two clocks (those have names of their own)."""
        columns = self.keep or self.column_names()
        return list(dict.fromkeys([*self.key, *self.sequence, *([self.deleted] if self.deleted else []), *columns]))
