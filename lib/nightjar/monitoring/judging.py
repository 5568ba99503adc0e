"""What the figures of an experiment say of the challenger, for its canary, and the alerts that follow."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nightjar.alerts.recording import Alert
from nightjar.evaluation.sequential_verdicts import Verdict
from nightjar.monitoring.experiment_figures import Figure
from nightjar.registry.canary import Judgement
from nightjar.registry.events import Version
from nightjar.settings.monitoring.alerting import Severity

HARM = (Verdict.BREACHED, Verdict.WORSE)
SHOWN = (Verdict.BETTER, Verdict.NOT_WORSE)


@dataclass(frozen=True)
class Judged:
    """What a night says of the challenger.

    Attributes:
        judgement: None: too little is seen for any step, not even back.
        evidence: the figures that decide, as JSON can say them.
        alerts: what somebody should look at.
    """

    judgement: Judgement | None
    evidence: Mapping[str, Any] = field(default_factory=dict)
    alerts: Sequence[Alert] = ()


def judge(version: Version, figures: Sequence[Figure], *, is_compared: bool = True) -> Judged:
    """Judge the challenger: harm that is shown rolls it back; a step needs every guard to have entities enough.

    Args:
        version: the challenger.
        figures: the main figure first, then those of guards.
        is_compared: whether there is an experiment; without one there is nothing to show.
    """
    if not is_compared:
        return Judged(Judgement.PASSED)
    if not figures:
        return Judged(None)
    subject, evidence = f"version {version.number}", {"experiment": [_evidence(one) for one in figures]}
    harm = [one for one in figures if one.verdict in HARM]
    if harm:
        reasons = " ".join(_harm(one) for one in harm)
        message = (
            f"Challenger {version.number} ({version.model_name}) is rolled back: {reasons} The champion serves all."
        )
        return Judged(Judgement.BREACHED, evidence, [Alert("rollback", subject, Severity.CRITICAL, message, evidence)])
    uncomputed = [one for one in figures if one.verdict is None]
    if uncomputed:
        reasons = " ".join(f"{one.name}: {one.reason}." for one in uncomputed)
        message = f"The experiment of version {version.number} cannot be judged, and its share does not grow. {reasons}"
        return Judged(None, evidence, [Alert("experiment", subject, Severity.WARNING, message)])
    main, *guards = figures
    if any(one.verdict is Verdict.OPEN for one in guards):
        return Judged(None, evidence)
    return Judged(Judgement.PASSED if main.verdict in SHOWN else Judgement.WAITING, evidence)


def in_words(figure: Figure) -> str:
    """The difference of a figure with its bounds."""
    return f"{_number(figure.difference)} ({_number(figure.low)} to {_number(figure.high)})"


def _harm(figure: Figure) -> str:
    what = "the guard is breached" if figure.verdict is Verdict.BREACHED else "it is shown to be worse"
    return (
        f"{figure.name}: {what}; the challenger's minus the champion's is {in_words(figure)}, "
        f"over {figure.entities[1]:,} and {figure.entities[0]:,} entities."
    )


def _number(value: float | None) -> str:
    return "no bound" if value is None else f"{value:.4g}"


def _evidence(figure: Figure) -> dict[str, Any]:
    names = ("name", "difference", "low", "high", "level", "entities", "means", "reason")
    verdict = None if figure.verdict is None else figure.verdict.value
    return {name: getattr(figure, name) for name in names} | {"verdict": verdict, "last_night": str(figure.last_night)}
