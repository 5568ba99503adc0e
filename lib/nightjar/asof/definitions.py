"""What a point-in-time join is asked: facts with their keys and clocks, and features made from them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import pyarrow as pa

from nightjar.timeline import format_duration, parse_duration


@dataclass(frozen=True)
class Latest:
    """The column's value in the latest usable fact, called ``<facts>__<name or column>``.

    Attributes:
        column: a column of the facts, of any type; the feature keeps it.
        lookback: the greatest age of the value, inclusive: a ``timedelta`` or a text like ``"7d"``; None sets no bound.
        skip_nulls: fall back to the latest usable fact in which this column is not null.
        name: the feature's own name.
    """

    column: str
    lookback: timedelta | str | None = None
    skip_nulls: bool = False
    name: str | None = None

    @property
    def label(self) -> str:
        """The feature's name without that of the facts."""
        return self.name or self.column


@dataclass(frozen=True)
class Windowed:
    """An aggregate of the column over usable facts with ``t - window < event_time <= t``; nulls are ignored.

    It is called ``<facts>__<name or column_aggregate_window>``, like ``visits__cost_mean_7d``; the window is written
    in the largest unit that divides it.

    Attributes:
        column: a column of the facts.
        aggregate: ``count``, ``sum``, ``mean``, ``std`` (of the sample), ``min``, ``max``, ``first``, ``last``,
            ``distinct`` or ``rate`` (the mean of a boolean).
        window: the length, more than zero: a ``timedelta`` or a text like ``"12h"``.
        name: the feature's own name.
    """

    column: str
    aggregate: str
    window: timedelta | str
    name: str | None = None

    @property
    def label(self) -> str:
        """The feature's name without that of the facts."""
        return self.name or f"{self.column}_{self.aggregate}_{format_duration(length(self.window))}"


@dataclass(frozen=True, eq=False)
class Facts:
    """One source of facts, the clocks that say when each may be used, and the features wanted from it.

    Attributes:
        name: the prefix of every column that comes from these facts.
        table: the facts, in any order.
        keys: columns that the spine has too, or a mapping from spine column to fact column. A null matches nothing.
        event_time: when it happened, a timestamp with a time zone. A fact without it is never usable.
        known_at: when it could be known, a timestamp with a time zone; where null, and without the column, that is
            ``event_time``.
        fact_id: columns that name a fact. Rows that share them are versions of it: at any instant only the one with
            the greatest ``known_at`` exists (then by ``sequence``, then a living one before a deletion).
        deleted: a boolean column that marks a version as a deletion; it needs ``fact_id``.
        local_versions: a version that stands at another key or ``event_time`` than the one it supersedes has left a
            deletion there. Then only facts of one key and ``event_time`` need be compared.
        sequence: columns that order facts with equal ``event_time`` and ``known_at``; the greatest is the latest.
        features: what to compute.
    """

    name: str
    table: pa.Table
    keys: Sequence[str] | Mapping[str, str]
    event_time: str
    known_at: str | None = None
    fact_id: Sequence[str] = ()
    deleted: str | None = None
    local_versions: bool = False
    sequence: Sequence[str] = ()
    features: Sequence[Latest | Windowed] = ()

    @property
    def key_columns(self) -> dict[str, str]:
        """Spine column -> fact column, in the declared order."""
        return dict(self.keys) if isinstance(self.keys, Mapping) else {key: key for key in self.keys}


def length(duration: timedelta | str) -> timedelta:
    """A duration given as such or as text.

    Raises:
        UsageError: the text is no duration.
    """
    return duration if isinstance(duration, timedelta) else parse_duration(duration)
