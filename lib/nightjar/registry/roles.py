"""Which versions serve a night, and which score beside them: from one reading of `model_events`, as of a run date."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from nightjar.registry import events
from nightjar.registry.events import CHAMPION, Version
from nightjar.tables.warehouse import Warehouse

CHALLENGER, SHADOW = "challenger", "shadow"
"""Aliases of versions that score beside the champion."""
ASSIGNED, WITHDRAWN, ROLLED_BACK, SHARED = "assigned", "withdrawn", "rolled_back", "shared"
"""Events of these aliases: the version gets the alias; a person, or a guard metric, takes it away; the challenger
serves another share of the entities from then on."""
STOPPED, RESUMED = "stopped", "resumed"
"""Events of a version, whatever alias it has: nobody is served by it from then on; it may serve again."""
SHARE, REASON = "share", "reason"
"""In the evidence: the share of entities that the challenger serves; why, as a sentence."""


@dataclass(frozen=True)
class Challenge:
    """What the challenger does.

    Attributes:
        version: it holds from the date on which it became challenger.
        share: of entities that it serves; 0: it serves nobody, and scores beside the champion.
        share_since: the run date from which it serves as many.
    """

    version: Version
    share: float
    share_since: date

    @property
    def is_decided_for(self) -> bool:
        """Whether gates and people have said that it is to be champion; else a person lets it challenge, no more."""
        return events.OUTCOMES in self.version.evidence


@dataclass(frozen=True)
class Holders:
    """Who scores a night, by the events that hold on its date.

    Attributes:
        champion: None: none was promoted.
        previous: the champion before it that nobody was against, for when the champion cannot serve; None: none is.
        challenge: None: nobody challenges the champion.
        shadows: versions that score beside the others and serve nobody, by number.
        stopped: version -> why nobody may be served by it.
    """

    champion: Version | None
    previous: Version | None
    challenge: Challenge | None
    shadows: tuple[Version, ...]
    stopped: Mapping[str, str]

    def challenge_of(self, number: str) -> Challenge | None:
        """The challenge of a version; None: it does not challenge the champion."""
        return self.challenge if self.challenge is not None and self.challenge.version.number == number else None


def holders(warehouse: Warehouse, run_date: date = date.max) -> Holders:
    """The holders of all roles on a run date, as `model_events` says at one version of the table."""
    rows = [row for row in events.read(warehouse) if row["holds_from"] <= run_date]
    until = sorted(rows, key=lambda row: row["holds_from"])
    promoted = [events.version_of(row) for row in until if row["event"] == "promoted" and row["alias"] == CHAMPION]
    champion = promoted[-1] if promoted else None
    stopped = _stopped(until)
    others = [one for one in reversed(promoted) if champion is not None and one.number != champion.number]
    usable = (one for one in others if one.number not in stopped and events.opinion_in(rows, one.number).veto is None)
    return Holders(champion, next(usable, None), _challenge(until), tuple(_shadows(until)), stopped)


def assign(warehouse: Warehouse, version: Version, alias: str, reason: str, run_id: str, share: float = 0.0) -> int:
    """Let a version be challenger, or a shadow, from the date on from which it holds; the table's new version.

    Args:
        warehouse: of the project.
        version: with the date and the evidence to record.
        alias: `CHALLENGER` or `SHADOW`.
        reason: why.
        run_id: of this run.
        share: of entities that a challenger serves.
    """
    shared = {SHARE: share} if alias == CHALLENGER else {}
    return _record(warehouse, ASSIGNED, version, alias, {**version.evidence, REASON: reason, **shared}, run_id)


def share(
    warehouse: Warehouse, version: Version, of_entities: float, reason: str, evidence: Mapping[str, Any], run_id: str
) -> int:
    """Let the challenger serve another share of the entities, from the date on from which `version` holds."""
    figures = {REASON: reason, SHARE: of_entities, **evidence}
    return _record(warehouse, SHARED, version, CHALLENGER, figures, run_id)


def roll_back(warehouse: Warehouse, version: Version, reason: str, evidence: Mapping[str, Any], run_id: str) -> int:
    """The champion serves all again, from the date on from which `version` holds: a guard metric is breached."""
    return _record(warehouse, ROLLED_BACK, version, CHALLENGER, {REASON: reason, **evidence}, run_id)


def withdraw(
    warehouse: Warehouse, version: Version, alias: str, reason: str, evidence: Mapping[str, Any], run_id: str
) -> int:
    """A challenger or a shadow is none any more, from the date on from which `version` holds: a person says so."""
    return _record(warehouse, WITHDRAWN, version, alias, {REASON: reason, **evidence}, run_id)


def stop(warehouse: Warehouse, version: Version, reason: str, evidence: Mapping[str, Any], run_id: str) -> int:
    """Nobody is served by a version from the date on from which `version` holds, whatever its role is."""
    return _record(warehouse, STOPPED, version, None, {REASON: reason, **evidence}, run_id)


def resume(warehouse: Warehouse, version: Version, reason: str, evidence: Mapping[str, Any], run_id: str) -> int:
    """A version that was stopped may serve again."""
    return _record(warehouse, RESUMED, version, None, {REASON: reason, **evidence}, run_id)


def find_loss(warehouse: Warehouse, number: str) -> str | None:
    """Why a version has lost the alias of challenger, where it has not got it back; None where it has not lost it."""
    loss = None
    for row in events.read(warehouse):
        if row["model_version"] == number and row["alias"] == CHALLENGER:
            reason = events.version_of(row).evidence.get(REASON)
            is_loss = row["event"] in (WITHDRAWN, ROLLED_BACK)
            loss = f"It was challenger, and {row['event'].replace('_', ' ')}: {reason}" if is_loss else None
    return loss


def in_use(warehouse: Warehouse) -> list[Version]:
    """The versions that have a role by the last events, and the champion that would serve in the champion's stead."""
    now = holders(warehouse)
    challenger = None if now.challenge is None else now.challenge.version
    versions = [one for one in (now.champion, now.previous, challenger, *now.shadows) if one is not None]
    return list({one.number: one for one in versions}.values())


