"""Tables and queries of PostgreSQL as items: all rows, or those that a watermark shows to be new."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pyspark.sql import DataFrame, SparkSession

from nightjar.errors import SourceError, restated
from nightjar.settings.connections import Database
from nightjar.settings.hints import hint
from nightjar.settings.sources import ColumnType
from nightjar.sources.connectors import passwords, postgresql, relation
from nightjar.sources.connectors.connector import Connector, Rows, not_staged, with_item
from nightjar.sources.connectors.postgresql import DATE, DRIVER, NUMBERS, TIMESTAMP, Snapshot, literal, quoted
from nightjar.sources.connectors.relation import EVERYTHING, Relation
from nightjar.sources.connectors.watermarks import Table
from nightjar.sources.formats.failures import require_columns
from nightjar.sources.items import Discovery, Entry, Item, Portion

_WATERMARKS = {
    ColumnType.LONG: (NUMBERS, "whole numbers"),
    ColumnType.DATE: (frozenset({DATE}), "dates"),
    ColumnType.TIMESTAMP: (frozenset({DATE, TIMESTAMP}), "timestamps"),
}
"""Type that a watermark's column is declared with -> types that it may have in the database, and what they are."""
_DIVISIBLE = (NUMBERS | {DATE, TIMESTAMP}, "whole numbers, dates or timestamps")
_TABLES = """
    SELECT table_schema || '.' || table_name FROM information_schema.tables
    WHERE table_schema NOT IN ('information_schema', 'pg_catalog')"""
_CREDENTIALS = "Correct {key}.user, or the password: {password}."
_AGAIN = "See whether the database runs and can be reached from here, and what its log says; then run the night again."
_ADVICE = {
    "08004": _CREDENTIALS,
    "22023": _AGAIN,  # the snapshot is gone
    "42501": "Let an owner GRANT SELECT on it, and USAGE on its schema, TO {user}.",
    "0A": "Correct {key}.{what}.",
    "22": "Correct {key}.{what}, or the rows there.",
    "28": _CREDENTIALS,
    "3D": "Correct {key}.url.",
    "42": "Correct {key}.{what}.",
}
"""How an SQLSTATE begins -> what to do."""


