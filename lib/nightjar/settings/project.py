"""Settings of a project: its dates, sources, spine, label and features."""

from dataclasses import dataclass, field
from enum import Enum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from omegaconf import MISSING

from nightjar.settings.checks import (
    require,
    require_date,
    require_duration,
    require_filled,
    require_known,
    require_length,
)
from nightjar.settings.sources import Source
from nightjar.timeline import format_duration, parse_duration


class FeatureKind(Enum):
    LATEST = "latest"
    WINDOW = "window"


class Aggregate(Enum):
    COUNT = "count"
    SUM = "sum"
    MEAN = "mean"
    STD = "std"
    MIN = "min"
    MAX = "max"
    FIRST = "first"
    LAST = "last"
    DISTINCT = "distinct"
    RATE = "rate"


@dataclass
class Feature:
    """One feature of a group, or one per window.

    Attributes:
        kind: `latest` (the last usable fact's value) or `window` (an aggregate over a sliding window).
        column: column of the group's source.
        lookback: for `latest`: the greatest age of the value used, such as "30d".
        skip_nulls: for `latest`: fall back to the last value that is not null.
        aggregate: for `window`.
        windows: for `window`: lengths such as "7d"; one feature each.
    """

    kind: FeatureKind = MISSING
    column: str = MISSING
    lookback: str | None = None
    skip_nulls: bool = False
    aggregate: Aggregate | None = None
    windows: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Check that the fields fit the kind."""
        require_duration("lookback", self.lookback)
        for window in self.windows:
            require_length("windows", window)
        if self.kind is FeatureKind.WINDOW:
            require_filled("windows", self.windows)
            require(self.aggregate is not None, "aggregate", self.aggregate, f"one of {[a.value for a in Aggregate]}")
            require(self.lookback is None, "lookback", self.lookback, "none: a window has its own length")
        else:
            require(not self.windows, "windows", self.windows, "none for kind=latest")
            require(self.aggregate is None, "aggregate", self.aggregate, "none for kind=latest")

    def names(self, label: str) -> list[str]:
        """The names of what it makes, without the group's: the label, or one per window such as late_rate_7d."""
        if self.kind is FeatureKind.LATEST:
            return [label]
        return [f"{label}_{format_duration(parse_duration(window))}" for window in self.windows]


@dataclass
class FeatureGroup:
    """Features from one source by one key set. The group's name is the prefix of its features' names.

    Attributes:
        source: name of the source.
        keys: spine column -> column of the source.
        features: name -> feature.
        history: the greatest age of a fact that is looked at, such as "60d", for features and their matched clocks
            alike: files of older facts are not read. None: however old.
    """

    source: str = MISSING
    keys: dict[str, str] = field(default_factory=dict)
    features: dict[str, Feature] = field(default_factory=dict)
    history: str | None = None

    def __post_init__(self) -> None:
        """Check that there is something to join by and to build, and that the history is long enough for it."""
        require_filled("keys", self.keys)
        require_filled("features", self.features)
        if self.history is not None:
            require_length("history", self.history)
        for name, feature in self.features.items():
            for length in [*feature.windows, *([feature.lookback] if feature.lookback else [])]:
                enough = self.history is None or parse_duration(length) <= parse_duration(self.history)
                require(enough, "history", self.history, f"at least {length}, which feature {name} looks back")


@dataclass
class Spine:
    """The rows to build features for: one per scheduled thing.

    Attributes:
        source: the source that lists them.
        key: its columns that, with `prediction_time`, name a row.
        prediction_time: its column with the instant up to which facts may be used.
        features: its columns that are features as they are (known ahead, such as a distance).
        keep: its columns that features are joined by, or that baselines, slices and reports need.
    """

    source: str = MISSING
    key: list[str] = field(default_factory=list)
    prediction_time: str = MISSING
    features: list[str] = field(default_factory=list)
    keep: list[str] = field(default_factory=list)

    def columns(self) -> list[str]:
        """Every column the spine takes from its source, the key first, without the prediction time."""
        return list(dict.fromkeys([*self.key, *self.keep, *self.features]))


