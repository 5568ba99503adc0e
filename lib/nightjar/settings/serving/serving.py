"""Settings of serving as a whole."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from nightjar.settings.checks import Issue, expect_one_of
from nightjar.settings.serving.abstention import Abstention
from nightjar.settings.serving.budgets import Budget
from nightjar.settings.serving.canary import Canary
from nightjar.settings.serving.experiment import Experiment
from nightjar.settings.serving.fallback import Fallback
from nightjar.settings.serving.reasons import Reasons
from nightjar.settings.serving.reviewing import Reviewing
from nightjar.settings.serving.roles import Roles
from nightjar.settings.task import Task
from nightjar.settings.validation import settings

WITH_BUDGET = ("ingest", "build_features", "train", "promote", "score", "monitor", "nightly", "maintain")
"""Jobs whose runs are measured: those of nights, and upkeep."""


@dataclass(frozen=True)
class ProjectNames:
    """What a project declares, and its serving may name.

    Attributes:
        stored: columns of the feature table.
        features: those that a model may learn from.
        task: of the label.
        tiers: its decisions.
        classes: of a label of several classes.
    """

    stored: Collection[str]
    features: Collection[str]
    task: Task
    tiers: Collection[str]
    classes: Collection[str]


@settings
class Serving:
    """How scores are made, decided on, explained, reviewed and published.

    Attributes:
        roles: the versions that score beside the champion.
        canary: how a new winner serves some entities before all.
        experiment: how the challenger is compared with the champion while both score; None: it is not.
        fallback: who scores where the champion cannot.
        abstention: of which rows nobody should act on the score by itself.
        reasons: which scores are stored with the reasons for them, and in which words.
        sensitive: columns of the feature table whose values are masked in pages, logs, MLflow and reasons; so is the
            column of a source that such a feature is made of.
        review: which predictions people look at, and what they may decide.
        budgets: step, or nightly -> what it may take before an alert is raised.
    """

    roles: Roles = field(default_factory=Roles)
    canary: Canary = field(default_factory=Canary)
    experiment: Experiment | None = None
    fallback: Fallback = field(default_factory=Fallback)
    reasons: Reasons = field(default_factory=Reasons)
    abstention: Abstention = field(default_factory=Abstention)
    sensitive: list[str] = field(default_factory=list)
    review: Reviewing = field(default_factory=Reviewing)
    budgets: dict[str, Budget] = field(default_factory=dict)

    def issues_with(self, names: ProjectNames) -> Iterator[Issue]:
        """Whether the names in it are the project's."""
        yield from expect_one_of("sensitive", self.sensitive, names.stored, "feature table's columns")
        yield from expect_one_of("budgets", self.budgets, WITH_BUDGET, "jobs that may have one")
        tiers = [*names.tiers, *self.abstention.tiers()]
        parts = {
            "experiment": self.experiment.issues_with(names.task, self.canary.steps) if self.experiment else (),
            "fallback": self.fallback.issues_with(names.task, tiers),
            "abstention": self.abstention.issues_with(names.task),
            "reasons": self.reasons.issues_with(names.features, [*tiers, *names.classes]),
            "review": self.review.issues_with(names.stored, tiers),
        }
        for part, issues in parts.items():
            for issue in issues:
                yield Issue(f"{part}.{issue.field}", issue.value, issue.expected)

    def tiers_of_any_number(self) -> dict[str, str | None]:
        """Key of the project -> the tier of rows that have it for another reason than their scores, if there is one."""
        return {"serving.abstention.tier": self.abstention.tier, "serving.fallback.tier": self.fallback.tier}

    def assigns_arms(self) -> bool:
        """Whether a challenger may serve some of the entities."""
        return bool(self.canary.steps)
