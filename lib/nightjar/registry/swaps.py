"""The swap sets of a version's evidence, in words."""

from collections.abc import Mapping
from typing import Any


def describe(swaps: Mapping[str, Any]) -> str:
    """Whose decision would change, for the log; see `learning.swaps`."""
    if "reason" in swaps:
        return f"decisions that differ from the champion's are not known: {swaps['reason']}"
    if "classes" in swaps:
        return f"another class than the champion's: {_of_classes(swaps)}{_described(swaps)}"
    sets = _sets(swaps, "acted on from now on", "no longer acted on", right="True")
    return f"decisions that differ from the champion's: {sets}{_described(swaps)}"


def _described(swaps: Mapping[str, Any]) -> str:
    """What the tests of both say, which decides nothing; evidence of before has none."""
    described = swaps.get("described")
    if described is None:
        return ""
    counts = f"{described['new_alone_right']:,} rows are right by the new one alone, "
    counts += f"{described['champion_alone_right']:,} by the champion alone"
    test = described["durkalski"]
    return f"; {counts}" + ("" if test is None else f" (p = {test['p']:.3g} by Durkalski's test over blocks of time)")


def _of_classes(swaps: Mapping[str, Any]) -> str:
    changed = f"{swaps['rows']:,} rows ({_percent(swaps['changed'])})"
    sets = [
        f"{name}: {_sets(of_class, 'predicted from now on', 'no longer predicted')}"
        for name, of_class in swaps["classes"].items()
        if any(of_class[one]["rows"] for one in ("in", "out"))
    ]
    return "; ".join([changed, *sets])


def _sets(swaps: Mapping[str, Any], of_in: str, of_out: str, right: str = "of it") -> str:
    parts = []
    for name, what in (("in", of_in), ("out", of_out)):
        rows, share, rate = (swaps[name][part] for part in ("rows", "share", "outcome_rate"))
        true = f", {_percent(rate)} of them {right}" if rate["estimate"] is not None else ""
        parts.append(f"{rows:,} rows {what} ({_percent(share)}{true})")
    return "; ".join(parts)


def _percent(figure: Mapping[str, Any]) -> str:
    estimate, low, high = (figure[name] for name in ("estimate", "low", "high"))
    bounds = "" if low is None or high is None else f", {100 * low:.2f}% to {100 * high:.2f}%"
    return f"{100 * estimate:.2f}%{bounds}"
