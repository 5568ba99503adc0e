"""What models were trained on, so that it can be read as long as one of them is in use."""

from pathlib import Path

from nightjar.registry import artifacts, events, tracking
from nightjar.tables.warehouse import Warehouse


def versions(warehouse: Warehouse, home: Path) -> dict[str, set[int]]:
    """Table -> the Delta versions that the models which hold an alias were trained on.

    Raises:
        ModelError: a model's artifact cannot be fetched or read.
    """
    cited: dict[str, set[int]] = {}
    for holder in events.holders(warehouse):
        manifest = artifacts.read_manifest(tracking.fetch(home, warehouse.project, holder.number))
        for table, version in manifest.data.items():
            cited.setdefault(table, set()).add(version)
    return cited
