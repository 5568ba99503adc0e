"""Delta tables as items: the rows, or the changes, from one version to the next."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

from nightjar.errors import SourceError, TableError
from nightjar.settings.connections import DeltaTable
from nightjar.sources.connectors.connector import Connector, Rows, last_entry, not_staged, require_types, with_item
from nightjar.sources.formats.failures import require_columns
from nightjar.sources.items import Discovery, Entry, Item, Portion
from nightjar.tables import foreign

CHANGE, NUMBER, TIME = "_change_type", "_commit_version", "_commit_timestamp"
OF_FEED = (CHANGE, NUMBER, TIME)
BEFORE = "update_preimage"
VERSIONS = " versions "  # of an item's name, between folder and numbers


@dataclass(frozen=True)
class DeltaConnector(Connector):
    """A way to a Delta table, see `Connector`. A rerun of what is staged needs no table.

    Attributes:
        spark: the session.
        table: settings of the table.
        source: name of the source.
        columns: those that are read.
        key: columns that name a fact.
    """

    spark: SparkSession
    table: DeltaTable
    source: str
    columns: Sequence[str]
    key: Sequence[str]
    is_repeatable = False
    is_lasting = False

    @cached_property
    def version(self) -> foreign.Version:
        """The table as it is when the night first looks at it.

        Raises:
            SourceError: there is none, or it cannot be opened.
        """
        try:
            return foreign.latest(self.table.path)
        except TableError as error:
            raise SourceError(
                f"Source {self.source}: {str(error).rstrip('.')}. Correct project.sources.{self.source}.delta.path, or "
                "the table. Nothing was written."
            ) from error

    def discover(self, definition: str, read: Mapping[str, Entry]) -> Discovery:
        """The versions that have come since the last entry; all of them after other settings, or of another table."""
        version, of_feed = self.version, self._of_feed()
        if of_feed and not version.has_feed:
            raise SourceError(
                f"Source {self.source}: {version.folder} has no change feed, which gives {', '.join(of_feed)}. Switch "
                f"it on (ALTER TABLE ... SET TBLPROPERTIES ('{foreign.FEED}' = 'true')), or do not declare them. "
                "Nothing was written."
            )
        require_columns([*version.columns, *of_feed], self.columns, version.folder, self.source)
        last = last_entry(read)
        is_next = last is not None and (last.definition, last.item.digest) == (definition, version.id)
        begins = last.item.size if last is not None and is_next else 0
        if begins > version.number + 1:
            raise SourceError(
                f"Source {self.source}: {version.folder} is at version {version.number}, but nights have read it up to "
                f"version {begins - 1}: it was put back to an older state, and what comes then would be missed. Bring "
                "the table back, or write it anew in its place. Nothing was written."
            )
        if begins > version.number:
            return Discovery([], set(read))
        name = f"{version.folder}{VERSIONS}{begins} to {version.number}"
        item = Item(name, version.id, version.number + 1, version.modified * 1_000_000, begins)
        return Discovery([item], {*read, name})

    def names(self) -> Callable[[str], bool]:
        """Versions of the table, and of those that were in its place before."""
        return lambda item: item.startswith(f"{foreign.folder_of(self.table.path)}{VERSIONS}")

    def require_unchanged(self, item: Item) -> None:
        """Refuse it: who has read a version has staged its rows."""
        raise not_staged(item, self.source)

    def read(self, portions: Sequence[Portion]) -> Rows:
        """The rows of data files that are new, or the changes."""
        return [self._read(portion.item) for portion in portions]

    def columns_of(self, item: Item) -> Sequence[str]:  # noqa: ARG002
        """Those that the table has by now."""
        return self.version.columns

    def _read(self, item: Item) -> DataFrame:
        since = item.begins - 1 if item.begins else None
        try:
            rows = self._changes(since) if since is not None and self._of_feed() else self._rows(since)
        except TableError as error:
            raise SourceError(f"Source {self.source}: {error}") from error
        require_types(rows, self.columns, self.version.folder, self.source)
        return with_item(rows, self.columns, item)

    def _of_feed(self) -> list[str]:
        return [name for name in OF_FEED if name in self.columns]

    def _rows(self, since: int | None) -> DataFrame:
        rows = foreign.read(self.spark, self.version, since)
        moment = F.timestamp_millis(F.lit(self.version.modified))
        of_feed = {CHANGE: F.lit("insert"), NUMBER: F.lit(self.version.number).cast("bigint"), TIME: moment}
        return rows.withColumns({name: of_feed[name] for name in self._of_feed()})

    def _changes(self, since: int) -> DataFrame:
        """The changes, without the deletion of a key that the same commit writes.

        Who overwrites a table deletes and inserts every row in one commit, and who updates a key deletes the old one.

        Raises:
            TableError: the feed does not go back so far.
        """
        changes = foreign.read_changes(self.spark, self.version, since)
        changes = changes.withColumn(CHANGE, F.when(F.col(CHANGE) == BEFORE, "delete").otherwise(F.col(CHANGE)))
        written, deleted = (changes.where((F.col(CHANGE) == "delete") == is_deleted) for is_deleted in (False, True))
        if CHANGE not in self.columns:
            return written
        same = [*self.key, NUMBER]
        deleted = deleted.join(written.select(*same).distinct(), same, "left_anti").select(*changes.columns)
        return written.unionByName(deleted)
