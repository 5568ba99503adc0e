"""Settings of sources that are no files: Delta tables, tables of a Spark catalogue, tables of databases."""

import re
from collections.abc import Collection, Iterator, Sequence
from typing import Annotated

from pydantic import Field

from nightjar.durations import parse_duration
from nightjar.errors import NightjarError
from nightjar.settings.checks import Issue, expect
from nightjar.settings.fields import Count
from nightjar.settings.secrets import ADDRESS, HIDDEN
from nightjar.settings.validation import settings

POSTGRESQL = "jdbc:postgresql://"
_CREDENTIALS = re.compile(r"[?&](user|password|sslpassword)=", re.IGNORECASE)
_TABLE = re.compile(r"[^\s.;`\"']+(\.[^\s.;`\"']+){0,2}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@settings
class Watermark:
    """A column by which a night reads what is new: of each row it is at least what it was of rows written before.

    A night reads the rows from the greatest value that nights before have read, less the overlap, to the greatest there
    is when it starts; and those without a value, every night. Rows that are read twice are stored once.

    Attributes:
        column: one of the source's raw columns, a `timestamp`, a `date`, or a `bigint` that is greater than 0.
        overlap: how far behind the greatest value others may still appear, because a transaction was slow or clocks
            differ: a duration such as `2h`, or for a `bigint` a number. What appears later than that is never read.
    """

    column: str
    overlap: str | None = None

    def issues(self) -> Iterator[Issue]:
        """Whether the overlap is a number or a duration."""
        yield from expect(
            self.overlap is None or self.overlap.isdecimal() or _is_duration(self.overlap),
            "overlap",
            self.overlap,
            "a duration such as 2h, or a whole number",
        )

    def column_issues(self, field: str, kind: str | None) -> Iterator[Issue]:
        """Whether a column of a type, in the words of `ColumnType`, can be a watermark; None: there is none."""
        expected = "one of the source's columns that is a TIMESTAMP, a DATE or a LONG"
        yield from expect(kind in ("timestamp", "date", "long"), f"{field}.column", self.column, expected)
        fits = self.overlap is None or self.overlap.isdecimal() == (kind == "long")
        expected = "a whole number" if kind == "long" else "a duration such as 2h"
        yield from expect(fits, f"{field}.overlap", self.overlap, expected)


def _is_duration(text: str) -> bool:
    try:
        return bool(parse_duration(text))
    except NightjarError:
        return False


@settings
class DeltaTable:
    """A Delta table, read at the version that it has when a night starts.

    The first night reads all its rows, later ones those of data files that have come since; so of a table that is
    merged into, or overwritten, rows are read again that have not changed, and stored once. Rows that are deleted there
    stay facts. Where the table has a change feed, let the source declare `_change_type: STRING`: then each night reads
    the feed. Of rows of the first night it is `insert`, and later also `update_postimage` or `delete`, from which
    `deleted` can be derived: `_change_type = 'delete'`. Beside it `_commit_version: LONG` is declared as
    `sequence`, or `_commit_timestamp: TIMESTAMP` as `known_at`; the key is of raw columns.

    Attributes:
        path: folder of the table, or its place in an object store.
    """

    path: str

    def feed_issues(
        self, columns: Collection[str], key: Sequence[str], sequence: Sequence[str], known_at: str | None
    ) -> Iterator[Issue]:
        """Whether a source that reads the feed can order changes of one row, and tell what a commit has written."""
        if "_change_type" not in columns:
            return
        is_ordered = "_commit_version" in sequence or known_at == "_commit_timestamp"
        yield from expect(
            is_ordered, "sequence", list(sequence), "_commit_version, as changes of a row follow each other"
        )
        yield from expect(set(key) <= set(columns), "key", list(key), "raw columns where _change_type is declared")

    @property
    def place(self) -> str:
        """What messages call it."""
        return self.path


@settings
class CatalogueTable:
    """A table or view of a catalogue that Spark is told of by `environment.spark`, or of its own.

    Where it is a Delta table it is better read as one: give its folder as `delta.path`.

    Attributes:
        table: its name, such as `sales.orders` or `lake.sales.orders`.
        watermark: how a night knows what is new. None: every night reads all rows.
    """

    table: str
    watermark: Watermark | None = None

    def issues(self) -> Iterator[Issue]:
        """Whether the name is one."""
        expected = "a name of up to three parts, such as sales.orders"
        yield from expect(_TABLE.fullmatch(self.table) is not None, "table", self.table, expected)

    @property
    def place(self) -> str:
        """What messages call it."""
        return self.table


@settings
class SecretReference:
    """Where a secret is read from when it is needed; one of the two.

    Attributes:
        env: name of an environment variable.
        file: path of a file; a line end at its end is not part of the secret.
    """

    env: str | None = None
    file: str | None = None

    def issues(self) -> Iterator[Issue]:
        """Whether one place is named."""
        places = [one for one in (self.env, self.file) if one is not None]
        yield from expect(len(places) == 1, "env", self.env, "either env or file")
        is_name = self.env is None or _VARIABLE.fullmatch(self.env) is not None
        yield from expect(is_name, "env", HIDDEN, "the name of an environment variable, not the secret itself")


@settings
class Database:
    """A table or query of PostgreSQL, read by JDBC; all rows of a night are those of one moment.

    Each value is read as the text that PostgreSQL shows it in, in UTC, and then as `Column` says: `numeric` loses no
    digit, a `timestamp` without zone is UTC, and a row with a date of `infinity` or before the year 1 is refused. A
    `numeric` that is declared `long` must be shown without a fraction: declare 12.00 a `double`, or cast it in a query.

    Attributes:
        url: such as `jdbc:postgresql://db:5432/shop?sslmode=verify-full`, with any settings of the driver (pgJDBC) but
            user and password.
        user: who reads; the right to SELECT is enough.
        password: where the password is read from, at the moment at which it is needed. None: the server asks for none.
        table: name of a table or view, such as `public.orders`, in letters as PostgreSQL shows them.
        query: a SELECT in place of a table, without a semicolon.
        watermark: how a night knows what is new. None: every night reads all rows.
        partition_column: a column of whole numbers, dates or timestamps, best with an index, whose range is divided
            into parts of equal width, which tasks read side by side.
        partitions (tasks): how many parts, each read over a connection of its own.
        fetch_size (rows): how many are fetched at once, and lie in memory.
    """

    url: str
    user: str
    password: SecretReference | None = None
    table: str | None = None
    query: str | None = None
    watermark: Watermark | None = None
    partition_column: str | None = None
    partitions: Count = 1
    fetch_size: Annotated[Count, Field(le=1_000_000)] = 10_000

    def issues(self) -> Iterator[Issue]:
        """Whether it is one place, a table or a query, and holds no password."""
        is_url = self.url.startswith(POSTGRESQL) and not ADDRESS.search(self.url) and not _CREDENTIALS.search(self.url)
        shown = self.url.partition("?")[0] if ADDRESS.search(self.url) is None else POSTGRESQL
        yield from expect(is_url, "url", shown, f"{POSTGRESQL}HOST:PORT/DATABASE, without user and password")
        either = (self.table is None) != (self.query is None)
        yield from expect(either, "table", self.table, "either a table or a query")
        is_name = self.table is None or _TABLE.fullmatch(self.table) is not None
        yield from expect(is_name, "table", self.table, "a name of up to three parts, such as public.orders")
        is_query = self.query is None or ";" not in self.query
        yield from expect(is_query, "query", self.query, "one SELECT without a semicolon")
        divided = (self.partition_column is None) == (self.partitions == 1)
        yield from expect(divided, "partitions", self.partitions, "partition_column and partitions together")

    @property
    def place(self) -> str:
        """What messages call it."""
        return f"{self.table or 'the query'} in {self.url.partition('?')[0]}"
