"""The decision whether a model becomes champion: from recorded evidence, or by a person who has seen it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nightjar.registry.period import this_period_only
from nightjar.registry.unobserved import objection
from nightjar.settings.promotion import Promotion

_ADVICE = "Use a longer final period (search.final_days), or have a person promote it (jobs/promote.py action=approve)."
_EXPLORE = (
    "Have a person promote it (jobs/promote.py action=approve), or let some rows be left alone, whatever their score "
    "(project.feedback.exploration), so that outcomes are seen."
)


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


def decide(
    evidence: Mapping[str, Any], settings: Promotion | None = None, approvals: Sequence[Approval] = ()
) -> Decision:
    """A champion must beat every baseline on the final period, with the whole 95% interval on the better side.

    It must also be better than the champion that it would replace, or not worse, as the settings say. The period must
    have at least three blocks of time: metrics of fewer hold for that period only. Where the evidence does not suffice,
    people may approve; who and why are then recorded beside the verdict of the evidence.

    Args:
        evidence: as in `nightjar.learning.evidence.Evidence`: the difference is candidate minus baseline, on the same
            rows, its interval over entities and blocks of time.
        settings: margins to the champion, in the metric's unit; None: those by default.
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
    verdict = _judge(evidence, Promotion() if settings is None else settings)
    if not approvals:
        return verdict
    people = "; ".join(str(approval) for approval in approvals)
    return Decision(True, f"approved by {people}; {'' if verdict.promoted else 'by itself '}{verdict.reason}")


def _judge(evidence: Mapping[str, Any], settings: Promotion) -> Decision:
    period, metric, strongest = " to ".join(evidence["period"]), evidence["metric"], evidence["difference"]
    others = evidence.get("differences", {})  # evidence of before has the strongest one only
    for difference in [strongest, *(one for one in others.values() if one["over"] != strongest["over"])]:
        what = f"{evidence['candidate']['name']} against {difference['over']} on {period}"
        if not _has_bounds(difference):
            return Decision(False, f"{what}: {_without_bounds(metric, difference)}.")
        if _worst(difference) <= 0:
            return Decision(False, f"{what}: not reliably better, {_figure(metric, difference)}.")
    what = f"{evidence['candidate']['name']} against {strongest['over']} on {period}"
    why_only = this_period_only(evidence)
    if why_only is not None:
        only = f"better in this period only, {_figure(metric, strongest)}: {why_only}"
        return Decision(False, f"{what}: {only}. {_ADVICE}")
    why_person = objection(evidence)
    if why_person is not None:
        return Decision(False, f"{what}: better, {_figure(metric, strongest)}. {why_person} {_EXPLORE}")
    verdict = f"{what}: better, {_figure(metric, strongest)}."
    of_champion = _judge_against_champion(evidence.get("champion"), metric, settings)
    return Decision(of_champion.promoted, f"{verdict} {of_champion.reason}".rstrip())


def _judge_against_champion(champion: Mapping[str, Any] | None, metric: str, settings: Promotion) -> Decision:
    if champion is None:
        return Decision(True, "")
    what = f"Against {champion['over']}"
    if not _has_bounds(champion):
        return Decision(False, f"{what}: {_without_bounds(metric, champion)}. {_ADVICE}")
    margin = settings.better_by if settings.not_worse_by is None else -settings.not_worse_by
    margin_in_words = f"better by {margin:g}" if margin > 0 else f"not worse by {-margin:g}" if margin < 0 else "better"
    figure, worst = f"{_figure(metric, champion)}, {champion['basis']}", _worst(champion)
    if worst < margin or worst == margin == 0:
        return Decision(False, f"{what}: not reliably {margin_in_words}, {figure}.")
    return Decision(True, f"{what}: {margin_in_words}, {figure}.")


def _has_bounds(difference: Mapping[str, Any]) -> bool:
    return all(difference[name] is not None for name in ("estimate", "low", "high"))


def _worst(difference: Mapping[str, Any]) -> float:
    """The end of the interval at which the new model is worst, positive where it is better there too."""
    return float(difference["low"] if difference["better"] > 0 else -difference["high"])


def _figure(metric: str, difference: Mapping[str, Any]) -> str:
    estimate, low, high = (_format(difference[name]) for name in ("estimate", "low", "high"))
    return f"{metric} {estimate}, 95% interval {low} to {high}"


def _without_bounds(metric: str, difference: Mapping[str, Any]) -> str:
    reason = difference.get("reason") or "its evidence, of an earlier version, does not say why"
    if difference["estimate"] is None:
        return f"{metric} cannot be compared: {reason}"
    return f"{metric} {_format(difference['estimate'])} has no interval: {reason}"


def _format(value: float) -> str:
    """Four digits after the point, or three significant ones of a tiny or huge difference in the label's unit."""
    return f"{value:+.4f}" if 0.001 <= abs(value) < 1e9 or value == 0 else f"{value:+.3g}"
