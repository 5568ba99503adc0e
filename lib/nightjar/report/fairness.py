"""How a champion treats the declared groups of rows: each beside all others, by its evidence."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from nightjar.report.formatting import points, shorten
from nightjar.report.svg import BOTTOM, RIGHT, svg, text, upright

CRITERIA = {
    "selection_rate": "acted on",
    "recall": "recall",
    "false_positive_rate": "false positive rate",
    "precision": "precision",
    "calibration_gap": "outcomes minus scores",
}
"""Criterion that has a picture -> its name for people."""
FOUR_FIFTHS = 0.8
_WIDTH, _ROW, _MARGIN = 320.0, 40.0, 8.0


@dataclass(frozen=True)
class ShownFigure:
    """One criterion of one group: its value, that of the rest, and how they compare; None where undefined."""

    size: int
    value: tuple[float | None, ...]
    rest: float | None
    against_rest: tuple[float | None, ...]
    reason: str | None

    @property
    def has_bounds(self) -> bool:
        """Whether the comparison says how sure it is."""
        return None not in self.against_rest

    def differs(self, equal: float = 0.0) -> bool:
        """Whether the whole interval of the comparison is on one side of equality."""
        _, low, high = self.against_rest
        return low is not None and high is not None and not low <= equal <= high


@dataclass(frozen=True)
class ShownGroup:
    """A group with its figures; `name` has its values, `title` its columns, too."""

    name: str
    title: str
    figures: Mapping[str, ShownFigure]

    @property
    def size(self) -> int:
        """All its rows."""
        return self.figures["selection_rate"].size


@dataclass(frozen=True)
class Grouping:
    """The groups of one column, or of a list of columns.

    Attributes:
        columns: in words; of several classes with the class that is predicted or not.
        confidence: of each comparison, such that all of the evidence hold together.
        groups: by their values.
    """

    columns: str
    confidence: float
    groups: Sequence[ShownGroup]

    def signals(self) -> list[str]:
        """The groups with a signal of disparate impact, in words."""
        return [
            f"{group.title}: acted on {ratio:.2f} times as often as the rest ({low:.2f} to {high:.2f})"
            for group in self.groups
            for ratio, low, high in [group.figures["disparate_impact"].against_rest]
            if ratio is not None and low is not None and high is not None and high < FOUR_FIFTHS
        ]


@dataclass(frozen=True)
class ShownMitigation:
    """What one kind of mitigation changes on the final period.

    Attributes:
        kind: its name.
        columns: by which groups are told apart, in words.
        goal: what it makes equal, in words.
        is_used: whether the model is made with it.
        reason: why it cannot be compared; None: it can.
        gaps: group -> how far it is from the rest without it and with it, each with its ends.
        prices: figure -> with it minus without it, with its ends.
    """

    kind: str
    columns: str
    goal: str
    is_used: bool
    reason: str | None
    gaps: Mapping[str, tuple[tuple[float | None, ...], tuple[float | None, ...]]]
    prices: Mapping[str, tuple[float | None, ...]]


def read_mitigation(evidence: Mapping[str, Any]) -> list[ShownMitigation]:
    """The kinds that a version's evidence compares, the one in use first."""
    shown = []
    for one in evidence.get("mitigation", ()):
        final: Mapping[str, Any] = next((part for part in one["periods"] if part["period"] == "final"), {"groups": ()})
        metric = final.get("metric")
        prices = {str(evidence.get("metric")): metric} if metric else {}
        shown.append(
            ShownMitigation(
                one["kind"],
                " and ".join(one["columns"]),
                str(one["goal"]).replace("_", " "),
                one["is_used"],
                one["reason"],
                {
                    ", ".join(group["group"]): (_ends_of(group["without"]), _ends_of(group["with"]))
                    for group in final["groups"]
                },
                {name: _ends_of(price) for name, price in (prices | final.get("prices", {})).items()},
            )
        )
    return shown


def read_fairness(evidence: Mapping[str, Any]) -> list[Grouping]:
    """The groupings of a version's evidence; evidence of before, or of a project without groups, has none."""
    figures: dict[tuple[tuple[str, ...], str | None], dict[tuple[str, ...], dict[str, ShownFigure]]] = {}
    confidence = 0.95
    for one in evidence.get("fairness", ()):
        of_columns = figures.setdefault((tuple(one["columns"]), one.get("class")), {})
        of_columns.setdefault(tuple(one["group"]), {})[one["criterion"]] = _figure(one)
        confidence = one["confidence"]
    return [
        Grouping(_in_words(columns, of_class), confidence, _groups(columns, of_class, own))
        for (columns, of_class), own in figures.items()
    ]


