"""What is new in a table whose rows are told apart by a watermark: which values of it a night reads.

Intake holds a value as a number: a `bigint` is itself; a date or timestamp is microseconds since the beginning of the
year 1, in UTC. A number of 0 stands for the beginning.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from nightjar.durations import parse_duration
from nightjar.errors import SourceError
from nightjar.settings.connections import Watermark
from nightjar.settings.sources import ColumnType
from nightjar.sources.connectors.connector import last_entry
from nightjar.sources.items import Discovery, Entry, Item
from nightjar.timeline import earlier

ORIGIN = datetime(1, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
OF_RUN = " of run "  # of an item's name, between place and run


@dataclass(frozen=True)
class Table:
    """A table of which a night reads what is new.

    Attributes:
        source: name of the source.
        place: what the table is called.
        watermark: None: every night reads all rows.
        kind: type of the watermark's column.
        zone: the project's, of whose days the overlap may be.
        run_id: of the run.
    """

    source: str
    place: str
    watermark: Watermark | None
    kind: ColumnType | None
    zone: str
    run_id: str

    def is_read(self, item: str) -> bool:
        """Whether an item is what a run has read of the table."""
        return item.startswith(f"{self.place}{OF_RUN}")

    def discovery(self, definition: str, read: Mapping[str, Entry], greatest: str | None) -> Discovery:
        """The item that a night reads.

        Args:
            definition: hash of the source's settings.
            read: name -> last entry of what nights have read.
            greatest: value of the watermark that there is, as text; None: there is no watermark, or no value.
        """
        last, name, now = last_entry(read), f"{self.place}{OF_RUN}{self.run_id}", time.time_ns()
        item = Item(name, "all rows", 0, now)
        if self.watermark is not None:
            begins = last.item.size if last is not None and last.definition == definition else 0
            size = begins if greatest is None else max(begins, self._number(greatest))
            item = Item(name, f"{self.watermark.column} up to {greatest}", size, now, begins)
        return Discovery([item], {*read, name})

    def bounds(self, item: Item) -> tuple[str | None, str | None]:
        """The least and the greatest value that an item's rows have, as texts; None: there is no bound."""
        if self.watermark is None or not item.size:
            return None, None
        least = self._least(item.begins, self.watermark) if item.begins else None
        return least, self._text(item.size)

    def _least(self, begins: int, watermark: Watermark) -> str:
        """Where a night begins that goes on after a value: the overlap before it."""
        if watermark.overlap is None:
            return self._text(begins)
        if self.kind is ColumnType.LONG:
            return str(begins - int(watermark.overlap))
        moment = earlier(ORIGIN + begins * MICROSECOND, parse_duration(watermark.overlap), self.zone)
        return self._text((moment - ORIGIN) // MICROSECOND)

    def _number(self, text: str) -> int:
        """A value as a number.

        Raises:
            SourceError: it is none of its type.
        """
        try:
            if self.kind is ColumnType.LONG:
                return int(text)
            moment = datetime.fromisoformat(text)
        except ValueError as error:
            raise SourceError(
                f"Source {self.source}: the greatest value of the watermark in {self.place} is {text!r}, expected a "
                f"{self.kind}. Correct it there, or leave such rows out by a query or view. Nothing was written."
            ) from error
        return (moment.replace(tzinfo=moment.tzinfo or UTC) - ORIGIN) // MICROSECOND

    def _text(self, number: int) -> str:
        if self.kind is ColumnType.LONG:
            return str(number)
        moment = ORIGIN + number * MICROSECOND
        return moment.date().isoformat() if self.kind is ColumnType.DATE else moment.isoformat(" ")
