"""What columns hold: by the log of their table, and of features by the summaries of the newest night."""

from collections.abc import Mapping
from dataclasses import dataclass

from nightjar.report.catalogue.values import shown_range
from nightjar.report.reading import PinnedTables
from nightjar.tables.overview import ColumnBounds


@dataclass(frozen=True)
class Content:
    """What a column holds.

    Attributes:
        share: of rows without a value; None: nobody says.
        words: its least and greatest value; empty: nobody says.
    """

    share: float | None
    words: str


def by_log(bounds: ColumnBounds, rows: int) -> Content:
    """By the log of its table."""
    share = bounds.nulls / rows if rows and bounds.nulls is not None else None
    return Content(share, shown_range(bounds.least, bounds.greatest))


def read_night(tables: PinnedTables) -> Mapping[str, Content]:
    """Feature -> what it held on the newest night that was scored; none where no summaries are stored."""
    columns = ["column", "rows", "nulls", "least", "greatest", "run_date"]
    rows = tables.rows("inputs", columns)
    newest = max((row["run_date"] for row in rows), default=None)
    return {
        row["column"]: Content(
            row["nulls"] / row["rows"] if row["rows"] else None, shown_range(row["least"], row["greatest"])
        )
        for row in rows
        if row["run_date"] == newest
    }
