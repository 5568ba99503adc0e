"""What every connector does: see which items there are, and read the raw rows of some."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from nightjar.errors import SourceError
from nightjar.sources.formats.parquet import READ
from nightjar.sources.formats.provenance import FILE, MALFORMED
from nightjar.sources.items import Discovery, Entry, Item, Portion

Rows = Sequence[DataFrame]


class Connector(ABC):
    """A way to raw rows, of one source and night.

    Attributes:
        is_repeatable: whether an item that a night has read can be read again as it was, where it lies. If not, its
            rows are staged, and a rerun reads them from there; each item has a name of its own then.
    """

    is_repeatable: bool

    @property
    @abstractmethod
    def is_lasting(self) -> bool:
        """Whether items are expected to stay as they are, so that their rows need no staging."""

    @abstractmethod
    def discover(self, definition: str, read: Mapping[str, Entry]) -> Discovery:
        """The items that are new to a night.

        Args:
            definition: hash of the source's settings.
            read: name -> the last entry of each item that nights have read.

        Raises:
            SourceError: there is nothing, it is not as declared, or has changed that may not.
        """

    @abstractmethod
    def names(self) -> Callable[[str], bool]:
        """A function that says whether an item, there or not, is one that the settings name."""

    @abstractmethod
    def require_unchanged(self, item: Item) -> None:
        """Refuse an item that is to be read again, as it was, and is not.

        Raises:
            SourceError: it is gone, or differs.
        """

    @abstractmethod
    def read(self, portions: Sequence[Portion]) -> Rows:
        """Raw rows of items where they lie: the declared columns, `_malformed` and `_file`, their item's name.

        Raises:
            SourceError: one cannot be read, or is not as declared.
        """

    def columns_of(self, item: Item) -> Sequence[str] | None:  # noqa: ARG002
        """The names of all columns of an item that has been read, also of those that are not; None: nobody says so."""
        return None

    def failure(self, error: BaseException) -> SourceError | None:  # noqa: ARG002
        """What an error of Spark, which reads rows, says of the place that they come from.

        None: nothing, as where Spark names the file or table itself.
        """
        return None

    def close(self) -> None:  # noqa: B027  (most have nothing open)
        """Let go of what was opened; rows that have been read are staged by then."""


def with_item(rows: DataFrame, columns: Sequence[str], item: Item) -> DataFrame:
    """Rows of a table as raw rows of an item."""
    plain = [F.col(f"`{name}`") for name in columns]
    return rows.select(*plain, F.lit(None).cast("string").alias(MALFORMED), F.lit(item.name).alias(FILE))


def last_entry(read: Mapping[str, Entry]) -> Entry | None:
    """The entry of what was read last, of items that continue one another."""
    return max(read.values(), key=lambda entry: (entry.run_date, entry.item.size), default=None)


def not_staged(item: Item, source: str) -> SourceError:
    """The error for an item whose rows should be staged."""
    return SourceError(
        f"Source {source}: the rows of {item.name}, which an earlier run has read, are not staged. Put the staged rows "
        "back from a backup to run this night. Nothing was written."
    )


def require_types(rows: DataFrame, columns: Sequence[str], place: str, source: str) -> None:
    """Refuse a table with columns of types that are not read.

    Raises:
        SourceError: it has some.
    """
    for name in columns:
        kind = rows.schema[name].dataType
        if not isinstance(kind, READ):
            raise SourceError(
                f"Source {source}: the column {name} of {place} is {kind.simpleString().upper()}, which is not read; "
                "expected texts, numbers, booleans, dates or timestamps. Write it as one of these, or leave it out of "
                "the source's columns. Nothing was written."
            )
