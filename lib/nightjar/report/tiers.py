"""The tiers of a champion: the thresholds from which rows are acted on, what they reach, and what others would."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from nightjar.report.formatting import figure, shorten
from nightjar.report.svg import BOTTOM, RIGHT, rect, svg, text, upright

_WIDTH, _ROW, _NAMES = 480.0, 30.0, 110.0


@dataclass(frozen=True)
class GroupThresholds:
    """The thresholds that groups have of their own in a tier; None: it acts on no row of the group.

    Attributes:
        columns: by which groups are told apart, in words.
        values: group, by its values -> its threshold.
        unseen: that of rows of any other group.
    """

    columns: str
    values: Mapping[str, float | None]
    unseen: float | None


@dataclass(frozen=True)
class ShownTier:
    """A tier, or what it would be with another setting.

    Attributes:
        name: of the tier; of another setting empty.
        rule: its setting, in words.
        value: its threshold; None: it acts on no row.
        low, high: of the threshold; None: no bounds are stated.
        shortfall: why its rule could not be met; None: it is.
        figures: recall, precision, acted and cost -> estimate and bounds; None: undefined, or not stated.
        nights: of the period.
        nights_beyond: those of them with more rows than its capacity; None: it has none.
        alternatives: of slightly different settings.
        by_group: the thresholds of groups, where each has its own; `value` is then that of all rows together.
        by_row: what decides in place of `value`, in words; None: that does.
    """

    name: str
    rule: str
    value: float | None
    low: float | None
    high: float | None
    shortfall: str | None
    figures: Mapping[str, tuple[float | None, ...]]
    nights: int
    nights_beyond: int | None
    alternatives: Sequence["ShownTier"] = ()
    by_group: "GroupThresholds | None" = None
    by_row: str | None = None

    @property
    def is_priced(self) -> bool:
        """Whether its cost is stated."""
        return self.figures.get("cost", (None,))[0] is not None


def read_tiers(evidence: Mapping[str, Any]) -> list[ShownTier]:
    """The tiers of a version's evidence, in their order; evidence of before has none."""
    return [
        ShownTier(
            str(one["tier"]),
            str(one["rule"]),
            _threshold(one["value"]),
            one["low"],
            one["high"],
            one["shortfall"],
            {
                name: (value["estimate"], value["low"], value["high"])
                for name, value in one["reach"].items()
                if value is not None
            },
            one["nights"],
            one["nights_beyond"],
            [_alternative(other) for other in one["alternatives"]],
            _by_group(one.get("by_group")),
            _by_row(one),
        )
        for one in evidence.get("thresholds", ())
    ]


def chart(tiers: Sequence[ShownTier]) -> Markup | None:
    """The thresholds on the axis of scores, their bounds shaded, those of other settings hollow; None without any."""
    shown = [tier for tier in tiers if tier.value is not None]
    values = [value for tier in shown for value in _values(tier)]
    if not values:
        return None
    least, greatest = min(values), max(values)
    room = (greatest - least) * 0.06 or 0.01
    least, greatest = max(0.0, least - room), min(1.0, greatest + room)
    height = _ROW * len(shown) + BOTTOM

    def across(value: float) -> float:
        return _NAMES + (_WIDTH - _NAMES - RIGHT) * (min(max(value, least), greatest) - least) / (greatest - least)

    parts = [upright("grid", across(value), 0, height - BOTTOM) for value in (least, greatest)]
    for number, tier in enumerate(shown):
        middle = _ROW * (number + 0.5)
        parts.append(text("", _NAMES - 10, middle + 5, shorten(tier.name, 14), "end"))
        if tier.low is not None and tier.high is not None:
            extent = max(across(tier.high) - across(tier.low), 2.0)
            parts.append(rect("band", across(tier.low), middle - 9, extent, 18))
        hollow = [other for other in tier.alternatives if other.value is not None]
        parts += [_dot("dot hollow", across(other.value or 0), middle, other) for other in hollow]
        parts.append(_dot("dot", across(tier.value or 0), middle, tier))
    parts += [text("", across(least), height - 6, figure(least), "start")]
    parts += [text("", across(greatest), height - 6, figure(greatest), "end")]
    words = "; ".join(f"{tier.name} from {figure(tier.value)}" for tier in shown)
    return svg(_WIDTH, height, f"Thresholds by tier: {words}", parts)


def _values(tier: ShownTier) -> list[float]:
    others = [other.value for other in tier.alternatives]
    return [value for value in (tier.value, tier.low, tier.high, *others) if value is not None]


def _alternative(stored: Mapping[str, Any]) -> ShownTier:
    figures = {name: (value, None, None) for name, value in stored["reach"].items() if value is not None}
    return ShownTier("", str(stored["rule"]), _threshold(stored["value"]), None, None, None, figures, 0, None)


def _by_group(stored: Mapping[str, Any] | None) -> GroupThresholds | None:
    if stored is None:
        return None
    values = {
        ", ".join("null" if value is None else str(value) for value in group["values"]): _threshold(group["threshold"])
        for group in stored["groups"]
    }
    return GroupThresholds(" and ".join(stored["columns"]), values, _threshold(stored["unseen"]))


def _by_row(stored: Mapping[str, Any]) -> str | None:
    """Evidence of before does not say it."""
    if stored.get("at_most") is not None:
        return "its highest rows of each night are in it; the threshold is the one that acts on as many on average"
    if stored.get("prices") is not None:
        return "each row has a threshold of its own, by its amounts; the one shown would fit all rows together best"
    return None


def _threshold(value: float) -> float | None:
    """A threshold above 1 is above every probability."""
    return value if value <= 1 else None


def _dot(kind: str, x: float, y: float, tier: ShownTier) -> Markup:
    group = Markup('<g><title>{}: {}</title><circle class="{}" cx="{:.1f}" cy="{:.1f}" r="4.5"/></g>')
    return group.format(tier.rule, figure(tier.value), kind, x, y)
