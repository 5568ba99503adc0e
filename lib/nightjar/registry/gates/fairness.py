"""Whether groups lie farther apart than the project allows in what is decided for their rows."""

from collections.abc import Mapping, Sequence
from typing import Any

from nightjar.registry.gates.outcome import Outcome, Verdict, has_bounds
from nightjar.settings.promotion import Promotion

FAIRNESS = "fairness"


def judge_fairness(evidence: Mapping[str, Any], settings: Promotion) -> Outcome | None:
    """No two groups are shown to lie farther apart than the limit of a rate; None: the project declares none."""
    limits, columns = settings.fairness.limits(), list(settings.fairness.groupings())
    if not columns:
        return None
    gates = evidence.get("gates") or {}
    measured = {(column, rate) for column, rate in gates.get("fairness_of") or []}
    missing = sorted({(column, rate) for column in columns for rate in limits} - measured)
    if missing:
        names = ", ".join(f"{_words(rate)} by {column}" for column, rate in missing)
        return Outcome(FAIRNESS, Verdict.PERSON, f"Its training did not measure {names}.")
    judged = [one for one in gates["fairness"] if one["column"] in columns and one["rate"] in limits]
    bounded = [one for one in judged if has_bounds(one) and one["size"] >= settings.fairness.least_rows]
    farthest = max(bounded, key=lambda one: _least_gap(one) - limits[one["rate"]], default=None)
    if farthest is not None and _least_gap(farthest) > limits[farthest["rate"]]:
        return _outcome(Verdict.REFUSED, f"{_pair(farthest, gates)}, more than", farthest, limits)
    open_ones = [one for one in judged if one not in bounded]
    if open_ones:
        first = open_ones[0]
        why = first["reason"] or f"{first['size']} rows are fewer than {settings.fairness.least_rows}"
        others = f" (and {len(open_ones) - 1} more pairs)" if len(open_ones) > 1 else ""
        group, other = (group_in_words(one) for one in first["groups"])
        between = f"{first['column']}={group} and {other}{others}"
        sentence = f"The {_rate(first)} of {between} cannot be compared: {why}."
        return Outcome(FAIRNESS, Verdict.PERSON, sentence, first["estimate"], limits[first["rate"]], first["size"])
    if farthest is None:
        return Outcome(FAIRNESS, Verdict.PASSED, f"There is only one group of {', '.join(columns)} in the period.")
    return _outcome(Verdict.PASSED, f"{_pair(farthest, gates)}, not shown to be more than", farthest, limits)


def group_in_words(values: str | Sequence[str]) -> str:
    """A group by its value, or by its values of several columns."""
    return values if isinstance(values, str) else ", ".join(values)


def _outcome(verdict: Verdict, what: str, one: Mapping[str, Any], limits: Mapping[str, float]) -> Outcome:
    limit = limits[one["rate"]]
    return Outcome(FAIRNESS, verdict, f"{what} {limit:g}.", abs(one["estimate"]), limit, one["size"])


def _least_gap(difference: Mapping[str, Any]) -> float:
    """The least distance of the two rates that the interval allows."""
    return max(0.0, float(difference["low"]), -float(difference["high"]))


def _pair(one: Mapping[str, Any], gates: Mapping[str, Any]) -> str:
    (group, other), (rate, rate_of_other) = map(group_in_words, one["groups"]), one["rates"]
    bounds = f"{100 * gates['confidence']:.5g}% interval {one['low']:+.3f} to {one['high']:+.3f}"
    shares = f"{100 * rate:.1f}% of {group}, {100 * rate_of_other:.1f}% of {other}"
    what = f"{_rate(one).capitalize()} by {one['column']}"
    return f"{what}: {shares}, difference {one['estimate']:+.3f}, {bounds}"


def _rate(one: Mapping[str, Any]) -> str:
    of_class = f" of class {one['class']}" if "class" in one else ""
    return f"{_words(one['rate'])}{of_class}"


def _words(rate: str) -> str:
    return rate.replace("_", " ")
