"""Where facts and spine meet: the placement of each source, chosen by size and layout, or as told."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nightjar.errors import JoinError
from nightjar.joins.stored import StoredFacts
from nightjar.settings.environment import Placement
from nightjar.tables import layouts, opening, scan
from nightjar.tables.layouts import Layout
from nightjar.tables.scan import Snapshot
from nightjar.tables.warehouse import Warehouse

log = logging.getLogger("nightjar.joins")


@dataclass(frozen=True)
class Planned:
    """Facts and where they are joined.

    Attributes:
        facts: what is asked.
        placement: how they come to the spine.
        files: what tasks read: the table, or its layout for the co-bucketed placement.
        layout: that layout.
        reason: why this placement.
    """

    facts: StoredFacts
    placement: Placement
    files: Snapshot
    layout: Layout | None
    reason: str


def plan(
    warehouse: Warehouse, facts: Sequence[StoredFacts], told: Mapping[str, Placement] | None = None
) -> list[Planned]:
    """The placement of each of the facts, which is logged.

    Args:
        warehouse: where the tables lie.
        facts: what is asked.
        told: name of the facts -> the placement they must have.

    Raises:
        JoinError: a placement that is told is not possible.
    """
    planned = opening.map_in_threads(lambda asked: _place(warehouse, asked, (told or {}).get(asked.name)), facts)
    for one in planned:
        log.info("join %s: %s, %s", one.facts.name, one.placement.value, one.reason)
    return planned


def _place(warehouse: Warehouse, asked: StoredFacts, told: Placement | None) -> Planned:
    layout, lacking = _layout(warehouse, asked)
    if told is Placement.CO_BUCKETED and layout is None:
        raise JoinError(f"facts {asked.name!r} cannot be joined co-bucketed: {lacking}")
    if layout is not None and (told is Placement.CO_BUCKETED or (told is None and layout.files.size > scan.SMALL)):
        return _co_bucketed(asked, layout)
    files = scan.snapshot(warehouse, asked.table, asked.version)
    size = _size(files)
    if told is Placement.BROADCAST and files.unreadable is not None:
        raise JoinError(
            f"facts {asked.name!r} cannot be broadcast: {files.unreadable}, which tasks do not read themselves"
        )
    is_small = files.size <= scan.SMALL and files.unreadable is None
    if told is Placement.BROADCAST or (told is None and is_small):
        return Planned(asked, Placement.BROADCAST, files, None, f"as told, {size}" if told else f"only {size}")
    if layout is not None and told is None:
        return _co_bucketed(asked, layout)
    return Planned(asked, Placement.SHUFFLE, files, None, f"as told, {size}" if told else f"{size}, {lacking}")


def _co_bucketed(asked: StoredFacts, layout: Layout) -> Planned:
    reason = f"{_size(layout.files)}, laid out by {', '.join(layout.keys)} in {layout.buckets} buckets"
    return Planned(asked, Placement.CO_BUCKETED, layout.files, layout, reason)


def _size(files: Snapshot) -> str:
    return f"{files.rows:,} rows in {files.size / 1e6:,.1f} MB"


def _layout(warehouse: Warehouse, asked: StoredFacts) -> tuple[Layout | None, str]:
    """The layout of the asked facts that tasks can read, or why there is none."""
    keys = ", ".join(asked.keys.values())
    found = layouts.find(warehouse, asked.table, asked.layout) if asked.layout else None
    if found is None:
        return None, f"{asked.table} has no layout by {keys}"
    if not layouts.reflects(warehouse, asked.table, found, asked.version):
        return None, f"its layout by {keys} reflects version {found.source_version}, not {asked.version}"
    unreadable = found.files.unreadable
    return (None, unreadable) if unreadable else (found, "")
