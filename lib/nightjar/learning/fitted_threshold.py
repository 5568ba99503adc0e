"""What a training says of a threshold that it has fitted, as the evidence holds it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import pyarrow as pa

from nightjar.evaluation.acting import Reach, ReachEstimates
from nightjar.evaluation.intervals import Interval
from nightjar.registry.tiers import GroupThreshold, Price


@dataclass(frozen=True)
class Alternative:
    """The threshold that a slightly different setting would have, and what it would have reached."""

    rule: str
    value: float
    reach: ReachEstimates

    def __str__(self) -> str:
        """In words, for the log."""
        figures = {"recall": self.reach.recall, "precision": self.reach.precision, "rows a night": self.reach.acted}
        shown = [f"{name} {value:.4g}" for name, value in figures.items() if value is not None]
        return f"{self.rule} acts from {self.value:.4g} ({', '.join(shown)})"


@dataclass(frozen=True)
class ByGroup:
    """The thresholds that groups have of their own in a tier, as `registry.tiers.TierThreshold` has them."""

    columns: tuple[str, ...]
    groups: tuple[GroupThreshold, ...]
    unseen: float


@dataclass(frozen=True)
class Threshold:
    """The fitted threshold of a tier.

    Attributes:
        tier: its name.
        rule: its setting, in words.
        value: scores at or above it, and below that of the tier before, are in the tier.
        low, high: the central 95% in resamples of the folds' blocks of time; None: see `reason`.
        reason: why there are no bounds.
        shortfall: why the rule could not be met on the folds, and what was taken instead; None: it is met.
        reach: in the final period.
        nights: of the final period.
        nights_beyond: those of them with more rows than the tier's capacity; None: it has none.
        cost_of_none: of a row of the final period where no row is acted on; None: the project states no costs.
        cost_of_all: where every row is.
        alternatives: of slightly different settings, the tiers before it staying as they are.
        by_group: the groups' own thresholds; `value` and its bounds are then those of all rows together. None: all rows
            have one.
        at_most: the tier has the highest so many rows of each night; `value` acts on as many on average. None: it has
            no such limit.
        prices: what a missed row and a false alarm cost, by which each row has a threshold of its own, as
            `registry.tiers.TierThreshold` has them; `value` is then the best one for all rows.
    """

    tier: str
    rule: str
    value: float
    low: float | None
    high: float | None
    reason: str | None
    shortfall: str | None
    reach: Reach
    nights: int
    nights_beyond: int | None
    cost_of_none: float | None
    cost_of_all: float | None
    alternatives: tuple[Alternative, ...]
    by_group: ByGroup | None = None
    at_most: int | None = None
    prices: tuple[Price, Price] | None = None

    def __str__(self) -> str:
        """In words, for the log."""
        reach, bounds = self.reach, "" if self.low is None else f" ({self.low:.4g} to {self.high:.4g})"
        parts = [f"recall {_words(reach.recall)}", f"precision {_words(reach.precision)}"]
        parts.append(f"{_words(reach.acted)} rows a night")
        if self.nights_beyond is not None:
            parts.append(f"more than its capacity in {self.nights_beyond} of {self.nights} nights")
        if reach.cost is not None:
            beside = f"acting on none {self.cost_of_none:.4g}, on all {self.cost_of_all:.4g}"
            parts.append(f"{_words(reach.cost)} is what a row costs ({beside})")
        amiss = f"; {self.shortfall}" if self.shortfall else ""
        acts = f"tier {self.tier} ({self.rule}) acts from {self.value:.4g}{bounds}{amiss}"
        others = f". Set otherwise: {'; '.join(map(str, self.alternatives))}" if self.alternatives else ""
        return f"{acts}; in the final period: {', '.join(parts)}{others}"


def table_of(thresholds: Sequence[Threshold]) -> pa.Table:
    """The thresholds, and those of slightly different settings, as rows for people."""
    rows = []
    for one in thresholds:
        figures = {name: value and value["estimate"] for name, value in asdict(one.reach).items()}
        rows.append({"tier": one.tier, "setting": one.rule, "threshold": one.value, **figures})
        rows += [
            {"tier": one.tier, "setting": other.rule, "threshold": other.value, **asdict(other.reach)}
            for other in one.alternatives
        ]
    return pa.Table.from_pylist(rows)


def _words(interval: Interval) -> str:
    if interval.estimate is None:
        return f"undefined ({interval.reason})"
    bounds = "" if interval.low is None else f" ({interval.low:.4g} to {interval.high:.4g})"
    return f"{interval.estimate:.4g}{bounds}"
