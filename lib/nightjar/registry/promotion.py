"""Whether a model deserves to be champion: decided from recorded evidence alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Decision:
    """Promoted or not, and why, in a sentence."""

    promoted: bool
    reason: str


def decide(evidence: Mapping[str, Any]) -> Decision:
    """A champion must beat the best baseline on the final period, with the whole 95% interval on the better side.

    Args:
        evidence: as in `nightjar.learning.final.Evidence`: the difference is candidate minus baseline, paired by row,
            its interval over resampled days.
    """
    difference = evidence["difference"]
    low, high = difference["low"], difference["high"]
    what = f"{evidence['candidate']['name']} against {difference['over']} on {' to '.join(evidence['period'])}"
    if difference["estimate"] is None or low is None or high is None:
        return Decision(False, f"{what}: {evidence['metric']} cannot be compared, too few days or only one class.")
    figure = f"{evidence['metric']} {difference['estimate']:+.4f}, 95% interval {low:+.4f} to {high:+.4f}"
    if (low if difference["better"] > 0 else -high) > 0:
        return Decision(True, f"{what}: better, {figure}.")
    return Decision(False, f"{what}: not reliably better, {figure}.")
