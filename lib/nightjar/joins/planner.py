"""Plan joins: the placement of each source, chosen by size and layout, or given."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from nightjar.errors import JoinError
from nightjar.joins.stored_facts import StoredFacts
from nightjar.settings.environment import Placement
from nightjar.tables import layouts, opening, scan
from nightjar.tables.layouts import Layout
from nightjar.tables.scan import Snapshot
from nightjar.tables.warehouse import Warehouse

log = logging.getLogger("nightjar.joins")


@dataclass(frozen=True)
class JoinPlan:
    """How facts are joined with the spine.

    Attributes:
        facts: the facts and their features.
        placement: where they are joined.
        files: that tasks read: of the table, or of its layout for the co-bucketed placement.
        layout: that layout.
        reason: why this placement.
    """

    facts: StoredFacts
    placement: Placement
    files: Snapshot
    layout: Layout | None
    reason: str


def plan(
    warehouse: Warehouse, facts: Sequence[StoredFacts], placements: Mapping[str, Placement] | None = None
) -> list[JoinPlan]:
    """The placement of each of the facts, which is logged.

    Args:
        warehouse: where the tables lie.
        facts: what to join.
        placements: name of facts -> their placement; that of the others is chosen.

    Raises:
        JoinError: a given placement is not possible.
    """
    tables = list(dict.fromkeys((stored_facts.table, stored_facts.version) for stored_facts in facts))
    places = opening.map_in_threads(lambda table: _of_table(warehouse, table, facts, placements or {}), tables)
    plan_of = {join_plan.facts.name: join_plan for place in places for join_plan in place}
    plans = [plan_of[stored_facts.name] for stored_facts in facts]
    for join_plan in plans:
        log.info("join %s: %s, %s", join_plan.facts.name, join_plan.placement.value, join_plan.reason)
    return plans


def _of_table(
    warehouse: Warehouse, table: tuple[str, int], facts: Sequence[StoredFacts], placements: Mapping[str, Placement]
) -> list[JoinPlan]:
    """The plans of the facts of one table, which is opened once."""
    files = cache(lambda: scan.snapshot(warehouse, *table))
    of_table = [stored_facts for stored_facts in facts if (stored_facts.table, stored_facts.version) == table]
    return [_place(warehouse, one, placements.get(one.name), files) for one in of_table]


def _place(
    warehouse: Warehouse, facts: StoredFacts, placement: Placement | None, snapshot: Callable[[], Snapshot]
) -> JoinPlan:
    layout, reason = _layout(warehouse, facts)
    if placement is Placement.CO_BUCKETED and layout is None:
        raise JoinError(f"facts {facts.name!r} cannot be joined co-bucketed: {reason}")
    if layout is not None and (
        placement is Placement.CO_BUCKETED or (placement is None and layout.files.size > scan.SMALL)
    ):
        return _co_bucketed(facts, layout)
    files = snapshot()
    size = _size(files)
    if placement is Placement.BROADCAST and files.unreadable is not None:
        raise JoinError(
            f"facts {facts.name!r} cannot be broadcast: {files.unreadable}, which tasks do not read themselves"
        )
    is_small = files.size <= scan.SMALL and files.unreadable is None
    if placement is Placement.BROADCAST or (placement is None and is_small):
        return JoinPlan(facts, Placement.BROADCAST, files, None, f"as set, {size}" if placement else f"only {size}")
    if layout is not None and placement is None:
        return _co_bucketed(facts, layout)
    return JoinPlan(facts, Placement.SHUFFLE, files, None, f"as set, {size}" if placement else f"{size}, {reason}")


def _co_bucketed(facts: StoredFacts, layout: Layout) -> JoinPlan:
    reason = f"{_size(layout.files)}, laid out by {', '.join(layout.keys)} in {layout.buckets} buckets"
    return JoinPlan(facts, Placement.CO_BUCKETED, layout.files, layout, reason)


def _size(files: Snapshot) -> str:
    return f"{files.rows:,} rows in {files.size / 1e6:,.1f} MB"


def _layout(warehouse: Warehouse, facts: StoredFacts) -> tuple[Layout | None, str]:
    """The layout of the facts that tasks can read, or why there is none."""
    keys = ", ".join(facts.keys.values())
    layout = layouts.find(warehouse, facts.table, facts.layout) if facts.layout else None
    if layout is None:
        return None, f"{facts.table} has no layout by {keys}"
    if not layouts.reflects(warehouse, facts.table, layout, facts.version):
        return None, f"its layout by {keys} reflects version {layout.source_version}, not {facts.version}"
    unreadable = layout.files.unreadable
    return (None, unreadable) if unreadable else (layout, "")
