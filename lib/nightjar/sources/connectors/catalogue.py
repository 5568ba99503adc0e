"""Tables of a Spark catalogue as items: all rows, or those that a watermark shows to be new."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from pyspark.errors import PySparkException
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql.types import DateType, DecimalType, IntegralType, TimestampNTZType, TimestampType

from nightjar.errors import SourceError
from nightjar.settings.connections import Watermark
from nightjar.settings.sources import ColumnType
from nightjar.sources.connectors.connector import Connector, Rows, not_staged, require_types, with_item
from nightjar.sources.connectors.watermarks import Table
from nightjar.sources.formats.failures import require_columns
from nightjar.sources.items import Discovery, Entry, Item, Portion

_WATERMARKS: dict[ColumnType, tuple[type, ...]] = {
    ColumnType.LONG: (IntegralType, DecimalType),
    ColumnType.DATE: (DateType,),
    ColumnType.TIMESTAMP: (TimestampType, TimestampNTZType),
}
"""Declared type of a watermark -> types that compare as it does."""


@dataclass(frozen=True)
class CatalogueConnector(Connector):
    """A way to a table or view of a catalogue, see `Connector`. A rerun of what is staged needs no table.

    Attributes:
        spark: the session.
        table: what is read of it.
        columns: those that are read.
    """

    spark: SparkSession
    table: Table
    columns: Sequence[str]
    is_repeatable = False
    is_lasting = False

    @cached_property
    def rows(self) -> DataFrame:
        """All of its rows.

        Raises:
            SourceError: there is no such table, or its columns are not as declared.
        """
        table = self.table
        try:
            rows = self.spark.table(table.place)
        except PySparkException as error:
            raise SourceError(
                f"Source {table.source}: the table {table.place} cannot be read: {str(error).splitlines()[0]} Correct "
                f"project.sources.{table.source}.catalogue.table, or the catalogue's settings in environment.spark. "
                "Nothing was written."
            ) from error
        require_columns(rows.columns, self.columns, table.place, table.source)
        require_types(rows, self.columns, table.place, table.source)
        if table.watermark is not None and table.kind is not None:
            kind = rows.schema[table.watermark.column].dataType
            if not isinstance(kind, _WATERMARKS[table.kind]):
                raise SourceError(
                    f"Source {table.source}: the watermark, column {table.watermark.column} of {table.place}, is "
                    f"{kind.simpleString().upper()}, expected a {table.kind.word}. Name another column, or cast it in "
                    "a view. Nothing was written."
                )
        return rows

    def discover(self, definition: str, read: Mapping[str, Entry]) -> Discovery:
        """All rows, or those from the greatest value that was read to the greatest there is."""
        watermark, greatest = self.table.watermark, None
        if watermark is not None:
            (row,) = self.rows.agg(F.max(_column(watermark)).cast("string")).collect()
            greatest = row[0]
        return self.table.discovery(definition, read, greatest)

    def names(self) -> Callable[[str], bool]:
        """What runs have read of the table."""
        return self.table.is_read

    def require_unchanged(self, item: Item) -> None:
        """Refuse it: who has read rows has staged them."""
        raise not_staged(item, self.table.source)

    def read(self, portions: Sequence[Portion]) -> Rows:
        """The rows within the items' bounds."""
        return [with_item(self._within(portion.item), self.columns, portion.item) for portion in portions]

    def columns_of(self, item: Item) -> Sequence[str]:  # noqa: ARG002
        """Those that the table has by now."""
        return self.rows.columns

    def _within(self, item: Item) -> DataFrame:
        watermark, (least, greatest) = self.table.watermark, self.table.bounds(item)
        if watermark is None or greatest is None:
            return self.rows
        value, kind = _column(watermark), self.rows.schema[watermark.column].dataType
        condition = value <= F.lit(greatest).cast(kind)
        if least is not None:
            condition &= value >= F.lit(least).cast(kind)
        return self.rows.where(condition | value.isNull())


def _column(watermark: Watermark) -> Column:
    return F.col(f"`{watermark.column}`")
