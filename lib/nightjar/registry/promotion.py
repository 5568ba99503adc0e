"""The decision whether a model becomes champion: from recorded evidence, or by a person who has seen it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nightjar.registry.period import this_period_only

_ADVICE = "Use a longer final period (search.final_days), or have a person promote it (jobs/promote.py action=approve)."


@dataclass(frozen=True)
class Decision:
    """Whether to promote, and the reason as a sentence."""

    promoted: bool
    reason: str


@dataclass(frozen=True)
class Approval:
    """A person's decision about a version.

    Attributes:
        user: of the operating system.
        by: on whose behalf, as that user says; None: the user's own.
        reason: as a sentence.
    """

    user: str
    by: str | None
    reason: str

    def __str__(self) -> str:
        """In words, for logs and reports."""
        return f"{self.user}{f' for {self.by}' if self.by else ''}: {self.reason}"


def decide(evidence: Mapping[str, Any], approvals: Sequence[Approval] = ()) -> Decision:
    """A champion must beat the best baseline on the final period, with the whole 95% interval on the better side.

    The period must have at least three blocks of time: metrics of fewer hold for that period only. Where the evidence
    does not suffice, a person may approve; name and reason are then recorded beside the verdict of the evidence.

    Args:
        evidence: as in `nightjar.learning.evidence.Evidence`: the difference is candidate minus baseline, on the same
            rows, its interval over entities and blocks of time.
        approvals: of people; none: by evidence alone.

    Example:
        >>> evidence = {
        ...     "metric": "roc_auc",
        ...     "period": ["2024-03-01", "2024-03-28"],
        ...     "candidate": {"name": "boosting"},
        ...     "difference": {"over": "rate", "better": 1, "estimate": 0.1, "low": 0.04, "high": 0.16},
        ...     "clusters": {"entities": 665, "blocks": 28, "block_days": 1},
        ... }
        >>> decide(evidence).promoted
        True
        >>> decide(evidence | {"clusters": {"entities": 665, "blocks": 2, "block_days": 14}}).promoted
        False
    """
    verdict = _judge(evidence)
    if not approvals:
        return verdict
    people = "; ".join(str(approval) for approval in approvals)
    return Decision(True, f"approved by {people}; {'' if verdict.promoted else 'by itself '}{verdict.reason}")


def _judge(evidence: Mapping[str, Any]) -> Decision:
    difference = evidence["difference"]
    low, high = difference["low"], difference["high"]
    what = f"{evidence['candidate']['name']} against {difference['over']} on {' to '.join(evidence['period'])}"
    if difference["estimate"] is None or low is None or high is None:
        return Decision(False, f"{what}: {_without_bounds(evidence['metric'], difference)}.")
    figure = f"{evidence['metric']} {_format(difference['estimate'])}, 95% interval {_format(low)} to {_format(high)}"
    if (low if difference["better"] > 0 else -high) <= 0:
        return Decision(False, f"{what}: not reliably better, {figure}.")
    why_only = this_period_only(evidence)
    if why_only is not None:
        return Decision(False, f"{what}: better in this period only, {figure}: {why_only}. {_ADVICE}")
    return Decision(True, f"{what}: better, {figure}.")


def _without_bounds(metric: str, difference: Mapping[str, Any]) -> str:
    reason = difference.get("reason") or "its evidence, of an earlier version, does not say why"
    if difference["estimate"] is None:
        return f"{metric} cannot be compared: {reason}"
    return f"{metric} {_format(difference['estimate'])} has no interval: {reason}"


def _format(value: float) -> str:
    """Four digits after the point, or three significant ones of a tiny or huge difference in the label's unit."""
    return f"{value:+.4f}" if 0.001 <= abs(value) < 1e9 or value == 0 else f"{value:+.3g}"
