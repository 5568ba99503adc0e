"""What was predicted beside what came of it, by deciles of the scores of judged dates."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from nightjar.report.formatting import compact, percent
from nightjar.report.performance import JudgedDate
from nightjar.report.svg import AXIS_WIDTH, BOTTOM, RIGHT, TOP, grid_line, svg, text

OUTCOMES = {"positive_rate": "rate", "accuracy": "share of right predictions", "mean_label": "mean outcome"}
"""The measure that says what came of a decile -> its name for people."""
_WIDTH, _HEIGHT = 480.0, 300.0


@dataclass(frozen=True)
class Decile:
    """Rows of similar scores: how many, the mean of their scores and that of their outcomes."""

    number: int
    rows: int
    score: float
    outcome: float


@dataclass(frozen=True)
class Reliability:
    """The deciles of all final dates together.

    Attributes:
        outcome: the measure that says what came of them.
        deciles: by ascending score.
        dates: how many dates there are in them.
    """

    outcome: str
    deciles: Sequence[Decile]
    dates: int

    @property
    def is_share(self) -> bool:
        """Whether scores and outcomes are shares."""
        return self.outcome != "mean_label"


def reliability_of(judged: Sequence[JudgedDate]) -> Reliability | None:
    """That of all dates whose outcomes are final; None where there is none."""
    final = [date for date in judged if not date.is_provisional and "decile 1" in date.slices]
    outcome = next((name for name in OUTCOMES if final and name in final[0].slices["decile 1"]), None)
    if outcome is None:
        return None
    deciles = []
    for number in range(1, 11):
        of_dates = [date.slices.get(f"decile {number}", {}) for date in final]
        pairs = [(one["mean_score"], one[outcome]) for one in of_dates if "mean_score" in one and outcome in one]
        complete = [(score, came) for score, came in pairs if score.value is not None and came.value is not None]
        rows = sum(score.rows for score, _ in complete)
        if rows:
            means = [sum((one.value or 0.0) * one.rows for one in side) / rows for side in zip(*complete, strict=True)]
            deciles.append(Decile(number, rows, *means))
    return Reliability(outcome, deciles, len(final)) if deciles else None


def chart(reliability: Reliability) -> Markup:
    """A dot for each decile; on the line what came is what was predicted."""
    values = [value for one in reliability.deciles for value in (one.score, one.outcome)]
    low, high = _tenths(min(values), max(values)) if reliability.is_share else _padded(min(values), max(values))

    def across(value: float) -> float:
        return AXIS_WIDTH + (_WIDTH - AXIS_WIDTH - RIGHT) * (value - low) / (high - low)

    def up(value: float) -> float:
        return _HEIGHT - BOTTOM - (_HEIGHT - BOTTOM - TOP) * (value - low) / (high - low)

    shown = percent if reliability.is_share else compact
    marks = [low, (low + high) / 2, high]
    parts = [grid_line(up(value), _WIDTH, shown(value)) for value in marks]
    parts.append(
        Markup('<path class="diagonal" d="M{:.1f} {:.1f}L{:.1f} {:.1f}"/>').format(
            across(low), up(low), across(high), up(high)
        )
    )
    for one in reliability.deciles:
        words = f"decile {one.number}, {one.rows:,} rows: predicted {shown(one.score)}, came {shown(one.outcome)}"
        group = Markup('<g><title>{}</title><circle class="dot" cx="{:.1f}" cy="{:.1f}" r="4.5"/></g>')
        parts.append(group.format(words, across(one.score), up(one.outcome)))
    for value, anchor in zip(marks, ("start", "middle", "end"), strict=True):
        parts.append(text("", across(value), _HEIGHT - 6, shown(value), anchor))
    worst = max(reliability.deciles, key=lambda one: abs(one.score - one.outcome))
    title = (
        f"Predicted (across) beside {OUTCOMES[reliability.outcome]} (up) by decile; decile {worst.number} is farthest "
        f"apart: {shown(worst.score)} predicted, {shown(worst.outcome)} came"
    )
    return svg(_WIDTH, _HEIGHT, title, parts)


def _tenths(low: float, high: float) -> tuple[float, float]:
    """The tenths around shares."""
    return math.floor(low * 10) / 10, max(math.ceil(high * 10), math.floor(low * 10) + 1) / 10


def _padded(low: float, high: float) -> tuple[float, float]:
    room = 0.06 * (high - low) or max(abs(high), 1.0) * 0.06
    return low - room, high + room
