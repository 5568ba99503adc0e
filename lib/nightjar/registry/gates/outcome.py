"""The outcome of a gate, and how its figures are written."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Verdict(StrEnum):
    """What a gate says. Harm that is shown refuses; what cannot be shown either way is left to a person."""

    PASSED = "passed"
    REFUSED = "refused"
    PERSON = "a person decides"


@dataclass(frozen=True)
class Outcome:
    """What a gate says of a version.

    Attributes:
        gate: its name.
        verdict: only a version that passes all is promoted by its evidence.
        sentence: why, with the figures.
        figure: what was judged, of several the one nearest to its limit or farthest beyond; None: there is none.
        limit: what it was compared with; None: there is no number.
        rows: how many rows the figure is over; None: it is not of rows.
    """

    gate: str
    verdict: Verdict
    sentence: str
    figure: float | None = None
    limit: float | None = None
    rows: int | None = None


def has_bounds(interval: Mapping[str, Any]) -> bool:
    """Whether a recorded interval has an estimate and both ends."""
    return all(interval[name] is not None for name in ("estimate", "low", "high"))


def in_words(metric: str, interval: Mapping[str, Any], confidence: float | None = None) -> str:
    """A difference with its interval, such as "roc_auc +0.0500, 95% interval +0.0100 to +0.0900"."""
    estimate, low, high = (signed(interval[name]) for name in ("estimate", "low", "high"))
    share = interval.get("confidence", 0.95) if confidence is None else confidence
    return f"{metric} {estimate}, {100 * share:.5g}% interval {low} to {high}"


def signed(value: float) -> str:
    """Four digits after the point, or three significant ones of a tiny or huge difference in the label's unit."""
    return f"{value:+.4f}" if 0.001 <= abs(value) < 1e9 or value == 0 else f"{value:+.3g}"
