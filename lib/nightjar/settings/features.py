"""Settings of features: groups of them, each from one source by one key set."""

from dataclasses import dataclass, field
from enum import Enum

from omegaconf import MISSING

from nightjar.durations import parse_duration
from nightjar.settings.checks import require, require_duration, require_filled, require_length


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

    def check(self) -> None:
        """Raise ValueError unless the fields fit the kind; the group asks, which knows the column's source."""
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
        return [f"{label}_{parse_duration(window)}" for window in self.windows]


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
        """Check keys and features, and that the history is long enough for them."""
        require_filled("keys", self.keys)
        require_filled("features", self.features)
        if self.history is not None:
            require_length("history", self.history)
        for name, feature in self.features.items():
            of = f"column {feature.column} of source {self.source}"
            try:
                feature.check()
            except ValueError as error:
                raise ValueError(f"features.{name}.{error}; it is about {of}") from error
            for length in [*feature.windows, *([feature.lookback] if feature.lookback else [])]:
                enough = self.history is None or parse_duration(self.history).covers(parse_duration(length))
                expected = f"at least {length}, in any zone, which feature {name} of {of} looks back"
                require(enough, "history", self.history, expected)

    def names(self, group: str) -> list[str]:
        """The names of what it makes: <group>__<name>."""
        return [f"{group}__{name}" for label, feature in self.features.items() for name in feature.names(label)]
