"""Settings of the promotion of a model."""

from collections.abc import Iterator
from dataclasses import field
from typing import Annotated

from pydantic import Field

from nightjar.settings.checks import Issue, expect
from nightjar.settings.fairness import Columns, as_lists, each_once, in_words
from nightjar.settings.fields import Count, Positive, Real, Share, Whole
from nightjar.settings.validation import settings

_Chance = Annotated[Real, Field(gt=0, lt=1)]


@settings
class Slices:
    """Parts of the rows in which a new model must not be worse than what it would replace.

    Attributes:
        columns: of the feature table; the rows of each of their values are a slice.
        not_worse_by (the metric's): a slice is harmed if it is worse by more than this, with its whole interval.
        least_rows (rows): slices with fewer, of two classes with fewer of the rarer one, are judged together, as one.
    """

    columns: list[str] = field(default_factory=list)
    not_worse_by: Annotated[Real, Field(ge=0)] = 0.0
    least_rows: Count = 100


@settings
class Fairness:
    """How far groups may lie apart in what is decided for their rows, for a classification.

    Of several classes each one is judged against the rest: a row is acted on where the class is predicted, and True
    where it is of it.

    Attributes:
        columns: of the feature table; the rows of each of their values, 50 at most, are a group; a list of columns
            stands for the rows of each combination of their values, such as [sex, [sex, age_band]].
        selection_rate (share): the greatest difference between two groups in the share of rows that are acted on; None:
            not judged.
        recall (share): the same of the True rows.
        false_positive_rate (share): the same of the False rows.
        least_rows (rows): a group with fewer of the rows that a rate is of leaves the decision to a person.
    """

    columns: list[Columns] = field(default_factory=list)
    selection_rate: Share | None = None
    recall: Share | None = None
    false_positive_rate: Share | None = None
    least_rows: Count = 100

    def limits(self) -> dict[str, float]:
        """Rate -> its greatest difference, of those that are judged."""
        rates = {name: getattr(self, name) for name in ("selection_rate", "recall", "false_positive_rate")}
        return {name: limit for name, limit in rates.items() if limit is not None}

    def groupings(self) -> dict[str, tuple[str, ...]]:
        """Each way to tell groups apart, in words -> its columns."""
        return {in_words(columns): columns for columns in self.ways()}

    def ways(self) -> list[tuple[str, ...]]:
        """The columns of each way to tell groups apart."""
        return as_lists(self.columns)

    def column_names(self) -> list[str]:
        """All columns that tell groups apart, each once."""
        return list(dict.fromkeys(name for columns in self.ways() for name in columns))

    def issues(self) -> Iterator[Issue]:
        """Whether there are groups and limits, or neither, and no group is named twice."""
        fits = bool(self.columns) == bool(self.limits())
        yield from expect(fits, "columns", self.columns, "columns together with a limit on one of the rates")
        yield from each_once("columns", self.columns)


@settings
class Promotion:
    """What a new version has to show before it becomes champion. Every baseline has to be beaten in any case.

    What is limited here refuses a version that is shown to lie beyond the limit, with its whole interval; where there
    are too few rows to show anything, a person decides. What has no limit is not judged.

    Attributes:
        approvals (people): how many different people have to approve it besides.
        better_by (the metric's): it replaces a champion if it is better by at least this, with the whole interval.
        not_worse_by (the metric's): it replaces a champion already if it is not worse by more than this, with the whole
            interval, for models that are trained anew on newer rows; None: it has to be better.
        false_promotions_per_year (chance): that in any year a version is promoted which does not deserve it, over all
            trainings of that year. It decides how wide the interval is that has to lie on the better side.
        confidence (share): of the intervals by which baselines are beaten, and of those of slices, fairness and
            calibration all together: that many times no version is refused which harms nobody.
        slices: parts of the rows in which it must not be worse.
        fairness: how far groups may lie apart.
        calibration_error (share): the greatest calibration error of the final period, beyond what chance adds to it; of
            several classes that of each against the rest.
        rows_per_second (rows a second): the least speed of scoring, measured by the training on its final period.
        artifact_mib (MiB): the greatest size of the stored model.
        data_age_days (local dates): at most so many lie between the last date that it was fitted on and the run date.
        revalidate_after_days (local dates): so long after its training the night's report asks that somebody looks
            whether it still does; None: never.
        expires_after_days (local dates): so long after its training it scores no more; None: never.
    """

    approvals: Annotated[Whole, Field(ge=0, le=2)] = 0
    better_by: Annotated[Real, Field(ge=0)] = 0.0
    not_worse_by: Annotated[Real, Field(gt=0)] | None = None
    false_promotions_per_year: _Chance = 0.05
    confidence: _Chance = 0.95
    slices: Slices = field(default_factory=Slices)
    fairness: Fairness = field(default_factory=Fairness)
    calibration_error: Share | None = None
    rows_per_second: Positive | None = None
    artifact_mib: Positive | None = None
    data_age_days: Count | None = None
    revalidate_after_days: Count | None = None
    expires_after_days: Count | None = None

    def issues(self) -> Iterator[Issue]:
        """Whether only one of the margins is set."""
        one = self.not_worse_by is None or self.better_by == 0
        yield from expect(one, "not_worse_by", self.not_worse_by, "none beside better_by")
        first, last = self.revalidate_after_days, self.expires_after_days
        fits = first is None or last is None or first < last
        yield from expect(fits, "revalidate_after_days", first, f"fewer than expires_after_days={last}")
