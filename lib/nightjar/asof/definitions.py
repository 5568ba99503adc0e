"""The input of a point-in-time join: facts with their keys and clocks, and the features to compute from them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from nightjar.durations import Length, duration_of


@dataclass(frozen=True)
class Latest:
    """The column's value in the latest usable fact, called ``<facts>__<name or column>``.

    Attributes:
        column: a column of the facts, of any type; the feature keeps it.
        lookback: the greatest age of the value, inclusive: a text like ``"7d"``, days of the join's zone, or ``"12h"``,
            or a ``timedelta``, which is exact; None sets no bound.
        skip_nulls: fall back to the latest usable fact in which this column is not null.
        name: the feature's own name.

    Example:
        >>> Latest("temperature", lookback="2d").label
        'temperature'
    """

    column: str
    lookback: Length | None = None
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
    as given, a ``timedelta`` in the largest unit up to hours that divides it.

    Attributes:
        column: a column of the facts.
        aggregate: ``count``, ``sum``, ``mean``, ``std`` (of the sample), ``min``, ``max``, ``first``, ``last``,
            ``distinct`` or ``rate`` (the mean of a boolean).
        window: the length, more than zero: a text like ``"7d"``, days of the join's zone, or ``"12h"``, or a
            ``timedelta``, which is exact.
        name: the feature's own name.

    Example:
        >>> Windowed("cost", "mean", "7d").label
        'cost_mean_7d'
        >>> from datetime import timedelta
        >>> Windowed("cost", "mean", timedelta(hours=36)).label
        'cost_mean_36h'
    """

    column: str
    aggregate: str
    window: Length
    name: str | None = None

    @property
    def label(self) -> str:
        """The feature's name without that of the facts."""
        return self.name or f"{self.column}_{self.aggregate}_{duration_of(self.window)}"


@dataclass(frozen=True, eq=False)
class Facts:
    """One source of facts, the clocks that decide when each may be used, and the features to compute.

    Attributes:
        name: the prefix of every column that is computed from these facts.
        table: the facts, in any order.
        keys: columns that the spine has too, or a mapping from spine column to fact column. A null matches nothing.
        event_time: when the fact happened, a timestamp with a time zone. A fact without it is never usable.
        known_at: when the fact became known, a timestamp with a time zone; where null, and without the column, that
            is ``event_time``.
        fact_id: columns that identify a fact. Rows that share them are versions of it: at any instant only the one
            with the greatest ``known_at`` is valid (then by ``sequence``, then a living one before a deletion).
        deleted: a boolean column that marks a version as a deletion; it needs ``fact_id``.
        local_versions: whether a version that moves a fact to another key or ``event_time`` comes with a deletion at
            the old one. Then only facts of one key and ``event_time`` need be compared.
        sequence: columns that order facts with equal ``event_time`` and ``known_at``; the greatest is the latest.
        features: what to compute.

    Example:
        >>> table = pa.table({"patient": ["p1"], "at": pa.array([0], pa.timestamp("us", "UTC")), "cost": [12.5]})
        >>> visits = Facts("visits", table, keys={"person": "patient"}, event_time="at", features=[Latest("cost")])
        >>> visits.key_columns  # spine column -> fact column
        {'person': 'patient'}
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


@dataclass(frozen=True)
class Clocks:
    """The columns of the spine that decide which facts each of its rows may use.

    Attributes:
        prediction_time: the bound on ``event_time`` and ``known_at``.
        known_by: another bound on ``known_at``; None: the prediction time. For labels.
        since: windows begin after this instant; None: each has a length of its own. For labels.
        zone: the zone whose calendar days are counted in windows and lookbacks.
    """

    prediction_time: str
    known_by: str | None = None
    since: str | None = None
    zone: str = "UTC"

    def columns(self) -> list[str]:
        """The columns that are set."""
        return [name for name in (self.prediction_time, self.known_by, self.since) if name is not None]