def charts_by_columns(groupings: Sequence[Grouping]) -> dict[str, list[tuple[str, Markup]]]:
    """The columns of each grouping, in words -> its pictures, see `charts`."""
    return {one.columns: charts(one) for one in groupings}


def charts(grouping: Grouping) -> list[tuple[str, Markup]]:
    """For each criterion its name, and a picture of how far each group with bounds is from the rest; on one scale."""
    shown = {name: [group for group in grouping.groups if group.figures[name].has_bounds] for name in CRITERIA}
    reach = max((abs(end) for name, groups in shown.items() for end in _ends(groups, name)), default=0.0)
    return [
        (CRITERIA[name], _chart(name, groups, max(reach * 1.04, 0.01), grouping.columns))
        for name, groups in shown.items()
        if groups
    ]


def _ends(groups: Sequence[ShownGroup], name: str) -> Iterator[float]:
    for group in groups:
        yield from (end for end in group.figures[name].against_rest if end is not None)


def _chart(name: str, groups: Sequence[ShownGroup], reach: float, columns: str) -> Markup:
    """A dot for each group and its interval as a line, left of the middle where the group has less than the rest."""
    height = _ROW * len(groups) + BOTTOM

    def across(value: float) -> float:
        return _MARGIN + (_WIDTH - _MARGIN - RIGHT) * (value + reach) / (2 * reach)

    parts = [upright("grid", across(value), 2, height - BOTTOM) for value in (-reach, reach)]
    parts.append(upright("diagonal", across(0), 2, height - BOTTOM))
    for number, group in enumerate(groups):
        estimate, low, high = (end or 0.0 for end in group.figures[name].against_rest)
        kind = " much" if group.figures[name].differs() else ""
        y = _ROW * number
        mark = Markup(
            '<g><title>{}</title><line class="line{}" x1="{:.1f}" x2="{:.1f}" y1="{:.1f}" y2="{:.1f}"/>'
            '<circle class="dot{}" cx="{:.1f}" cy="{:.1f}" r="4.5"/></g>'
        )
        words = f"{group.title}: {points(estimate)} points ({points(low)} to {points(high)})"
        parts.append(text("share", _MARGIN + 6, y + 15, shorten(group.name, 40), "start"))
        ends = (across(low), across(high), y + 28, y + 28)
        parts.append(mark.format(words, kind, *ends, kind, across(estimate), y + 28))
    labels = ((-reach, "start"), (0.0, "middle"), (reach, "end"))
    parts += [
        text("", across(value), height - 7, f"{points(value)} points" if value else "equal", at) for value, at in labels
    ]
    farthest = max(groups, key=lambda group: abs(group.figures[name].against_rest[0] or 0.0))
    gap = points(farthest.figures[name].against_rest[0] or 0.0)
    what = f"{CRITERIA[name].capitalize()} by {columns}, each group minus all others"
    return svg(_WIDTH, height, f"{what}; farthest apart: {farthest.name}, {gap} points", parts)


def _in_words(columns: Sequence[str], of_class: str | None) -> str:
    return " and ".join(columns) + ("" if of_class is None else f", predicted {of_class} or not")


def _groups(
    columns: Sequence[str], of_class: str | None, own: Mapping[tuple[str, ...], Mapping[str, ShownFigure]]
) -> list[ShownGroup]:
    suffix = "" if of_class is None else f" (class {of_class})"
    groups = [
        ShownGroup(
            ", ".join(values),
            ", ".join(f"{column}={value}" for column, value in zip(columns, values, strict=True)) + suffix,
            figures,
        )
        for values, figures in own.items()
    ]
    return sorted(groups, key=lambda group: group.title)


def _figure(one: Mapping[str, Any]) -> ShownFigure:
    value, against = one["value"] or {}, one["against_rest"] or {}
    reason = against.get("reason") or value.get("reason")
    return ShownFigure(one["size"], _ends_of(value), one["rest"], _ends_of(against), reason)


def _ends_of(interval: Mapping[str, Any]) -> tuple[float | None, ...]:
    return tuple(interval.get(name) for name in ("estimate", "low", "high"))