def _record(
    warehouse: Warehouse, event: str, version: Version, alias: str | None, evidence: Mapping[str, Any], run_id: str
) -> int:
    return events.record(warehouse, event, replace(version, evidence=evidence), run_id, alias)


def _challenge(until: Sequence[Mapping[str, Any]]) -> Challenge | None:
    """The last challenger, unless it has lost the alias since, or has become champion."""
    challenge = None
    for row in until:
        number = row["model_version"]
        if (row["event"], row["alias"]) == (ASSIGNED, CHALLENGER):
            version = events.version_of(row)
            challenge = Challenge(version, float(version.evidence.get(SHARE, 0.0)), row["holds_from"])
        elif challenge is None or challenge.version.number != number:
            continue
        elif row["event"] == SHARED:
            of_entities = float(events.version_of(row).evidence[SHARE])
            challenge = replace(challenge, share=of_entities, share_since=row["holds_from"])
        elif _ends(row, CHALLENGER):
            challenge = None
    return challenge


def _shadows(until: Sequence[Mapping[str, Any]]) -> Iterator[Version]:
    shadows: dict[str, Version] = {}
    for row in until:
        if (row["event"], row["alias"]) == (ASSIGNED, SHADOW):
            shadows[row["model_version"]] = events.version_of(row)
        elif _ends(row, SHADOW) or (row["event"], row["alias"]) == (ASSIGNED, CHALLENGER):
            shadows.pop(row["model_version"], None)
    yield from (shadows[number] for number in sorted(shadows, key=int))


def _ends(row: Mapping[str, Any], alias: str) -> bool:
    """Whether an event takes an alias away from its version."""
    is_loss = row["event"] in (WITHDRAWN, ROLLED_BACK) and row["alias"] == alias
    return is_loss or (row["event"], row["alias"]) == ("promoted", CHAMPION)


def _stopped(until: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    stopped: dict[str, str] = {}
    for row in until:
        if row["event"] == STOPPED:
            reason = events.version_of(row).evidence.get(REASON)
            stopped[row["model_version"]] = f"it was stopped from {row['holds_from']} on: {reason}"
        elif row["event"] == RESUMED:
            stopped.pop(row["model_version"], None)
    return stopped
