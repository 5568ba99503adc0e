"""The thresholds of tiers, for all rows or by group, and the tier of each row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from nightjar.tables import groups
from nightjar.tables.groups import Values

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class GroupThreshold:
    """The threshold of one group in a tier.

    Attributes:
        values: the group's, as texts, in the columns of the tier; None is null.
        threshold: its rows at or above it reach the tier.
    """

    values: Values
    threshold: float


@dataclass(frozen=True)
class TierThreshold:
    """The threshold of a tier: a row is in the first tier whose threshold its score reaches.

    Attributes:
        tier: its name.
        threshold: for all rows; where groups have their own, what it is of all rows together.
        columns: those of the feature table that tell groups apart; none: all rows have one threshold.
        groups: the groups' own thresholds.
        unseen: that of rows of any other group; None: there are no groups.
    """

    tier: str
    threshold: float
    columns: tuple[str, ...] = ()
    groups: tuple[GroupThreshold, ...] = ()
    unseen: float | None = None

    def of_rows(self, rows: pa.Table) -> Floats:
        """The threshold of each row; `rows` have the columns."""
        if not self.columns or self.unseen is None:
            return np.full(len(rows), self.threshold)
        own = {group.values: group.threshold for group in self.groups}
        numbers, values = groups.values(rows, self.columns)
        return np.array([own.get(one, self.unseen) for one in values], np.float64)[numbers]


def read_tier(stored: Mapping[str, Any]) -> TierThreshold:
    """A tier as a manifest stores it.

    Raises:
        KeyError, TypeError, ValueError: it has another shape.
    """
    own = tuple(
        GroupThreshold(tuple(None if one is None else str(one) for one in group["values"]), float(group["threshold"]))
        for group in stored.get("groups", ())
    )
    columns, unseen = tuple(map(str, stored.get("columns", ()))), stored.get("unseen")
    if bool(columns) != (unseen is not None) or any(len(group.values) != len(columns) for group in own):
        raise ValueError(f"groups of {columns} have thresholds {own}, and {unseen} where unseen")
    threshold = float(stored["threshold"])
    return TierThreshold(str(stored["tier"]), threshold, columns, own, None if unseen is None else float(unseen))


def tier_of_evidence(stored: Mapping[str, Any]) -> TierThreshold:
    """A tier of the evidence of a training, see `learning.thresholds.Threshold`; of before tiers it has no name."""
    by_group = stored.get("by_group") or {}
    return read_tier({"tier": stored.get("tier", "act"), "threshold": stored["value"], **by_group})


def columns_of_tiers(tiers: Sequence[TierThreshold]) -> list[str]:
    """The columns that tell groups apart in some tier."""
    return list(dict.fromkeys(name for tier in tiers for name in tier.columns))


def tiers_of(scores: Floats, rows: pa.Table, tiers: Sequence[TierThreshold]) -> "pa.Array[Any]":
    """The name of each row's tier; null: it reaches none."""
    number = np.full(len(scores), len(tiers))
    for place in reversed(range(len(tiers))):
        number[scores >= tiers[place].of_rows(rows)] = place
    names = pa.array([*(tier.tier for tier in tiers), None], pa.string())
    return names.take(pa.array(number))
