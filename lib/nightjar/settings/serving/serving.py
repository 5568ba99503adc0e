"""Settings of serving as a whole."""

from collections.abc import Collection, Iterator
from dataclasses import field

from nightjar.settings.checks import Issue, expect_one_of
from nightjar.settings.serving.reasons import Reasons
from nightjar.settings.validation import settings


@settings
class Serving:
    """How scores are made, decided on, explained, reviewed and published.

    Attributes:
        reasons: which scores are stored with the reasons for them, and in which words.
        sensitive: columns of the feature table whose values are masked in pages, logs, MLflow and reasons; so is the
            column of a source that such a feature is made of.
    """

    reasons: Reasons = field(default_factory=Reasons)
    sensitive: list[str] = field(default_factory=list)

    def issues_with(
        self, stored: Collection[str], features: Collection[str], groups: Collection[str]
    ) -> Iterator[Issue]:
        """Whether names are the project's.

        Args:
            stored: columns of the feature table.
            features: those that a model may learn from.
            groups: its tiers; of several classes these.
        """
        yield from expect_one_of("sensitive", self.sensitive, stored, "feature table's columns")
        for issue in self.reasons.issues_with(features, groups):
            yield Issue(f"reasons.{issue.field}", issue.value, issue.expected)
