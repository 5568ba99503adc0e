"""The decision whether a model becomes champion: from recorded evidence, or by a person who has seen it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nightjar.registry.gates.calibration import judge_calibration
from nightjar.registry.gates.differences import (
    BASELINES,
    CHAMPION,
    judge_attempt,
    judge_baselines,
    judge_champion,
    judge_period,
)
from nightjar.registry.gates.fairness import judge_fairness
from nightjar.registry.gates.origin import judge_freshness, judge_lineage, judge_schema, judge_signature
from nightjar.registry.gates.outcome import Outcome, Verdict
from nightjar.registry.gates.outcomes_seen import judge_outcomes
from nightjar.registry.gates.serving import judge_size, judge_speed
from nightjar.registry.gates.slices import judge_slices
from nightjar.settings.promotion import Promotion

ARTIFACT = "artifact"
"""In the evidence: what `inspection.inspect` says of the stored model."""


@dataclass(frozen=True)
class Decision:
    """Whether to promote, and the reason as a sentence.

    Attributes:
        outcomes: of all gates that there is something to judge by.
    """

    promoted: bool
    reason: str
    outcomes: tuple[Outcome, ...] = field(default=(), compare=False)

    def needs_person(self) -> bool:
        """Whether it is not promoted, though no gate refuses it."""
        return not self.promoted and all(one.verdict is not Verdict.REFUSED for one in self.outcomes)


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
    """A champion must pass every gate: those of its figures, and those of its artifact where the evidence has one.

    Where the evidence does not suffice, people may approve; who and why are then recorded beside the verdict of the
    evidence.

    Args:
        evidence: as in `nightjar.learning.evidence.Evidence`: the difference is candidate minus baseline, on the same
            rows, its interval over entities and blocks of time.
        settings: margins and limits; None: those by default.
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
    outcomes = judge(evidence, Promotion() if settings is None else settings)
    failed = [one for one in outcomes if one.verdict is not Verdict.PASSED]
    shown = failed or [one for one in outcomes if one.gate in (BASELINES, CHAMPION)]
    reason = " ".join(one.sentence for one in shown)
    if not approvals:
        return Decision(not failed, reason, outcomes)
    people = "; ".join(str(approval) for approval in approvals)
    return Decision(True, f"approved by {people}; {'by itself ' if failed else ''}{reason}", outcomes)


def judge(evidence: Mapping[str, Any], settings: Promotion) -> tuple[Outcome, ...]:
    """The outcomes of the gates, without those that the settings do not ask for."""
    baselines = judge_baselines(evidence)
    outcomes = [
        baselines,
        judge_period(evidence, is_better=baselines.verdict is Verdict.PASSED),
        judge_outcomes(evidence),
        judge_champion(evidence, settings),
        judge_attempt(evidence),
        judge_slices(evidence, settings),
        judge_fairness(evidence, settings),
        judge_calibration(evidence, settings),
        judge_speed(evidence, settings),
    ]
    artifact = evidence.get(ARTIFACT)
    if artifact is not None:
        outcomes += [
            judge_size(artifact, settings),
            judge_signature(artifact),
            judge_schema(artifact),
            judge_lineage(artifact),
            judge_freshness(artifact, settings),
        ]
    return tuple(one for one in outcomes if one is not None)
