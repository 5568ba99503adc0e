"""Settings of serving as a whole."""

from collections.abc import Collection, Iterator
from dataclasses import field

from nightjar.settings.checks import Issue, expect_one_of
from nightjar.settings.validation import settings


@settings
class Serving:
    """How scores are made, decided on, explained, reviewed and published.

    Attributes:
        sensitive: columns of the feature table whose values are masked in pages, logs and MLflow.
    """

    sensitive: list[str] = field(default_factory=list)

    def issues_with(self, stored: Collection[str]) -> Iterator[Issue]:
        """Whether columns that are named are among those of the feature table."""
        yield from expect_one_of("sensitive", self.sensitive, stored, "feature table's columns")
