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
    PROBABILITY = "probability"
    AMOUNT = "amount"
    TOP = "top"


@settings
class Tier:
    """Rows that are treated alike: those whose scores reach the tier's threshold, and that of no tier before it.

    A training fits the thresholds to out-of-fold scores, in the order of the tiers, unless the kind says otherwise.

    Attributes:
        kind: `cost`: the threshold at which wrong decisions cost least, by the project's costs. `recall`: the highest
            threshold that finds enough of the true rows, those of the tiers before it included. `precision`: the lowest
            threshold at which enough of the tier's own rows are true. `capacity`: the lowest threshold at which no
            night of the folds has more rows in the tier than can be acted on; a later night may. `probability`: the
            threshold is declared. `amount`: each row has a threshold of its own, from which not acting would cost more,
            by the project's costs, one of which is an amount of the row. `top`: the rows of each night that are most
            worth a look, exactly so many or all that there are: those with the highest raw score, of equal ones by a
            hash.
        at_least (share): for `recall` and `precision`: the floor. For `probability`: the threshold.
        at_most (rows a night): for `capacity` and `top`: how many rows can be acted on; for `top` up to 100,000.
    """

    kind: TierKind
    at_least: Share | None = None
    at_most: Count | None = None

    def issues(self) -> Iterator[Issue]:
        """Whether what the kind needs is there, and nothing else."""
        has_floor, is_limited = self.kind in (*FLOORS, TierKind.PROBABILITY), self.kind in LIMITED
        floor = "a share for kind=recall, precision and probability, none for other kinds"
        yield from expect((self.at_least is not None) == has_floor, "at_least", self.at_least, floor)
        limit = "a number of rows a night for kind=capacity and top, none for other kinds"
        yield from expect((self.at_most is not None) == is_limited, "at_most", self.at_most, limit)
        few = self.kind is not TierKind.TOP or (self.at_most or 0) <= MOST
        yield from expect(few, "at_most", self.at_most, f"at most {MOST:,} for kind=top, or kind=capacity")

    def __str__(self) -> str:
        """In words, such as "recall at least 0.9"."""
        words = {
            TierKind.COST: "lowest cost",
            TierKind.CAPACITY: f"at most {self.at_most or 0:,} a night",
            TierKind.AMOUNT: "lowest cost of each row",
            TierKind.TOP: f"the {self.at_most or 0:,} highest of a night",
        }
        return words.get(self.kind, f"{self.kind} at least {self.at_least or 0:g}")


FLOORS = (TierKind.RECALL, TierKind.PRECISION)
"""Kinds of tiers with a floor."""
LIMITED = (TierKind.CAPACITY, TierKind.TOP)
"""Kinds of tiers that say how many rows a night they have at most."""
BY_ROW = (TierKind.PROBABILITY, TierKind.AMOUNT, TierKind.TOP)
"""Kinds of tiers whose threshold is not fitted: it is declared, or one of each row or night."""
MOST = 100_000
"""The greatest number of rows that a tier of the highest ones may have: the driver ranks so many of each task."""


def tier_issues(
    tiers: Mapping[str, Tier], task: Task, costs: Costs, *, moved: bool, whole: Mapping[str, str | None]
) -> Iterator[Issue]:
    """Whether the task decides, and costs are declared where a tier needs them.

    Args:
        tiers: of the project.
        task: of its label.
        costs: of wrong decisions.
        moved: whether groups have thresholds of their own.
        whole: key -> a tier that any number of rows may have, see `Serving.tiers_of_any_number`.
    """
    yield from expect_names("tiers", tiers)
    yield from expect(not tiers or task is Task.CLASSIFICATION, "tiers", sorted(tiers), f"none for label.task={task}")
    for name, tier in tiers.items():
        kind, where = str(tier.kind), f"tiers.{name}.kind"
        is_priced = tier.kind is not TierKind.COST or costs.missed is not None
        yield from expect(is_priced, where, kind, "another kind, or project.costs")
        has_amount = tier.kind is not TierKind.AMOUNT or bool(costs.amounts())
        yield from expect(has_amount, where, kind, "another kind, or project.costs with an amount of each row")
        fitted = "a fitted kind (cost, recall, precision, capacity) where groups have thresholds of their own"
        yield from expect(not moved or tier.kind not in BY_ROW, where, kind, fitted)
    free = "a name, or a tier without a capacity: any number of a night's rows may have it"
    for key, whole_tier in whole.items():
        is_free = whole_tier is None or whole_tier not in tiers or tiers[whole_tier].kind not in LIMITED
        yield from expect(is_free, key, whole_tier, free)
