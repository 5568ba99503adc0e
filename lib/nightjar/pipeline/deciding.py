"""Decisions about versions, as `promote` records them: which version, by whom, and why."""

import logging
import os
import pwd
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import date
from types import MappingProxyType
from typing import Any

from nightjar.errors import UsageError
from nightjar.features.definitions import definitions_hash, label_hash
from nightjar.pipeline.step import Step
from nightjar.registry import aliases, events, tracking
from nightjar.registry.events import Version
from nightjar.registry.gates.origin import SCHEMA, SIGNATURE
from nightjar.registry.gates.outcome import Outcome as GateOutcome
from nightjar.registry.gates.outcome import Verdict
from nightjar.registry.lifetime import lifetime
from nightjar.registry.promotion import Approval
from nightjar.settings import jobs
from nightjar.settings.project import Project
from nightjar.tables.runs import Outcome

log = logging.getLogger("nightjar.promote")
NO_DETAILS: Mapping[str, Any] = MappingProxyType({})


def is_current_winner(champion: Version | None, project: Project, run_date: date) -> bool:
    """Whether the champion is a winner that has not expired, of the project's current definitions or without a record
    of them.
    """
    if champion is None or champion.is_stand_in or lifetime(champion.evidence).has_expired(run_date):
        return False
    return is_current(champion, project)


def is_current(version: Version, project: Project) -> bool:
    """Whether a version is of the project's current definitions, or has no record of them."""
    return version.is_of(definitions_hash(project), label_hash(project))


def named_version(step: Step[jobs.Promote]) -> Version:
    """The version of the settings, or the newest of the run date."""
    if step.settings.version is None:
        return events.newest_registered(step.warehouse, step.run_date)
    return events.registered(step.warehouse, str(step.settings.version))


def require_current(version: Version, project: Project, run_date: date) -> None:
    """Refuse a version that could not score what is built now.

    Raises:
        UsageError: it has expired, or is of other definitions.
    """
    dates = lifetime(version.evidence)
    if dates.has_expired(run_date):
        raise UsageError(
            f"version {version.number} has expired on {dates.expires_on}, and would score nothing on {run_date}. Train "
            "anew, or name another version. Nothing was written."
        )
    if not is_current(version, project):
        raise UsageError(
            f"version {version.number} was trained on other definitions of features or label than the project has "
            "now, and cannot score what they build. Restore them, or train anew. Nothing was written."
        )


def require_usable(version: Version, outcomes: Sequence[GateOutcome]) -> None:
    """Raise UsageError where no score could be made with the version, whoever approves it."""
    refusals = [one for one in outcomes if one.gate in (SIGNATURE, SCHEMA) and one.verdict is Verdict.REFUSED]
    if refusals:
        raise UsageError(
            f"version {version.number} cannot score, whoever approves it: {refusals[0].sentence} Nothing was written."
        )


def approval(step: Step[jobs.Promote]) -> Approval:
    """Who acts, on whose behalf, and why."""
    return Approval(user(), step.settings.by, str(step.settings.reason))


def user() -> str:
    """The user of the operating system who runs this: what a setting says could be said by anybody."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container may run as a user that it does not name
        return f"user {os.getuid()}"


def record(
    step: Step[jobs.Promote],
    outcome: Outcome,
    event: str,
    version: Version,
    reason: str,
    approval: Approval | None = None,
    details: Mapping[str, Any] = NO_DETAILS,
) -> None:
    """Record what is decided of a version, for the run date, with its evidence."""
    if event == "promoted":
        tracking.require_version(step.home, step.project.name, version.number)
    log.info("version %s (%s) %s: %s", version.number, version.model_name, event, reason)
    person = {} if approval is None else {events.APPROVAL: asdict(approval)}
    evidence = {**version.evidence, "decision": event, "reason": reason, **person, **details}
    decided = replace(version, holds_from=step.run_date, evidence=evidence)
    alias = None if event == "approved" else events.CHAMPION
    outcome.outputs["model_events"] = events.record(step.warehouse, event, decided, step.run_id, alias)
    if event == "promoted":  # a later date's stays MLflow's, and who was challenger is none any more
        aliases.repeat(step.home, step.warehouse)
