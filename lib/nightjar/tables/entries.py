"""The data files of a Delta table as its log describes them, compared with the checksums in their names."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from nightjar.tables import checksums
from nightjar.tables.datafiles import partition_text

TRUNCATED = timedelta(milliseconds=1)  # Spark's statistics of instants are cut to milliseconds: the truth may be later
LAST = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class DataFile:
    """One live data file.

    Attributes:
        path: within the table's folder, as the log writes it.
        rows: their number.
        size: in bytes.
        partition: partition column -> value.
        least: column -> a lower bound of its values, where the file has undamaged statistics.
        greatest: column -> an upper bound.
    """

    path: str
    rows: int
    size: int
    partition: Mapping[str, Any]
    least: Mapping[str, Any]
    greatest: Mapping[str, Any]

    def may_hold(self, column: str, since: Any = None, until: Any = None) -> bool:
        """Whether a value from `since` to `until`, both inclusive, may be in here; true where nothing is known."""
        below = since is not None and column in self.greatest and self.greatest[column] < since
        above = until is not None and column in self.least and self.least[column] > until
        return not (below or above)

    def is_as_named(self) -> bool:
        """Whether rows, size and partition match the checksum in its name."""
        expected = checksums.of_name(self.path)
        values = {name: partition_text(value) for name, value in self.partition.items()}
        return expected is None or expected.entry == checksums.of_entry(self.rows, self.size, values)


def data_file(action: dict[str, Any]) -> DataFile:
    """The data file of an `add` action, as delta-rs returns it."""
    partition, least, greatest = dict[str, Any](), dict[str, Any](), dict[str, Any]()
    for name, value in action.items():
        kind, _, column = name.partition(".")
        if kind == "partition":
            partition[column] = value
        elif value is not None and kind in ("min", "max"):
            (least if kind == "min" else greatest)[column] = value
    expected = checksums.of_name(action["path"])
    # Settings of the table can hide some bounds, damage can change them: only bounds as they were written are used.
    if expected is not None and expected.bounds != checksums.of_bounds(least, greatest):
        least, greatest = {}, {}
    greatest = {name: _not_below(value) for name, value in greatest.items()}
    return DataFile(action["path"], action["num_records"] or 0, action["size_bytes"], partition, least, greatest)


def _not_below(value: Any) -> Any:
    if not isinstance(value, datetime):
        return value
    return value + TRUNCATED if value < LAST - TRUNCATED else LAST
