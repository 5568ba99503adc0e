"""Settings of the analysis of errors: where a model fails, and what more rows would do."""

from collections.abc import Collection, Iterator
from dataclasses import field
from typing import Annotated

from pydantic import Field

from nightjar.settings.checks import Issue, expect, expect_names, expect_one_of
from nightjar.settings.fields import Count, Real
from nightjar.settings.validation import settings


@settings
class SliceCondition:
    """What the rows of a slice have in one column.

    Attributes:
        column: of the feature table; one of `spine.derived` holds what an SQL expression says.
        values: one of these; of booleans "true" and "false".
        low (the column's): of numbers: at least this; None: without a bound.
        high (the column's): of numbers: below this; None: without a bound.
    """

    column: str
    values: list[str] = field(default_factory=list)
    low: Real | None = None
    high: Real | None = None

    def issues(self) -> Iterator[Issue]:
        """Whether there are values, or bounds in order."""
        bounds = [bound for bound in (self.low, self.high) if bound is not None]
        yield from expect(bool(bounds) != bool(self.values), "values", self.values, "either values or low and high")
        fits = self.low is None or self.high is None or self.low < self.high
        yield from expect(fits, "low", self.low, f"a number below high={self.high}")


@settings
class Analysis:
    """What a training looks into besides its metrics.

    Attributes:
        slices: name of a slice -> conditions, all of which its rows meet. They are always told of, beside those of each
            value of `promotion.slices.columns`.
        search: whether other slices are searched for, on the folds' test rows, and confirmed on the final period.
        least_rows (rows): of a slice; one that is searched for has at least 1% of the rows, too.
        learning_curve: whether the winner is also fitted on the last eighth, quarter and half of its training days.
    """

    slices: dict[str, Annotated[list[SliceCondition], Field(min_length=1)]] = field(default_factory=dict)
    search: bool = True
    least_rows: Count = 100
    learning_curve: bool = True

    def issues(self) -> Iterator[Issue]:
        """Whether slices have names."""
        yield from expect_names("slices", self.slices)

    def column_issues(self, stored: Collection[str]) -> Iterator[Issue]:
        """Whether each column is one of those stored."""
        for name, conditions in self.slices.items():
            columns = [condition.column for condition in conditions]
            yield from expect_one_of(f"slices.{name}", columns, stored, "feature table's columns")

    def columns(self) -> list[str]:
        """The columns of all declared slices."""
        return list(dict.fromkeys(one.column for conditions in self.slices.values() for one in conditions))
