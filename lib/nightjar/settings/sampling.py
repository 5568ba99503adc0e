"""Settings of the sample of rows that models are fitted on."""

from collections.abc import Iterator
from dataclasses import field

from nightjar.settings.checks import Issue, expect, expect_one_of
from nightjar.settings.fields import Count, Share
from nightjar.settings.validation import settings

LABEL = "label"


@settings
class TrainingSample:
    """Which training rows are fitted on; those that are measured on are never sampled.

    A hash of each row's key decides, so that every run keeps the same rows. What a kept row stands for is its weight,
    rows there are / rows kept, so that shares and probabilities stay those of all rows.

    Attributes:
        fraction: the share of the rows that is kept; 1 keeps all.
        stratify: `label`, or a column of the feature table: the share is kept of the rows of each value, at least one
            row. A null is a value of its own.
        fractions: for `stratify`: value as text ("true" and "false" of a label) -> its own share. Values that the rows
            do not have play no part.
        newest_days: so many of the newest local dates are kept in full, and only older rows thinned.
    """

    fraction: Share = 1.0
    stratify: str | None = None
    fractions: dict[str, Share] = field(default_factory=dict)
    newest_days: Count | None = None

    def issues(self) -> Iterator[Issue]:
        """Whether what is set has something to act on."""
        stratified = self.stratify is not None
        yield from expect(stratified or not self.fractions, "fractions", self.fractions, "none without stratify")
        if self.stratify == LABEL:
            yield from expect_one_of("fractions", self.fractions, ["true", "false"], "labels")
        idle = not self.keeps_all() or (self.newest_days is None and not stratified)
        yield from expect(
            idle, "fraction", self.fraction, "a share below 1 (or one in fractions): older rows, or strata, are set"
        )

    def keeps_all(self) -> bool:
        """Whether every row is kept."""
        return all(share == 1 for share in (self.fraction, *self.fractions.values()))
