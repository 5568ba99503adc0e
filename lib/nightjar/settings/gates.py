"""Settings of a source's gates: what is expected of the rows of a night, and what becomes of it where they differ."""

import math
from collections.abc import Iterator
from dataclasses import field
from typing import Annotated

from pydantic import Field

from nightjar.settings.checks import Issue, expect, expect_one_of
from nightjar.settings.choices import Choice
from nightjar.settings.fields import LengthText, Positive, Real
from nightjar.settings.validation import settings


class GateCheck(Choice):
    """What a gate checks, in the words of dbt and Great Expectations where they have one."""

    NOT_NULL = "not_null"
    UNIQUE = "unique"
    ACCEPTED_VALUES = "accepted_values"
    BETWEEN = "between"
    MATCHES = "matches"
    RELATIONSHIPS = "relationships"
    EXPRESSION = "expression"
    FRESHNESS = "freshness"
    VOLUME = "volume"
    NULL_SHARE = "null_share"
    MEAN = "mean"
    OUTLIERS = "outliers"
    REPRESENTATIVE = "representative"


class GateSeverity(Choice):
    """What becomes of a row, or of the night, where a gate is not passed."""

    REFUSE = "refuse"
    WARN = "warn"
    STOP = "stop"


class OutlierMethod(Choice):
    """How far from a column's history a value may lie."""

    Z_SCORE = "z_score"
    IQR = "iqr"
    QUANTILES = "quantiles"


OF_VALUES = (
    GateCheck.NOT_NULL,
    GateCheck.ACCEPTED_VALUES,
    GateCheck.BETWEEN,
    GateCheck.MATCHES,
    GateCheck.EXPRESSION,
)
"""Checks that look at the values of one row alone; they may use any column of the source, stored or not."""
OF_ROWS = (*OF_VALUES, GateCheck.UNIQUE, GateCheck.RELATIONSHIPS, GateCheck.OUTLIERS)
"""Checks that single rows fail, so that these can be refused."""
OF_HISTORY = (GateCheck.VOLUME, GateCheck.NULL_SHARE, GateCheck.MEAN, GateCheck.OUTLIERS)
"""Checks that compare the night with earlier days."""
_BOUNDS = {"minimum", "maximum"}
_NEEDS: dict[GateCheck, set[str]] = {
    GateCheck.NOT_NULL: {"column"},
    GateCheck.UNIQUE: {"columns"},
    GateCheck.ACCEPTED_VALUES: {"column", "values"},
    GateCheck.BETWEEN: {"column"},
    GateCheck.MATCHES: {"column", "pattern"},
    GateCheck.RELATIONSHIPS: {"columns", "to"},
    GateCheck.EXPRESSION: {"expression"},
    GateCheck.FRESHNESS: set(),
    GateCheck.VOLUME: set(),
    GateCheck.NULL_SHARE: {"column"},
    GateCheck.MEAN: {"column"},
    GateCheck.OUTLIERS: {"column", "method"},
    GateCheck.REPRESENTATIVE: {"column", "population"},
}
_MAY: dict[GateCheck, set[str]] = {
    GateCheck.BETWEEN: _BOUNDS,
    GateCheck.RELATIONSHIPS: {"fields"},
    GateCheck.FRESHNESS: {"max_age", "max_gap"},
    GateCheck.VOLUME: {*_BOUNDS, "tolerance"},
    GateCheck.NULL_SHARE: {*_BOUNDS, "tolerance"},
    GateCheck.MEAN: {*_BOUNDS, "tolerance"},
    GateCheck.OUTLIERS: {"tolerance"},
    GateCheck.REPRESENTATIVE: {"tolerance"},
}


