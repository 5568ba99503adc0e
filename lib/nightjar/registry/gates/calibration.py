"""Whether the probabilities of a version are off by more than the project allows."""

from collections.abc import Mapping
from typing import Any

from nightjar.registry.gates.outcome import Outcome, Verdict, has_bounds
from nightjar.settings.promotion import Promotion

CALIBRATION = "calibration"
LEAST_ROWS = 1000
"""So many show an error of 0.15 to be above a limit of 0.05 in most periods, half as many in a third."""
HARM = 0.1
"""An interval that reaches so far beyond the limit shows nothing either way: it is of too few nights."""


def judge_calibration(evidence: Mapping[str, Any], settings: Promotion) -> Outcome | None:
    """The calibration error is not shown to be above the limit; None: the project declares none.

    Of several classes that of each against the rest: the one that is shown to be farthest above.
    """
    limit, gates = settings.calibration_error, evidence.get("gates") or {}
    if limit is None:
        return None
    errors = gates.get("calibration_by_class") or [gates.get("calibration")]
    bounded = [one for one in errors if one is not None and has_bounds(one) and one["rows"] >= LEAST_ROWS]
    farthest = max(bounded, key=lambda one: float(one["low"]), default=None)
    if farthest is not None and farthest["low"] > limit:
        return _outcome(Verdict.REFUSED, farthest, "above", limit, gates)
    open_ones = [one for one in errors if one not in bounded or one["high"] > limit + HARM]
    if farthest is None or open_ones:
        return _unknown(open_ones[0], limit)
    return _outcome(Verdict.PASSED, farthest, "not shown to be above", limit, gates)


def _outcome(verdict: Verdict, error: Mapping[str, Any], word: str, limit: float, gates: Mapping[str, Any]) -> Outcome:
    interval = f"{100 * gates['confidence']:.5g}% interval {error['low']:.4f} to {error['high']:.4f}"
    sentence = f"The {_name(error)} is {error['estimate']:.4f}, {interval}, {word} {limit:g}."
    return Outcome(CALIBRATION, verdict, sentence, error["estimate"], limit, error["rows"])


def _unknown(error: Mapping[str, Any] | None, limit: float) -> Outcome:
    estimate, rows = (None, None) if error is None else (error["estimate"], error["rows"])
    why = "it was not measured" if error is None else error["reason"]
    if error is not None and why is None:
        is_wide = error["rows"] >= LEAST_ROWS
        why = f"one of {error['high']:.2f} is not excluded" if is_wide else f"{rows} rows are fewer than {LEAST_ROWS}"
    sentence = f"Whether the {_name(error or {})} is above {limit:g} cannot be said: {why}."
    return Outcome(CALIBRATION, Verdict.PERSON, sentence, estimate, limit, rows)


def _name(error: Mapping[str, Any]) -> str:
    return f"calibration error of class {error['class']}" if "class" in error else "calibration error"
