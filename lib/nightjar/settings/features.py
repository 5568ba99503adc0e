"""Settings of features: groups of them, each from one source by one key set."""

from collections.abc import Iterator
from dataclasses import field
from typing import Annotated

from pydantic import Field

from nightjar.durations import parse_duration
from nightjar.settings.checks import Issue, expect
from nightjar.settings.choices import Choice
from nightjar.settings.fields import DurationText, LengthText
from nightjar.settings.validation import settings


class FeatureKind(Choice):
    LATEST = "latest"
    WINDOW = "window"


class Aggregate(Choice):
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


@settings
class Feature:
    """One feature of a group, or one per window.

    One class for both kinds, as every field of either is part of the definitions' hash.

    Attributes:
        kind: `latest` (the last usable fact's value) or `window` (an aggregate over a sliding window).
        column: column of the group's source.
        lookback: for `latest`: the greatest age of the value used, such as "30d".
        skip_nulls: for `latest`: fall back to the last value that is not null.
        aggregate: for `window`: what of the column's values; `rate`: the share that is true; `distinct`: how many
            different ones; `std`: with n - 1 below.
        windows: for `window`: lengths such as "7d"; one feature each.
    """

    kind: FeatureKind
    column: str
    lookback: DurationText | None = None
    skip_nulls: bool = False
    aggregate: Aggregate | None = None
    windows: list[LengthText] = field(default_factory=list)

    def misfits(self) -> Iterator[Issue]:
        """What does not fit the kind; the group reports it, which knows the column's source."""
        if self.kind is FeatureKind.WINDOW:
            yield from expect(bool(self.windows), "windows", self.windows, "at least one entry")
            words = ", ".join(Aggregate.words())
            yield from expect(self.aggregate is not None, "aggregate", self.aggregate, f"one of [{words}]")
            yield from expect(self.lookback is None, "lookback", self.lookback, "none: a window has its own length")
        else:
            yield from expect(not self.windows, "windows", self.windows, "none for kind=latest")
            yield from expect(self.aggregate is None, "aggregate", str(self.aggregate), "none for kind=latest")

    def names(self, label: str) -> list[str]:
        """The names of what it makes, without the group's: the label, or one per window such as late_rate_7d."""
        if self.kind is FeatureKind.LATEST:
            return [label]
        return [f"{label}_{parse_duration(window)}" for window in self.windows]


@settings
class FeatureGroup:
    """Features from one source by one key set. The group's name is the prefix of its features' names.

    Attributes:
        source: name of the source.
        keys: spine column -> column of the source.
        features: name -> feature.
        history: the greatest age of a fact that is looked at, such as "60d", for features and their matched clocks
            alike: files of older facts are not read. None: however old.
    """

    source: str
    keys: Annotated[dict[str, str], Field(min_length=1)]
    features: Annotated[dict[str, Feature], Field(min_length=1)]
    history: LengthText | None = None

    def issues(self) -> Iterator[Issue]:
        """Whether each feature fits its kind, and the history is long enough for them all."""
        for name, feature in self.features.items():
            of = f"column {feature.column} of source {self.source}"
            for issue in feature.misfits():
                yield Issue(f"features.{name}.{issue.field}", issue.value, f"{issue.expected}; it is about {of}")
            for length in [*feature.windows, *([feature.lookback] if feature.lookback else [])]:
                enough = self.history is None or parse_duration(self.history).covers(parse_duration(length))
                expected = f"at least {length}, in any zone, which feature {name} of {of} looks back"
                yield from expect(enough, "history", self.history, expected)

    def names(self, group: str) -> list[str]:
        """The names of what it makes: <group>__<name>."""
        return [f"{group}__{name}" for label, feature in self.features.items() for name in feature.names(label)]
