"""Settings of serving as a whole."""

from collections.abc import Collection, Iterator
from dataclasses import field

from nightjar.settings.checks import Issue, expect_one_of
from nightjar.settings.serving.abstention import Abstention
from nightjar.settings.serving.canary import Canary
from nightjar.settings.serving.fallback import Fallback
from nightjar.settings.serving.roles import Roles
from nightjar.settings.task import Task
from nightjar.settings.validation import settings


@settings
class Serving:
    """How scores are made, decided on, explained, reviewed and published.

    Attributes:
        roles: the versions that score beside the champion.
        canary: how a new winner serves some entities before all.
        fallback: who scores where the champion cannot.
        abstention: of which rows nobody should act on the score by itself.
        sensitive: columns of the feature table whose values are masked in pages, logs and MLflow.
    """

    roles: Roles = field(default_factory=Roles)
    canary: Canary = field(default_factory=Canary)
    fallback: Fallback = field(default_factory=Fallback)
    abstention: Abstention = field(default_factory=Abstention)
    sensitive: list[str] = field(default_factory=list)

    def issues_with(self, stored: Collection[str], task: Task, tiers: Collection[str]) -> Iterator[Issue]:
        """Whether columns that are named are among those of the feature table, and tiers among the project's."""
        yield from expect_one_of("sensitive", self.sensitive, stored, "feature table's columns")
        for issue in self.fallback.issues_with(task, tiers):
            yield Issue(f"fallback.{issue.field}", issue.value, issue.expected)
        yield from self.abstention.issues_with(task)

    def assigns_arms(self) -> bool:
        """Whether a challenger may serve some of the entities."""
        return bool(self.canary.steps)
