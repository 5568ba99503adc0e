"""Settings of explanations: which columns a person can change, and how far."""

from collections.abc import Iterator
from dataclasses import field

from nightjar.settings.checks import Issue, expect
from nightjar.settings.choices import Choice
from nightjar.settings.fields import Real
from nightjar.settings.validation import settings


class Direction(Choice):
    """Which way a number may be changed."""

    ANY = "any"
    UP = "up"
    DOWN = "down"


@settings
class Actionable:
    """How a column may be changed in a counterfactual. A category may have any level that other rows have.

    Attributes:
        low (the column's): the least value; None: the least of other rows.
        high (the column's): the greatest value; None: the greatest of other rows.
        direction: which way.
    """

    low: Real | None = None
    high: Real | None = None
    direction: Direction = Direction.ANY

    def issues(self) -> Iterator[Issue]:
        """Whether the range has values."""
        is_range = self.low is None or self.high is None or self.low < self.high
        yield from expect(is_range, "high", self.high, f"more than low={self.low}")


@settings
class Explaining:
    """What explanations of single rows may say.

    Attributes:
        actionable: feature -> how somebody could change it: counterfactuals change these and no others.
    """

    actionable: dict[str, Actionable] = field(default_factory=dict)
