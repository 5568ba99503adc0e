"""Scores, instants and time spans, for people."""

from datetime import datetime, timedelta
from math import isnan
from zoneinfo import ZoneInfo

_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60))


def show_score(score: float | None) -> str:
    """A score with three digits."""
    return "–" if score is None or isnan(score) else f"{score:.3f}"


def show_instant(instant: datetime, zone: str) -> str:
    """An instant by the clocks of a zone."""
    return f"{instant.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}"


def show_span(span: timedelta) -> str:
    """How long it is, in its two greatest units, rounded down.

    Example:
        >>> [show_span(timedelta(minutes=minutes)) for minutes in (0, 59, 95, 3000)]
        ['less than a minute', '59 min', '1 h 35 min', '2 d 2 h']
    """
    rest, parts = int(span.total_seconds()), list[str]()
    for unit, seconds in _UNITS:
        count, rest = divmod(rest, seconds)
        if count and len(parts) < 2:
            parts.append(f"{count:,} {unit}")
        elif parts:
            break
    return " ".join(parts) or "less than a minute"
