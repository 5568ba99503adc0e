"""Whether a model deserves to be champion: decided from recorded evidence alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nightjar.settings.task import Metric

_UNDEFINED = {
    Metric.ROC_AUC: "only one class",
    Metric.AVERAGE_PRECISION: "no positive",
    Metric.R2: "labels that are all the same",
    Metric.NDCG: "no list with an order to judge",
}
"""Where a metric has no value, whatever the model; the others have one wherever there are rows."""


@dataclass(frozen=True)
class Decision:
    """Promoted or not, and why, in a sentence."""

    promoted: bool
    reason: str


def decide(evidence: Mapping[str, Any]) -> Decision:
    """A champion must beat the best baseline on the final period, with the whole 95% interval on the better side.

    Args:
        evidence: as in `nightjar.learning.final.Evidence`: the difference is candidate minus baseline, on the same
            rows, its interval over resampled days.
    """
    difference = evidence["difference"]
    low, high = difference["low"], difference["high"]
    what = f"{evidence['candidate']['name']} against {difference['over']} on {' to '.join(evidence['period'])}"
    if difference["estimate"] is None or low is None or high is None:
        undefined = _UNDEFINED.get(Metric(evidence["metric"]))
        why = f"too few days or {undefined}" if undefined else "too few days"
        return Decision(False, f"{what}: {evidence['metric']} cannot be compared, {why}.")
    figure = f"{evidence['metric']} {_told(difference['estimate'])}, 95% interval {_told(low)} to {_told(high)}"
    if (low if difference["better"] > 0 else -high) > 0:
        return Decision(True, f"{what}: better, {figure}.")
    return Decision(False, f"{what}: not reliably better, {figure}.")


def _told(value: float) -> str:
    """Four digits after the point, or as many as a small difference in the label's unit needs."""
    return f"{value:+.4f}" if abs(value) >= 0.001 or value == 0 else f"{value:+.3g}"
