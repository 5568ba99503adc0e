"""Settings of the promotion of a model."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from nightjar.settings.checks import Issue, expect
from nightjar.settings.fields import Count, Real, Whole
from nightjar.settings.validation import settings


@settings
class Promotion:
    """What a new version has to show before it becomes champion. Every baseline has to be beaten in any case.

    Attributes:
        approvals (people): how many different people have to approve it besides.
        better_by (the metric's): it replaces a champion if it is better by at least this, with the whole interval.
        not_worse_by (the metric's): it replaces a champion already if it is not worse by more than this, with the whole
            interval, for models that are trained anew on newer rows; None: it has to be better.
        revalidate_after_days (local dates): so long after its training the night's report asks that somebody looks
            whether it still does; None: never.
        expires_after_days (local dates): so long after its training it scores no more; None: never.
    """

    approvals: Annotated[Whole, Field(ge=0, le=2)] = 0
    better_by: Annotated[Real, Field(ge=0)] = 0.0
    not_worse_by: Annotated[Real, Field(gt=0)] | None = None
    revalidate_after_days: Count | None = None
    expires_after_days: Count | None = None

    def issues(self) -> Iterator[Issue]:
        """Whether only one of the margins is set."""
        one = self.not_worse_by is None or self.better_by == 0
        yield from expect(one, "not_worse_by", self.not_worse_by, "none beside better_by")
        first, last = self.revalidate_after_days, self.expires_after_days
        fits = first is None or last is None or first < last
        yield from expect(fits, "revalidate_after_days", first, f"fewer than expires_after_days={last}")
