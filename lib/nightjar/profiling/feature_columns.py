"""Which columns of a raw file features are made of."""

import re
from collections.abc import Sequence

import numpy as np

from nightjar.profiling.columns import ColumnProfile, FileProfile
from nightjar.profiling.keys import names_something
from nightjar.settings.sources import ColumnType

MOST_MEASURES, MOST_LEVELS = 8, 50
_MEASURES = (ColumnType.LONG, ColumnType.DOUBLE, ColumnType.BOOLEAN, ColumnType.STRING)
_CALENDAR = re.compile(r"(?i)(year|month|quarter|week|weekday|day(_?of_?(week|month|year))?|hour|minute|second)s?")
"""Names of columns that repeat what a clock says."""


def feature_columns_of(
    profile: FileProfile, used: set[str], labels: Sequence[str]
) -> tuple[list[ColumnProfile], list[str]]:
    """Columns that features are made of, those with the fewest nulls, in the file's order; and those left over."""
    candidates = [column for column in profile.columns.values() if column.name not in used and _is_measure(column)]
    chosen = sorted(candidates, key=lambda column: (column.name not in labels, column.nulls))[:MOST_MEASURES]
    return [column for column in candidates if column in chosen], [one.name for one in candidates if one not in chosen]


def _is_measure(column: ColumnProfile) -> bool:
    if column.kind not in _MEASURES or column.distinct < 2 or _CALENDAR.fullmatch(column.name):
        return False
    if column.kind is ColumnType.STRING:
        return column.distinct <= MOST_LEVELS and column.distinct * 2 <= column.rows
    if column.kind is ColumnType.DOUBLE and not _is_small(column):
        return False
    return column.kind is not ColumnType.LONG or not names_something(column)


def _is_small(column: ColumnProfile) -> bool:
    """Whether models can take its values: no infinity, and none beyond float32."""
    largest = float(np.finfo(np.float32).max)
    return not column.infinite and (column.least is None or max(-column.least, column.greatest) <= largest)
