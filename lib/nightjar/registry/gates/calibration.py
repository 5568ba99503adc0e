"""Whether the probabilities of a version are off by more than the project allows."""

from collections.abc import Mapping
from typing import Any

from nightjar.registry.gates.outcome import Outcome, Verdict, has_bounds
from nightjar.settings.promotion import Promotion

CALIBRATION = "calibration"
LEAST_ROWS = 1000
"""So many show an error of 0.15 to be above a limit of 0.05 in most periods, half as many in a third."""


def judge_calibration(evidence: Mapping[str, Any], settings: Promotion) -> Outcome | None:
    """The calibration error is not shown to be above the limit; None: the project declares none."""
    limit, gates = settings.calibration_error, evidence.get("gates") or {}
    if limit is None:
        return None
    error = gates.get("calibration")
    if error is None or not has_bounds(error):
        why = "it was not measured" if error is None else error["reason"]
        sentence = f"Whether the calibration error is above {limit:g} cannot be said: {why}."
        return Outcome(CALIBRATION, Verdict.PERSON, sentence, None, limit, None if error is None else error["rows"])
    if error["rows"] < LEAST_ROWS:
        sentence = (
            f"Whether the calibration error is above {limit:g} cannot be said: {error['rows']} rows are fewer than "
            f"{LEAST_ROWS}."
        )
        return Outcome(CALIBRATION, Verdict.PERSON, sentence, error["estimate"], limit, error["rows"])
    interval = f"{100 * gates['confidence']:.5g}% interval {error['low']:.4f} to {error['high']:.4f}"
    figure = f"The calibration error is {error['estimate']:.4f}, {interval}"
    is_beyond = error["low"] > limit
    verdict, word = (Verdict.REFUSED, "above") if is_beyond else (Verdict.PASSED, "not shown to be above")
    return Outcome(CALIBRATION, verdict, f"{figure}, {word} {limit:g}.", error["estimate"], limit, error["rows"])
