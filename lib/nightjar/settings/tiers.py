"""Settings of tiers: which rows are acted on, by their scores."""

from collections.abc import Iterator, Mapping

from nightjar.settings.checks import Issue, expect, expect_names
from nightjar.settings.choices import Choice
from nightjar.settings.costs import Costs
from nightjar.settings.fields import Count, Share
from nightjar.settings.task import Task
from nightjar.settings.validation import settings


class TierKind(Choice):
    COST = "cost"
    RECALL = "recall"
    PRECISION = "precision"
    CAPACITY = "capacity"


@settings
class Tier:
    """Rows that are treated alike: those whose scores reach the tier's threshold, and that of no tier before it.

    A training fits the thresholds to out-of-fold scores, in the order of the tiers.

    Attributes:
        kind: `cost`: the threshold at which wrong decisions cost least, by the project's costs. `recall`: the highest
            threshold that finds enough of the true rows, those of the tiers before it included. `precision`: the lowest
            threshold at which enough of the tier's own rows are true. `capacity`: the lowest threshold at which no
            night has more rows in the tier than can be acted on.
        at_least (share): for `recall` and `precision`: the floor.
        at_most (rows a night): for `capacity`: how many rows can be acted on.
    """

    kind: TierKind
    at_least: Share | None = None
    at_most: Count | None = None

    def issues(self) -> Iterator[Issue]:
        """Whether what the kind needs is there, and nothing else."""
        has_floor, is_limited = self.kind in FLOORS, self.kind is TierKind.CAPACITY
        floor = "a share for kind=recall and precision, none for other kinds"
        yield from expect((self.at_least is not None) == has_floor, "at_least", self.at_least, floor)
        limit = "a number of rows a night for kind=capacity, none for other kinds"
        yield from expect((self.at_most is not None) == is_limited, "at_most", self.at_most, limit)

    def __str__(self) -> str:
        """In words, such as "recall at least 0.9"."""
        if self.kind is TierKind.CAPACITY:
            return f"at most {self.at_most:,} a night"
        return "lowest cost" if self.kind is TierKind.COST else f"{self.kind} at least {self.at_least:g}"


FLOORS = (TierKind.RECALL, TierKind.PRECISION)
"""Kinds of tiers with a floor."""


def tier_issues(tiers: Mapping[str, Tier], task: Task, costs: Costs) -> Iterator[Issue]:
    """Whether the task decides, and costs are declared where a tier needs them."""
    yield from expect_names("tiers", tiers)
    yield from expect(not tiers or task is Task.CLASSIFICATION, "tiers", sorted(tiers), f"none for label.task={task}")
    for name, tier in tiers.items():
        is_priced = tier.kind is not TierKind.COST or costs.missed is not None
        yield from expect(is_priced, f"tiers.{name}.kind", str(tier.kind), "another kind, or project.costs")
