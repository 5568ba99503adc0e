"""One case: what has been done with it, how it looks to a person, and what that person may do next."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from nightjar.errors import ReviewError
from nightjar.settings.choices import Choice
from nightjar.settings.serving.reviewing import Reviewing
from nightjar.tables.drawing import uniform
from nightjar.tables.reviews import (
    CLAIM,
    DECIDE,
    RELEASE,
    UNDO,
    Action,
    final_decision,
    looks_of,
    valid_decisions,
)


class Status(Choice):
    """How a case looks to a person: open, claimed by somebody else, theirs, waiting for another person, or decided."""

    OPEN = "open"
    MINE = "mine"
    CLAIMED = "claimed"
    WAITING = "waiting"
    DECIDED = "decided"


@dataclass(frozen=True)
class History:
    """What has been done with a case.

    Attributes:
        actions: in order.
        looks: by how many people it is to be decided.
        now: the instant of which this is true: claims end.
    """

    actions: tuple[Action, ...]
    looks: int
    now: datetime

    @property
    def decisions(self) -> list[Action]:
        """Those that nobody took back."""
        return valid_decisions(self.actions)

    @property
    def final(self) -> Action | None:
        """The decision that holds."""
        return final_decision(self.decisions, self.looks)

    @property
    def claim(self) -> Action | None:
        """The claim that keeps others off now."""
        for action in reversed(self.actions):
            if action.kind == CLAIM:
                until = action.claimed_until
                return action if until is not None and until > self.now else None
            if action.kind in (RELEASE, DECIDE):  # whoever decides has the case no longer
                return None
        return None

    def own_decision(self, reviewer: str) -> Action | None:
        """What a person has decided and not taken back."""
        return next((one for one in self.decisions if one.reviewer == reviewer), None)

    def status(self, reviewer: str) -> Status:
        """How the case looks to a person, who does not see that it waits for a second look."""
        if self.final is not None:
            return Status.DECIDED
        if self.own_decision(reviewer) is not None:
            return Status.WAITING
        if self.claim is None:
            return Status.OPEN
        return Status.MINE if self.claim.reviewer == reviewer else Status.CLAIMED

    def visible(self, reviewer: str) -> list[Action]:
        """What a person may see of it: until all is decided, of others only their claim."""
        if self.final is not None:
            return list(self.actions)
        return [one for one in self.actions if one.reviewer == reviewer or one is self.claim]


def history_of(prediction_id: str, actions: Sequence[Action], settings: Reviewing, now: datetime) -> History:
    """The history of a case by its actions, in order."""
    drawn = 2 if is_looked_at_twice(prediction_id, settings.looked_at_twice) else 1
    return History(tuple(actions), looks_of(valid_decisions(actions), drawn), now)


def is_looked_at_twice(prediction_id: str, share: float) -> bool:
    """Whether a case is drawn for two people: a hash draws, so that a greater share draws those of a smaller one.

    Example:
        >>> sum(is_looked_at_twice(str(number), 0.1) for number in range(1000))
        90
    """
    return uniform("looked at twice", prediction_id) < share


def require_possible(history: History, kind: str, reviewer: str) -> None:
    """Refuse what a person may not do with a case as it is.

    Raises:
        ReviewError: says who has it, or what was decided.
    """
    own, claim, final = history.own_decision(reviewer), history.claim, history.final
    if kind == UNDO:
        if own is None:
            raise ReviewError("There is no decision of yours on this case to take back.")
        return
    if final is not None:
        raise ReviewError(
            f"This case is decided: {final.reviewer} decided {final.decision} at {_clock(final)}. "
            "Who decided can take it back."
        )
    if own is not None:
        raise ReviewError(f"You have decided this case at {_clock(own)}: another person looks at it next.")
    if claim is not None and claim.reviewer != reviewer:
        raise ReviewError(
            f"{claim.reviewer} claimed this case at {_clock(claim)} and has it until {claim.claimed_until:%H:%M} UTC. "
            "Take another one."
        )
    if kind == RELEASE and claim is None:
        raise ReviewError("This case is not claimed: there is nothing to give back.")


def require_unchanged(history: History, seen: int, reviewer: str) -> None:
    """Refuse what is based on another state than the present one.

    Args:
        history: as it is.
        seen: how many actions the person saw.
        reviewer: that person.

    Raises:
        ReviewError: somebody did something since; says who and what, unless the person may not see it yet.
    """
    since = history.actions[seen:]
    if not since:
        return
    last, nothing = since[-1], "Nothing of yours was recorded: look at it again."
    if last not in history.visible(reviewer):
        raise ReviewError(f"This case has changed since you opened it. {nothing}")
    what = {CLAIM: "claimed", RELEASE: "gave back", DECIDE: "decided", UNDO: "took back a decision on"}[last.kind]
    raise ReviewError(f"{last.reviewer} {what} this case at {_clock(last)}, after you opened it. {nothing}")


def _clock(action: Action) -> str:
    return f"{action.recorded_at:%H:%M:%S} UTC"
