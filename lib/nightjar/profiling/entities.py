"""Whom, or what, the facts of a raw file are about: the key of an ACTIVE spine."""

import re
from collections.abc import Sequence

import numpy as np

from nightjar.asof.values import Ints
from nightjar.profiling.clocks import Clocks
from nightjar.profiling.columns import ColumnProfile, FileProfile
from nightjar.profiling.keys import names_something
from nightjar.profiling.remarks import Remark
from nightjar.settings.sources import ColumnType

LEAST_FACTS = 2
"""Facts that an entity has on average: of one with less there is nothing to learn."""
_ENTITY = re.compile(
    r"(?i)customer|client|user|member|patient|person|driver|rider|employee|account|household|machine|device|sensor|meter"
    r"|station|store|shop|site|branch|vehicle|asset|engine|product|item|article|ticker|symbol|vendor|supplier|merchant"
)


def entity_of(profile: FileProfile, key: Sequence[str], clocks: Clocks, day: Ints) -> tuple[list[str], Remark]:
    """The columns that name an entity; none where all facts are about one thing.

    Args:
        profile: what the file holds.
        key: the columns that name a fact.
        clocks: its clocks.
        day: the dates of its facts.
    """
    times = {clocks.event.column, *([clocks.known_at_clock.column] if clocks.known_at_clock else [])}
    rest = [name for name in key if name not in times]
    if rest and len(rest) < len(key) and all(_is_named(profile.columns[name]) for name in rest):
        return rest, Remark(f"what the key says beside {clocks.event.column}", is_open=True)
    if len(np.unique(day)) == len(day):
        return [], Remark("no date has more than one row: they are one series, of one thing", is_open=True)
    candidates = [column for column in profile.columns.values() if column.name not in times and _may_be(column)]
    if not candidates:
        return [], Remark("no column names things that come again: all rows are taken to be about one", is_open=True)
    candidates = sorted(candidates, key=lambda column: (_ENTITY.search(column.name) is None, -column.distinct))
    others = [column.name for column in candidates[1:]]
    each = f"{candidates[0].distinct:,} of them, with {profile.rows / candidates[0].distinct:.1f} rows each"
    return [candidates[0].name], Remark(
        f"{each}" + (f"; it may as well be {' or '.join(others)}" if others else ""), is_open=True
    )


def _may_be(column: ColumnProfile) -> bool:
    candidates = column.kind in (ColumnType.STRING, ColumnType.LONG) and _is_named(column)
    return candidates and not column.nulls and column.distinct > 1 and column.distinct * LEAST_FACTS <= column.rows


def _is_named(column: ColumnProfile) -> bool:
    return names_something(column) or _ENTITY.search(column.name) is not None
