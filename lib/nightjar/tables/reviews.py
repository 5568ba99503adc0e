"""What people did with cases: the actions of the table `reviews`, and what follows from those on one case."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow.compute as pc

from nightjar.settings.serving.reviewing import REVIEWS, Reviewing

CLAIM, RELEASE, DECIDE, UNDO = "claim", "release", "decide", "undo"
COLUMNS = (
    *("prediction_id", "number", "action", "decision", "proposal", "reason", "reviewer", "recorded_at"),
    *("claimed_until", "looks", "score", "tier", "run_date"),
)
"""The columns of the table that an `Action` is read from."""
TABLE = REVIEWS


@dataclass(frozen=True)
class Action:
    """What a person did with a case.

    Attributes:
        number: its place among the actions on the case, from 1.
        kind: `CLAIM`, `RELEASE`, `DECIDE` or `UNDO`.
        reviewer: who did it.
        recorded_at: when.
        decision: of `DECIDE`.
        proposal: what the tier proposed then; None: nothing.
        reason: why; None: none was given.
        claimed_until: of `CLAIM`.
        looks: of `DECIDE`: by how many people the case is to be decided.
        score: of the prediction, then.
        tier: the same.
    """

    number: int
    kind: str
    reviewer: str
    recorded_at: datetime
    decision: str | None = None
    proposal: str | None = None
    reason: str | None = None
    claimed_until: datetime | None = None
    looks: int | None = None
    score: float | None = None
    tier: str | None = None

    @property
    def overrides(self) -> bool:
        """Whether the person decided otherwise than was proposed."""
        return self.kind == DECIDE and self.proposal is not None and self.decision != self.proposal


def actions_by_case(rows: Iterable[Mapping[str, Any]]) -> dict[str, tuple[Action, ...]]:
    """Prediction id -> its actions in order, of rows with `COLUMNS`."""
    by_case: dict[str, list[Action]] = {}
    for row in rows:
        by_case.setdefault(row["prediction_id"], []).append(_action(row))
    return {name: tuple(sorted(actions, key=lambda one: one.number)) for name, actions in by_case.items()}


def _action(row: Mapping[str, Any]) -> Action:
    return Action(
        row["number"],
        row["action"],
        row["reviewer"],
        row["recorded_at"],
        row["decision"],
        row["proposal"],
        row["reason"],
        row["claimed_until"],
        row["looks"],
        row["score"],
        row["tier"],
    )


def valid_decisions(actions: Sequence[Action]) -> list[Action]:
    """The decisions that nobody took back, in order: each person's last one at most.

    Example:
        >>> from datetime import UTC, datetime
        >>> noon = datetime(2024, 4, 1, 12, tzinfo=UTC)
        >>> ada = Action(1, DECIDE, "ada", noon, decision="refuse", looks=2)
        >>> ben = Action(2, DECIDE, "ben", noon, decision="approve", looks=2)
        >>> [one.reviewer for one in valid_decisions([ada, ben, Action(3, UNDO, "ada", noon)])]
        ['ben']
    """
    by_reviewer: dict[str, Action] = {}
    for action in actions:
        if action.kind == DECIDE:
            by_reviewer[action.reviewer] = action
        elif action.kind == UNDO:
            by_reviewer.pop(action.reviewer, None)
    return sorted(by_reviewer.values(), key=lambda one: one.number)


def looks_of(decisions: Sequence[Action], drawn: int) -> int:
    """By how many people a case is to be decided: as its first decision recorded, else as is drawn for it now.

    Args:
        decisions: its valid ones.
        drawn: of a case that nobody has decided yet.
    """
    recorded = decisions[0].looks if decisions else None
    return drawn if recorded is None else recorded


def disagree(decisions: Sequence[Action]) -> bool:
    """Whether the first two decisions differ."""
    return len(decisions) > 1 and decisions[0].decision != decisions[1].decision


def final_decision(decisions: Sequence[Action], looks: int) -> Action | None:
    """The decision that holds: the only one, the second of two alike, or the third where two differ; None: none yet."""
    if looks == 1:
        return decisions[0] if decisions else None
    if disagree(decisions):
        return decisions[2] if len(decisions) > 2 else None
    return decisions[1] if len(decisions) > 1 else None


def is_decided(actions: Sequence[Action]) -> bool:
    """Whether a decision holds of a case with such actions: where there is one it says by how many people."""
    valid = valid_decisions(actions)
    return final_decision(valid, looks_of(valid, 1)) is not None


def is_case(settings: Reviewing, stored: Sequence[str]) -> pc.Expression:
    """Whether a row of `scores` is one that people are to look at."""
    looked_at = pc.scalar(False)
    if "tier" in stored and settings.tiers:
        looked_at |= pc.field("tier").isin(settings.tiers)
    if "abstained" in stored and settings.abstained:
        looked_at |= pc.field("abstained").is_valid()
    return looked_at
