"""The swap sets of a version's evidence, in words."""

from collections.abc import Mapping
from typing import Any


def describe(swaps: Mapping[str, Any]) -> str:
    """Whose decision would change, for the log; see `learning.swaps`."""
    parts = []
    for name, what in (("in", "acted on from now on"), ("out", "no longer acted on")):
        rows, share, rate = (swaps[name][part] for part in ("rows", "share", "outcome_rate"))
        true = f", {_percent(rate)} of them True" if rate["estimate"] is not None else ""
        parts.append(f"{rows:,} rows {what} ({_percent(share)}{true})")
    return f"decisions that differ from the champion's: {'; '.join(parts)}"


def _percent(figure: Mapping[str, Any]) -> str:
    estimate, low, high = (figure[name] for name in ("estimate", "low", "high"))
    bounds = "" if low is None or high is None else f", {100 * low:.2f}% to {100 * high:.2f}%"
    return f"{100 * estimate:.2f}%{bounds}"
