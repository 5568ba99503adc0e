"""Settings of the spine: the rows to build features for."""

from collections.abc import Iterator
from dataclasses import field
from datetime import date, timedelta

from nightjar.settings.checks import Issue, expect, expect_one_of
from nightjar.settings.choices import Choice
from nightjar.settings.fields import Count, DateText, LengthText, Names, Share
from nightjar.settings.validation import settings

WEIGHT = "sampling_weight"
OF_LABELS = ("label", "label_known_at", "label_hash", "value", "condition")
OF_SCORES = (
    *("prediction_id", "score", "raw_score", "predicted", "probabilities", "tier", "abstained"),
    *("prediction_set", "reasons"),
    *("model_version", "model_name", "input_warnings", "unseen_levels", "role", "served", "fallback"),
    *("assignment", "propensity", "arm", "arm_propensity", "change"),
)
"""The columns that tables `scores` and `scores_latest` may have beside the spine's key and those of every table."""


class SpineKind(Choice):
    SCHEDULED = "scheduled"
    ACTIVE = "active"


class Weekday(Choice):
    """The days of the week, in the order of `date.weekday`."""

    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"


class SampleBy(Choice):
    ENTITY = "entity"
    DAY = "day"
    STRATUM = "stratum"


@settings
class Sample:
    """Which rows of a spine are kept: a hash of their key decides, so that every rerun keeps the same.

    Groups lie within one day, so that a range of days keeps the rows of its nights. What a kept row stands for is its
    `sampling_weight`: 1 / fraction, or the size of its group / the rows kept of it.

    Attributes:
        by: None (every row is kept), `entity` (the rows of one entity; with a fraction an entity is in or out on all
            days), `day` (the rows of one day) or `stratum` (the rows of one day with the same value of `column`).
        column: for `stratum`: a column of the spine.
        fraction (share): the share of rows, or of entities, that is kept on average.
        fractions (share): for `stratum`: value of the column as text -> its own share.
        maximum (rows): the greatest number of rows of a group that are kept.
        until: the last date whose rows are sampled, such as that of the history; of later dates all rows are kept, each
            for itself, so that every night is scored whole. None: all dates are sampled, and so is what is served.
    """

    by: SampleBy | None = None
    column: str | None = None
    fraction: Share | None = None
    fractions: dict[str, Share] = field(default_factory=dict)
    maximum: Count | None = None
    until: DateText | None = None

    def issues(self) -> Iterator[Issue]:
        """Whether there is one rule, and a column only where one is used."""
        stratified = self.by is SampleBy.STRATUM
        expected = "a column of the spine for by=stratum, none otherwise"
        yield from expect(stratified == (self.column is not None), "column", self.column, expected)
        only = "none unless by=stratum with a fraction"
        yield from expect(
            not self.fractions or (stratified and self.fraction is not None), "fractions", self.fractions, only
        )
        rules = [rule for rule in (self.fraction, self.maximum) if rule is not None]
        either = "either a fraction or a maximum" if self.by else "none without by"
        yield from expect(
            len(rules) == (self.by is not None), "fraction", self.fraction, f"{either}; maximum is {self.maximum}"
        )
        yield from expect(self.until is None or self.by is not None, "until", self.until, "none without by")


