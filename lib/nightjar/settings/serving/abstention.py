"""Settings of abstention: rows whose score nobody should act on by itself."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from nightjar.settings.checks import NAME, Issue, expect
from nightjar.settings.fields import Positive, Real
from nightjar.settings.task import Task
from nightjar.settings.validation import settings


@settings
class Abstention:
    """Rows whose score nobody should act on by itself, because the model does not know such rows, or is unsure.

    They have their tier by this alone, take no capacity, and `scores.abstained` says why.

    Attributes:
        tier: what their tier is called; the name of a tier of the project that has no capacity, or one of its own.
        out_of_range: whether rows abstain that lie outside what the model was trained on: a number beyond the least or
            greatest one there, a level that was not there, a missing value where none was missing.
        margin (share): how far beyond the least or greatest number a row may lie, in spans between the two.
        spread (standard deviation): rows abstain whose probabilities by the members of an ensemble differ by more; of
            several classes that of the class that differs most. None: no row does. The scores of members are computed
            once more for it. Of a model without members no row abstains by it, and the log says so.
        error (share): rows abstain for which there is not just one class in the set of those that cannot be ruled out.
            Of the rows of each class so many lack their own class in their set, at most, over many nights like those of
            the folds. It is no promise for a single night. None: there are no sets. Below ceil(1 / error) - 1 rows of a
            class in the folds the sets are UNKNOWN, and all rows abstain.
    """

    tier: str = "abstained"
    out_of_range: bool = False
    margin: Annotated[Real, Field(ge=0)] = 0.0
    spread: Positive | None = None
    error: Annotated[Real, Field(gt=0, lt=0.5)] | None = None

    def issues(self) -> Iterator[Issue]:
        """Whether the tier has a plain name, and there is a margin only where it means something."""
        yield from expect(NAME.fullmatch(self.tier) is not None, "tier", self.tier, "a plain identifier")
        expected = "0, or out_of_range: true"
        yield from expect(self.out_of_range or not self.margin, "margin", self.margin, expected)

    def issues_with(self, task: Task) -> Iterator[Issue]:
        """Whether the label's task has classes where something is said of classes."""
        for name, value in (("spread", self.spread), ("error", self.error)):
            expected = f"none for label.task={task}"
            yield from expect(task.has_classes or value is None, name, value, expected)

    def tiers(self) -> list[str]:
        """The tier of rows that abstain, where any may."""
        return [self.tier] if self.abstains() else []

    def abstains(self) -> bool:
        """Whether any row may abstain."""
        return self.out_of_range or self.spread is not None or self.error is not None