@dataclass
class DatabaseConnector(Connector):
    """A way to a table or query of PostgreSQL, see `Connector`. All that it reads is of one state of the database.

    It connects when it is first asked what there is: a rerun of what is staged needs no database.

    Attributes:
        spark: the session.
        database: its settings.
        table: what is read of it.
        columns: those that are read.
        relation: None: it is not connected.
        column_names: of all columns, once it has been.
    """

    spark: SparkSession
    database: Database
    table: Table
    columns: Sequence[str]
    relation: Relation | None = None
    column_names: Sequence[str] = ()
    is_repeatable = False
    is_lasting = False

    def discover(self, definition: str, read: Mapping[str, Entry]) -> Discovery:
        """All rows, or those from the greatest value that was read to the greatest there is."""
        watermark = self.table.watermark
        with restated(self.failure):
            opened = self._opened()
            greatest = None if watermark is None else opened.greatest(watermark.column)
        return self.table.discovery(definition, read, greatest)

    def names(self) -> Callable[[str], bool]:
        """What runs have read of the table."""
        return self.table.is_read

    def require_unchanged(self, item: Item) -> None:
        """Refuse it: who has read rows has staged them."""
        raise not_staged(item, self.table.source)

    def read(self, portions: Sequence[Portion]) -> Rows:
        """The rows within the items' bounds, each value as the text that PostgreSQL shows it in."""
        with restated(self.failure):
            opened = self._opened()
            return [with_item(self._read(opened, portion.item), self.columns, portion.item) for portion in portions]

    def columns_of(self, item: Item) -> Sequence[str]:  # noqa: ARG002
        """Those that the table or query had when it was opened."""
        return self.column_names

    def failure(self, error: BaseException) -> SourceError | None:
        """What an error says of the database; None: nothing."""
        failure = postgresql.failure(error)
        if failure is None:
            return None
        advice = next((words for state, words in _ADVICE.items() if failure.state.startswith(state)), _AGAIN).format(
            key=self._key,
            user=self.database.user,
            what="query" if self.database.table is None else "table",
            password=passwords.place(self.database.password),
        )
        return SourceError(
            f"Source {self.table.source}: {self.table.place} cannot be read by {self.database.user}: "
            f"{failure.message}. {advice} Nothing was written."
        )

    def close(self) -> None:
        """Let go of the state that is read."""
        if self.relation is not None:
            self.relation.snapshot.close()
            self.relation = None

    @property
    def _key(self) -> str:
        return f"project.sources.{self.table.source}.database"

    def _opened(self) -> Relation:
        """The table, as it is when a night first looks at it.

        Raises:
            SourceError: there is none, or its columns are not as declared.
        """
        if self.relation is None:
            if not postgresql.has_driver(self.spark):
                raise SourceError(
                    f"Source {self.table.source}: the Spark that this job was submitted with has no driver of "
                    "PostgreSQL. Submit with the spark-submit of the environment that nightjar setup has completed, or "
                    f"add --packages {postgresql.PACKAGE}. Nothing was written."
                )
            snapshot = postgresql.snapshot(self.spark, self.database.url, self._of_connection())
            try:
                self.relation = self._look(snapshot)
            finally:
                if self.relation is None:
                    snapshot.close()
        return self.relation

    def _of_connection(self) -> dict[str, str]:
        return postgresql.properties(self.database.user, passwords.read(self.database, self.table.source))

    def _look(self, snapshot: Snapshot) -> Relation:
        rows = f"({self.database.query}\n) AS query"  # its last line may be a comment
        if self.database.table is not None:
            rows = ".".join(quoted(part) for part in self.database.table.split("."))
            self._require_table(snapshot, rows, self.database.table)
        opened = relation.look(snapshot, rows)
        divided_by, watermark, kind = self.database.partition_column, self.table.watermark, self.table.kind
        needed = dict.fromkeys([*self.columns, *([divided_by] if divided_by else [])])
        self.column_names = [name for name, _ in opened.columns]
        require_columns(self.column_names, list(needed), self.table.place, self.table.source)
        if divided_by is not None:
            self._require_type(opened, "partition_column", divided_by, *_DIVISIBLE)
        if watermark is not None and kind is not None:
            self._require_type(opened, "watermark.column", watermark.column, *_WATERMARKS[kind])
        return opened

    def _require_table(self, snapshot: Snapshot, rows: str, name: str) -> None:
        if snapshot.texts(f"SELECT to_regclass({literal(rows)})::text") != [None]:
            return
        tables = [str(table) for table in snapshot.texts(_TABLES)]
        near = hint(name, tables if "." in name else [table.rpartition(".")[2] for table in tables])
        raise SourceError(
            f"Source {self.table.source}: {self.database.url.partition('?')[0]} has no table {name} that "
            f"{self.database.user} may see{near}. Correct {self._key}.table, in letters as PostgreSQL shows them. "
            "Nothing was written."
        )

    def _require_type(self, opened: Relation, key: str, column: str, types: frozenset[int], expected: str) -> None:
        if opened.type_of(column) not in types:
            raise SourceError(
                f"Source {self.table.source}: {self._key}.{key}: the column {column} of {self.table.place} is of "
                f"another type, expected {expected}. Name another column, or cast it in a query. Nothing was written."
            )

    def _read(self, opened: Relation, item: Item) -> DataFrame:
        condition, divided_by = self._condition(item), self.database.partition_column
        parts = [EVERYTHING]
        if divided_by is not None:
            parts = opened.ranges(divided_by, self.database.partitions, condition)
        options = {
            "driver": DRIVER,
            "fetchsize": str(self.database.fetch_size),
            "sessionInitStatement": opened.snapshot.initial_statements,
            # Texts compare otherwise in a database's collation than in Spark.
            "pushDownPredicate": "false",
        }
        texts = opened.select(self.columns, condition, divided_by)
        return self.spark.read.jdbc(
            self.database.url, texts, predicates=parts, properties=options | self._of_connection()
        )

    def _condition(self, item: Item) -> str:
        watermark, (least, greatest) = self.table.watermark, self.table.bounds(item)
        if watermark is None or greatest is None:
            return EVERYTHING
        # An overlap may lead below what the column's own type holds.
        cast = "::bigint" if self.table.kind is ColumnType.LONG else ""
        lower = None if least is None else f"{literal(least)}{cast}"
        return relation.within(watermark.column, lower, f"{literal(greatest)}{cast}")