@settings
class Spine:
    """The rows to build features for.

    Attributes:
        kind: `scheduled`: one row for each thing that the source lists, at its own prediction time. `active`: at the
            cutoff of every run date, one row for each key that had a fact within `active_within` before it.
        source: the source that lists the things, or whose facts show activity.
        key: its columns that, with `prediction_time`, name a row.
        prediction_time: for `scheduled`: its column with the instant up to which facts may be used.
        active_within: for `active`: facts in (cutoff - active_within, cutoff] that are known by the cutoff count; the
            other columns are those of the latest of them.
        features: its columns that are features as they are (known ahead, such as a distance).
        keep: its columns that features are joined by, or that baselines, slices and reports need.
        derived: new column -> Spark SQL expression over the columns above, `prediction_time` and the derived columns
            before it, row by row. They exist before the join: `features`, keys and `sample` may name them.
        sample: which of the rows are kept.
        weekdays: the days of the week, by the calendar of the project's zone, that have rows; on the nights of others
            facts come in, labels become known and earlier nights are judged, and nothing is scored. None: every day.
    """

    # One class for both kinds, as every field of either is part of the definitions' hash.
    source: str
    key: Names
    prediction_time: str | None = None
    features: list[str] = field(default_factory=list)
    keep: list[str] = field(default_factory=list)
    kind: SpineKind = SpineKind.SCHEDULED
    active_within: LengthText | None = None
    derived: dict[str, str] = field(default_factory=dict)
    sample: Sample = field(default_factory=Sample)
    weekdays: list[Weekday] | None = None

    def issues(self) -> Iterator[Issue]:
        """Whether the fields fit the kind."""
        for name in self.key:
            yield from expect(name not in OF_LABELS, "key", name, f"another name: the label's columns are {OF_LABELS}")
            yield from expect(name.casefold() not in OF_SCORES, "key", name, "another name: table scores has it")
        if self.kind is SpineKind.ACTIVE:
            yield from expect(
                self.prediction_time is None, "prediction_time", self.prediction_time, "none: it is the cutoff"
            )
            yield from expect(
                self.active_within is not None, "active_within", None, 'a duration such as "30d" for kind=active'
            )
        else:
            yield from expect(self.prediction_time is not None, "prediction_time", None, "a column of the source")
            yield from expect(
                self.active_within is None, "active_within", self.active_within, "none for kind=scheduled"
            )
        for name in self.derived:
            yield from expect(name.isidentifier(), "derived", name, "an identifier")
            yield from expect(name not in self.key, "derived", name, "a name that is not in the key")
        if self.sample.column is not None:
            yield from expect_one_of(
                "sample.column", [self.sample.column], [*self.stored_columns(), *self.derived], "spine's columns"
            )
        if self.weekdays is not None:
            named = [day.word for day in self.weekdays]
            expected_days = "each day of the week at most once, and at least one; without the key, every day has rows"
            yield from expect(0 < len(named) == len(set(named)), "weekdays", named, expected_days)

    def is_due(self, day: date) -> bool:
        """Whether a run date may have rows: by its day of the week."""
        return self.weekdays is None or list(Weekday)[day.weekday()] in self.weekdays

    def due_dates(self, first: date, last: date) -> list[date]:
        """The run dates from the first to the last one, both included, that may have rows."""
        dates = [first + timedelta(days=number) for number in range((last - first).days + 1)]
        return [day for day in dates if self.is_due(day)]

    def absence(self, day: date) -> str | None:
        """Why a run date has no row, in words; None where it may have some."""
        if self.is_due(day):
            return None
        weekday = list(Weekday)[day.weekday()].value.capitalize()
        return f"{day} is a {weekday}, and the spine has rows of {self.due_days()} only (project.spine.weekdays)"

    def due_days(self) -> str:
        """The days that may have rows, in words, such as "Mondays and Fridays"; "dates" where it is every day."""
        names = [f"{day.value.capitalize()}s" for day in Weekday if day in (self.weekdays or [])]
        return " and ".join([", ".join(names[:-1]), names[-1]] if names[1:] else names) or "dates"

    def stored_columns(self) -> list[str]:
        """The columns it takes from its source, the key first, without the prediction time."""
        return [name for name in dict.fromkeys([*self.key, *self.keep, *self.features]) if name not in self.derived]

    def columns(self) -> list[str]:
        """Every column of its rows, the key first, without the prediction time."""
        weight = [WEIGHT] if self.sample.by else []
        return [*self.stored_columns(), *self.derived, *weight]
