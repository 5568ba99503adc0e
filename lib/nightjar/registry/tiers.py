"""The thresholds of tiers, for all rows, by group or of each row, and the tier of each row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from nightjar.errors import TableError
from nightjar.tables import groups
from nightjar.tables.groups import Values

Floats = npt.NDArray[np.float64]
SHOWN = 3
"""How many strange amounts are named."""
Price = float | str
"""A number, or the column of the feature table that has it."""


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
        prices: what a missed row and a false alarm cost, by which each row has a threshold of its own; `threshold` is
            then what fits all rows together. None: there are none.
        at_most: the tier has so many rows of each night, those with the highest raw score, and no threshold decides;
            `threshold` is then the one that acts on as many on average. None: it has no such limit.
    """

    tier: str
    threshold: float
    columns: tuple[str, ...] = ()
    groups: tuple[GroupThreshold, ...] = ()
    unseen: float | None = None
    prices: tuple[Price, Price] | None = None
    at_most: int | None = None

    def of_rows(self, rows: pa.Table) -> Floats:
        """The threshold of each row; `rows` have the columns.

        Raises:
            ModelError: an amount is no number of 0 or more.
        """
        if self.prices is not None:
            return row_thresholds(*(_amounts(price, rows, self.tier) for price in self.prices))
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
    threshold, prices, at_most = float(stored["threshold"]), stored.get("prices"), stored.get("at_most")
    return TierThreshold(
        str(stored["tier"]),
        threshold,
        columns,
        own,
        None if unseen is None else float(unseen),
        None if prices is None else _prices(prices),
        None if at_most is None else int(at_most),
    )


def tier_of_evidence(stored: Mapping[str, Any]) -> TierThreshold:
    """A tier of the evidence of a training, see `learning.thresholds.Threshold`; of before tiers it has no name."""
    by_group = stored.get("by_group") or {}
    by_row = {name: stored.get(name) for name in ("prices", "at_most")}
    return read_tier({"tier": stored.get("tier", "act"), "threshold": stored["value"], **by_row, **by_group})


def is_limited(tiers: Sequence[TierThreshold]) -> bool:
    """Whether some tier has so many rows of each night, by their raw scores."""
    return any(tier.at_most is not None for tier in tiers)


def columns_of_tiers(tiers: Sequence[TierThreshold]) -> list[str]:
    """The columns that tell groups apart in some tier, or have the amounts of one."""
    prices = [price for tier in tiers for price in tier.prices or () if isinstance(price, str)]
    return list(dict.fromkeys([*(name for tier in tiers for name in tier.columns), *prices]))


def tiers_of(scores: Floats, rows: pa.Table, tiers: Sequence[TierThreshold]) -> "pa.Array[Any]":
    """The name of each row's tier by thresholds; null: it reaches none.

    A tier that has so many rows of each night takes them once all of these are scored, see `scoring.capacity`: until
    then its rows are in a tier after it, or in none.

    Raises:
        ModelError: see `TierThreshold.of_rows`.
    """
    number = np.full(len(scores), len(tiers))
    for place in reversed(range(len(tiers))):
        if tiers[place].at_most is None:
            number[scores >= tiers[place].of_rows(rows)] = place
    names = pa.array([*(tier.tier for tier in tiers), None], pa.string())
    return names.take(pa.array(number))


def row_thresholds(missed: Floats, false_alarm: Floats) -> Floats:
    """The least probability of True of which acting on a row is expected to cost less than not acting on it.

    Source: Elkan (2001), The foundations of cost-sensitive learning, equation 2, with the costs of each row. Where both
    cost the same, nobody acts; a row that costs nothing either way is not acted on.

    Example:
        >>> row_thresholds(np.array([90.0, 0.0]), np.array([10.0, 0.0])).round(3).tolist()
        [0.1, inf]
    """
    total = missed + false_alarm
    share = np.divide(false_alarm, total, out=np.full(len(total), np.inf), where=total > 0)
    thresholds: Floats = np.nextafter(share, np.inf)
    return thresholds


def _amounts(price: Price, rows: pa.Table, tier: str) -> Floats:
    """The price in each row.

    Raises:
        TableError: it is no number of 0 or more in some row; the night's own fault, whichever model scores it.
    """
    if not isinstance(price, str):
        return np.full(len(rows), price)
    amounts: Floats = np.asarray(rows[price].cast(pa.float64(), safe=False).to_numpy(), np.float64)
    strange = amounts[~(np.isfinite(amounts) & (amounts >= 0))]
    if len(strange):
        shown = ", ".join("null or NaN" if np.isnan(one) else f"{one:g}" for one in np.unique(strange)[:SHOWN])
        raise TableError(
            f"Column {price} of table features holds {shown} in {len(strange):,} of {len(rows):,} rows: expected an "
            f"amount of 0 or more, by which tier {tier} decides (project.costs). Correct it in its source and build "
            "features again, or name a derived column that has none of them (project.spine.derived)."
        )
    return amounts


def _prices(stored: Sequence[Any]) -> tuple[Price, Price]:
    missed, false_alarm = (one if isinstance(one, str) else float(one) for one in stored)
    return missed, false_alarm