@settings
class Gate:
    r"""One expectation of a night's new rows. All gates of a source are evaluated together, before anything is written.

    What each check expects:
    `not_null`: every row has a value; NaN and infinities are none. All other checks let a null pass, as SQL does.
    `unique`: no two facts have the same `columns`, neither two of the night nor one of the night and a stored one.
    Versions of one fact may; where the columns contain the source's key, two versions in one night may not.
    `accepted_values`: one of `values`, texts as in `Column`.
    `between`: a number from `minimum` to `maximum`, both included; NaN is outside.
    `matches`: `pattern`, a regular expression of Java, is somewhere in the text; `^` and `\z` ask for the whole.
    `relationships`: the source `to` has a fact with these values, as of the night's cutoff and not deleted.
    `expression`: Spark SQL over the columns that is not false for any row.
    `freshness`: how old the newest fact is at the night, or the longest gap between two facts in turn, by event time.
    `volume`: as many facts as usual: each day is compared with the same weekday of the eight weeks before. With bounds
    the night is compared with these instead.
    `null_share`: the share of facts without a value is as usual, or within bounds; NaN and infinities are none.
    `mean`: the mean of a number, or the share of true ones, is as usual, or within bounds.
    `outliers`: values far from those of the 56 days before.
    `representative`: the share of each value, nulls aside, against `population`.

    Attributes:
        check: what is expected.
        severity: `refuse`: rows that fail go to `quarantine` (not for `freshness`, `volume`, `null_share`, `mean` and
            `representative`, which are about the night). `warn`: the night goes on, `quality` and the report say what
            was amiss, and each score made with the source names it in `input_warnings`. `stop`: the night ends with
            every table untouched.
        column: the column that is looked at. Values of single rows may be of any column; all else is of stored ones.
        columns: for `unique`, `relationships`: the columns whose values belong together.
        values: for `accepted_values`: the values there are.
        minimum (the measure's): for `between`, `volume`, `null_share`, `mean`: the least that passes.
        maximum (the measure's): for `between`, `volume`, `null_share`, `mean`: the most that passes.
        pattern: for `matches`: a regular expression.
        to: for `relationships`: the source that the columns refer to; this one itself may be named.
        fields: for `relationships`: its columns, in the order of `columns`; empty: those of the same names.
        expression: for `expression`: Spark SQL that gives true or false.
        max_age: for `freshness`: how long before the night's midnight the newest fact may have happened.
        max_gap: for `freshness`: the longest time between two facts in turn; a day is 24 hours here.
        method: for `outliers`: `z_score`: standard deviations from the mean; `iqr`: interquartile ranges beyond the
            quartiles; `quantiles`: beyond the quantiles of history, which so many rows are by nature: the night fails
            with more than chance explains (p below 0.001).
        tolerance (the check's): for `volume`, `null_share`, `mean`, `outliers`, `representative`: how far is not too
            far; none: the number in brackets. Of the first three: robust standard deviations from what is usual (4).
            Of outliers: standard deviations (5), interquartile ranges (3), or the share of rows beyond each quantile
            (0.001). Of the last: by how much the share of a value may differ (0.05); beyond it the night fails where
            chance does not explain the count (p below 0.001 for all values together).
        population (share): for `representative`: value -> its share; what is missing to 1 is of all other values.
    """

    check: GateCheck
    severity: GateSeverity = GateSeverity.WARN
    column: str | None = None
    columns: list[str] = field(default_factory=list)
    values: list[str] = field(default_factory=list)
    minimum: Real | None = None
    maximum: Real | None = None
    pattern: str | None = None
    to: str | None = None
    fields: list[str] = field(default_factory=list)
    expression: str | None = None
    max_age: LengthText | None = None
    max_gap: LengthText | None = None
    method: OutlierMethod | None = None
    tolerance: Positive | None = None
    population: dict[str, Annotated[Real, Field(ge=0, le=1)]] = field(default_factory=dict)

    def issues(self) -> Iterator[Issue]:
        """Whether what the check needs is there, and nothing else."""
        needs, may = _NEEDS[self.check], _MAY.get(self.check, set())
        for name in ("column", "columns", "values", "pattern", "to", "expression", "method", "population"):
            value, needed = getattr(self, name), name in needs
            expected = f"a value for check={self.check}" if needed else f"none for check={self.check}"
            yield from expect((value not in (None, [], {})) == needed, name, value, expected)
        for name in ("minimum", "maximum", "fields", "max_age", "max_gap", "tolerance"):
            value = getattr(self, name)
            yield from expect(value in (None, []) or name in may, name, value, f"none for check={self.check}")
        refuses = self.severity is GateSeverity.REFUSE
        expected = f"warn or stop for check={self.check}: it is about the night, and no row fails it"
        yield from expect(not refuses or self.check in OF_ROWS, "severity", self.severity.word, expected)
        yield from self._number_issues()

    def source_columns(self) -> list[str]:
        """The columns of the source that it names."""
        return [self.column] if self.column else self.columns

    def fields_there(self) -> list[str]:
        """The columns of the other source, for `relationships`."""
        return self.fields or self.columns

    def column_issues(self, path: str, names: list[str], stored: list[str]) -> Iterator[Issue]:
        """Columns that the source does not have, or does not store where stored ones are looked at.

        Args:
            path: of the gate within the source.
            names: all columns of the source.
            stored: those that are stored.
        """
        of_values = self.check in OF_VALUES
        noun = "source's columns" if of_values else "source's stored columns"
        key = "column" if self.column else "columns"
        yield from expect_one_of(f"{path}.{key}", self.source_columns(), names if of_values else stored, noun)

    def _number_issues(self) -> Iterator[Issue]:
        lower, upper = self.minimum, self.maximum
        if lower is not None and upper is not None:
            yield from expect(lower <= upper, "minimum", lower, f"at most maximum={upper}")
        if self.check is GateCheck.BETWEEN:
            yield from expect(lower is not None or upper is not None, "minimum", None, "a minimum or a maximum")
        if self.check is GateCheck.FRESHNESS:
            one = (self.max_age is None) != (self.max_gap is None)
            yield from expect(one, "max_age", self.max_age, "either max_age or max_gap")
        both = self.tolerance is not None and (lower is not None or upper is not None)
        yield from expect(not both, "tolerance", self.tolerance, "none with bounds: then history is not looked at")
        tail = self.method is OutlierMethod.QUANTILES and self.tolerance is not None
        is_share = not tail or (self.tolerance or 0) < 0.5
        yield from expect(is_share, "tolerance", self.tolerance, "a share of rows below 0.5 for method=quantiles")
        pairs = not self.fields or len(self.fields) == len(self.columns)
        yield from expect(pairs, "fields", self.fields, f"as many as columns {self.columns}")
        whole = sum(self.population.values())
        is_whole = whole <= 1 or math.isclose(whole, 1)
        yield from expect(is_whole, "population", whole, "shares that sum to 1 at most")
