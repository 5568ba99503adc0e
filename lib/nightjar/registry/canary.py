"""How a canary goes on: the challenger's next share, the champion's place, or back; as `model_events` records it."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import Enum
from typing import Any

from nightjar.registry import events, roles
from nightjar.registry.roles import Challenge
from nightjar.settings.serving.canary import Canary
from nightjar.tables import arrow, scan
from nightjar.tables.predictions import CHALLENGER_ROLE
from nightjar.tables.warehouse import Warehouse

log = logging.getLogger("nightjar.promote")


class Judgement(Enum):
    """What a night's figures say of a challenger.

    BREACHED: a guard metric is worse than it may be. WAITING: guards hold, and what has to be shown is not shown yet.
    PASSED: guards hold, and there is nothing left to show.
    """

    BREACHED = "breached"
    WAITING = "waiting"
    PASSED = "passed"


@dataclass(frozen=True)
class Move:
    """What happens to a challenger from the next night on.

    Attributes:
        event: `rolled_back`, `shared` or `promoted`.
        share: of entities that it serves then.
        reason: as a sentence.
    """

    event: str
    share: float
    reason: str


def next_move(canary: Canary, challenge: Challenge, nights: int, judgement: Judgement) -> Move | None:
    """What follows from a judgement on a night; None: all stays as it is.

    A step is taken once its nights are over and guards hold, and the last one, to champion, only where what has to be
    shown is shown, of a version that gates and people have decided for. Steps grow from the share that the challenger
    has, whatever was declared when it began.

    Args:
        canary: the project's.
        challenge: of the night.
        nights: that the challenger has scored at its share, up to the night.
        judgement: on the night.

    Example:
        >>> version = events.Version("2", "boosting", date(2024, 4, 1), {})
        >>> begun = Challenge(version, share=0.1, share_since=date(2024, 4, 1))
        >>> canary = Canary(steps=[0.1, 0.5], nights=3)
        >>> next_move(canary, begun, 2, Judgement.WAITING)
        >>> next_move(canary, begun, 3, Judgement.WAITING).share
        0.5
    """
    number = challenge.version.number
    if judgement is Judgement.BREACHED:
        return Move(roles.ROLLED_BACK, 0.0, f"Version {number} has breached a guard metric: the champion serves all.")
    if not canary.steps or nights < canary.nights:
        return None
    over = f"Guard metrics have held for {nights} nights at {challenge.share:.0%} of the entities"
    further = [share for share in canary.steps if share > challenge.share]
    if further:
        return Move(roles.SHARED, further[0], f"{over}: version {number} serves {further[0]:.0%} from now on.")
    if judgement is Judgement.PASSED and challenge.is_decided_for:
        return Move("promoted", 1.0, f"{over}, the last of its steps: version {number} becomes champion.")
    if judgement is Judgement.PASSED:
        log.info("%s, the last of its steps; a person let it challenge: action=approve version=%s", over, number)
    return None


def advance(
    warehouse: Warehouse,
    canary: Canary,
    run_date: date,
    run_id: str,
    judgement: Judgement,
    evidence: Mapping[str, Any] | None = None,
) -> Move | None:
    """Record what follows from a night's judgement, from the next night on; what that is, None where nothing.

    A rerun of the night records nothing again: what holds on the next night is decided then. A challenger that may
    serve nobody, that a person is against, or that has no scores of the night goes no further; harm brings it back.

    Args:
        warehouse: of the project.
        canary: its settings.
        run_date: the night that was judged.
        run_id: of this run.
        judgement: on the challenger of that night.
        evidence: figures, as JSON can say them.
    """
    now, after = roles.holders(warehouse, run_date), run_date + timedelta(days=1)
    challenge = now.challenge
    if challenge is None or _is_decided(warehouse, challenge, after):
        return None
    nights, number = nights_scored(warehouse, challenge, run_date), challenge.version.number
    move = next_move(canary, challenge, len(nights), judgement)
    if move is None:
        return None
    is_barred = number in now.stopped or events.opinion(warehouse, number).veto is not None
    if move.event != roles.ROLLED_BACK and (is_barred or run_date not in nights):
        return None
    version, figures = replace(challenge.version, holds_from=after), dict(evidence or {})
    if move.event == roles.ROLLED_BACK:
        roles.roll_back(warehouse, version, move.reason, figures, run_id)
    elif move.event == roles.SHARED:
        roles.share(warehouse, version, move.share, move.reason, figures, run_id)
    else:
        decision = {"decision": "promoted", "reason": move.reason, **figures}
        decided = replace(version, evidence={**version.evidence, **decision})
        events.record(warehouse, "promoted", decided, run_id, events.CHAMPION)
    log.warning("%s", move.reason) if move.event == roles.ROLLED_BACK else log.info("%s", move.reason)
    return move


def is_rolled_back(warehouse: Warehouse, run_date: date) -> bool:
    """Whether it is recorded that the challenger of a night has lost its role to the night's judgement."""
    challenge, after = roles.holders(warehouse, run_date).challenge, run_date + timedelta(days=1)
    return challenge is not None and any(
        (row["event"], row["model_version"], row["holds_from"]) == (roles.ROLLED_BACK, challenge.version.number, after)
        for row in events.read(warehouse)
    )


def nights_scored(warehouse: Warehouse, challenge: Challenge, run_date: date) -> set[date]:
    """The nights since the challenger has its share, up to a run date, of which it has scores."""
    if not arrow.exists(warehouse, "scores"):
        return set()
    number, since = challenge.version.number, challenge.share_since
    return {
        file.partition["run_date"]
        for file in scan.snapshot(warehouse, "scores").files
        if file.partition["role"] == CHALLENGER_ROLE
        and since <= file.partition["run_date"] <= run_date
        and file.rows
        and file.may_hold("model_version", number, number)
    }


def _is_decided(warehouse: Warehouse, challenge: Challenge, after: date) -> bool:
    """Whether something was recorded of the challenger already that holds from the next night, or a later one, on."""
    number = challenge.version.number
    return any(
        row["model_version"] == number and row["holds_from"] >= after
        for row in events.read(warehouse)
        if row["event"] in (roles.SHARED, roles.ROLLED_BACK, roles.WITHDRAWN, roles.STOPPED, "promoted")
    )
