"""Settings of labels by annotators, and of self-training on rows without labels."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from nightjar.settings.checks import Issue, expect
from nightjar.settings.fields import Count, Real
from nightjar.settings.validation import settings


@settings
class Annotators:
    """Who answers, where a label is what most annotators say.

    Attributes:
        column: of the label's source: who gave the answer. None: the label is not asked of annotators.
        least (answers): with fewer answers than so many a row has no majority.
    """

    column: str | None = None
    least: Count = 1

    def issues(self) -> Iterator[Issue]:
        """Whether somebody has to answer."""
        yield from expect(self.column is not None or self.least == 1, "least", self.least, "1 without a column")


@settings
class SelfTraining:
    """A classifier, of two or several classes, labels what has no label where it is sure, and is fitted again with it.

    Attributes:
        floor (probability): a row joins with the label that its predicted probability is above this for. None: no row
            joins.
        rounds (rounds): how often at most rows join.
    """

    floor: Annotated[Real, Field(gt=0.5, lt=1)] | None = None
    rounds: Count = 5
