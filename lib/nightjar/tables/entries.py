"""What the log of a Delta table says of its data files, held against what their names say."""

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
        rows: how many it holds.
        size: in bytes.
        partition: partition column -> value.
        least: column -> a lower bound of its values, where the file's writer left statistics that are whole.
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
        """Whether rows, size and partition are those that its name says."""
        said = checksums.of_name(self.path)
        values = {name: partition_text(value) for name, value in self.partition.items()}
        return said is None or said.entry == checksums.of_entry(self.rows, self.size, values)


def data_file(action: dict[str, Any]) -> DataFile:
    """What an action of the log says, as delta-rs gives it."""
    partition, least, greatest = (_prefixed(action, prefix) for prefix in ("partition.", "min.", "max."))
    least, greatest = ({name: value for name, value in of.items() if value is not None} for of in (least, greatest))
    said = checksums.of_name(action["path"])
    # Settings of the table can hide some bounds, damage can change them: what is not what was written is not used.
    if said is not None and said.bounds != checksums.of_bounds(least, greatest):
        least, greatest = {}, {}
    greatest = {name: _not_below(value) for name, value in greatest.items()}
    return DataFile(action["path"], action["num_records"] or 0, action["size_bytes"], partition, least, greatest)


def _prefixed(action: dict[str, Any], prefix: str) -> dict[str, Any]:
    return {name.removeprefix(prefix): value for name, value in action.items() if name.startswith(prefix)}


def _not_below(value: Any) -> Any:
    if not isinstance(value, datetime):
        return value
    return value + TRUNCATED if value < LAST - TRUNCATED else LAST