@dataclass
class Label:
    """The outcome of a spine row: a yes or no column of the fact with the same key.

    Attributes:
        source: the source of outcomes.
        keys: spine column -> column of the source; together they name one outcome.
        column: boolean column of the source.
        horizon: outcomes in (prediction time, prediction time + horizon] count. A row without one when the horizon
            has passed is settled with a null label: it is neither trained on nor measured.
    """

    source: str = MISSING
    keys: dict[str, str] = field(default_factory=dict)
    column: str = MISSING
    horizon: str = MISSING

    def __post_init__(self) -> None:
        """Check the keys and the horizon."""
        require_filled("keys", self.keys)
        require_length("horizon", self.horizon)


@dataclass
class Project:
    """One prediction task from raw data to report.

    Attributes:
        name: also the warehouse folder and the registered model's name.
        zone: business time zone; a run date starts at its midnight.
        first_date, last_date: the local dates that the raw data covers; None: open.
        history_until: run date of the first load and training, for `scripts/nightly`.
        first_night, nights: the nights that `scripts/nightly` scores one after another.
    """

    name: str = MISSING
    title: str = ""
    zone: str = MISSING
    first_date: str = MISSING
    last_date: str | None = None
    history_until: str = MISSING
    first_night: str = MISSING
    nights: int = 3
    sources: dict[str, Source] = field(default_factory=dict)
    spine: Spine = MISSING
    label: Label = MISSING
    features: dict[str, FeatureGroup] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check dates, the zone, and that every name that is used is declared."""
        require(self.name.isidentifier() and self.name.islower(), "name", self.name, "a lower-case identifier")
        require(_zone_exists(self.zone), "zone", self.zone, "an IANA time zone such as Europe/Paris")
        require(self.nights >= 1, "nights", self.nights, "at least 1")
        self._check_dates()
        self._check_spine()
        self._check_source("label", self.label.source, self.label.keys, [self.label.column])
        for name, group in self.features.items():
            require(name.isidentifier(), "features", name, "an identifier")
            columns = [feature.column for feature in group.features.values()]
            self._check_source(f"features.{name}", group.source, group.keys, columns)

    def feature_names(self) -> list[str]:
        """Every column that a model may learn from: the spine's features, then each group's as <group>__<name>."""
        joined = [
            f"{group_name}__{name}"
            for group_name, group in self.features.items()
            for label, feature in group.features.items()
            for name in feature.names(label)
        ]
        return [*self.spine.features, *joined]

    def _check_dates(self) -> None:
        first = require_date("first_date", self.first_date)
        last = require_date("last_date", self.last_date)
        history = require_date("history_until", self.history_until)
        night = require_date("first_night", self.first_night)
        if first is None or history is None or night is None:
            return
        require(first < history, "history_until", self.history_until, f"a date after first_date={self.first_date}")
        require(history < night, "first_night", self.first_night, f"a date after history_until={self.history_until}")
        require(last is None or night <= last, "first_night", self.first_night, f"at most last_date={self.last_date}")

    def _check_spine(self) -> None:
        require_filled("spine.key", self.spine.key)
        require_known("spine.source", [self.spine.source], self.sources, "sources")
        used = [*self.spine.columns(), self.spine.prediction_time]
        require_known("spine", used, self.sources[self.spine.source].stored_columns(), "source's stored columns")

    def _check_source(self, where: str, source: str, keys: dict[str, str], columns: list[str]) -> None:
        require_known(f"{where}.source", [source], self.sources, "sources")
        stored = self.sources[source].stored_columns()
        require_known(f"{where}.keys", keys.values(), stored, f"stored columns of source {source}")
        require_known(where, columns, stored, f"stored columns of source {source}")
        require_known(f"{where}.keys", keys, [*self.spine.columns(), "prediction_time"], "spine's columns")


def _zone_exists(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return False
    return True
