"""Promotion: by the evidence of a training, by people, or back to an earlier champion; `model_events` says which."""

import logging
import os
import pwd
from dataclasses import asdict, replace

from nightjar.errors import UsageError
from nightjar.features.definitions import definitions_hash, label_hash
from nightjar.pipeline.step import Step
from nightjar.registry import events, tracking
from nightjar.registry.events import Version
from nightjar.registry.promotion import Approval, decide
from nightjar.settings import jobs
from nightjar.settings.jobs import Action, JobName
from nightjar.settings.project import Project
from nightjar.tables.runs import Outcome

log = logging.getLogger("nightjar.promote")


def promote(step: Step[jobs.Promote]) -> Outcome:
    """Do what the settings say: decide by the evidence, or record what a person has decided.

    Raises:
        UsageError: the version cannot be approved, rejected or rolled back to.
        ModelError: there is no such version, or MLflow fails.
    """
    _report_moved_alias(step)
    actions = {
        Action.DECIDE: _decide,
        Action.APPROVE: _approve,
        Action.REJECT: _reject,
        Action.ROLLBACK: _roll_back,
    }
    outcome = Outcome()
    actions[step.settings.action](step, outcome)
    return outcome


def is_current_winner(champion: Version | None, project: Project) -> bool:
    """Whether the champion is a winner, trained on the project's current definitions or without a record of them."""
    return champion is not None and not champion.is_stand_in and _is_current(champion, project)


def _is_current(version: Version, project: Project) -> bool:
    current = {events.DEFINITIONS: definitions_hash(project), events.LABEL_HASH: label_hash(project)}
    return all(version.evidence.get(name) in (None, digest) for name, digest in current.items())


def _decide(step: Step[jobs.Promote], outcome: Outcome) -> None:
    """Make the version trained for the date champion, or refuse it.

    Where it is refused and no other winner is champion, the baseline declared by the training stands in.
    """
    step.require(JobName.TRAIN, JobName.PROMOTE)
    version = events.newest_registered(step.warehouse, step.run_date)
    decision, people = decide(version.evidence, step.project.promotion), step.project.promotion.approvals
    if decision.promoted and not people:
        _record(step, outcome, "promoted", version, decision.reason)
        return
    reason = decision.reason
    if decision.promoted:
        command = f"jobs/promote.py ... run_date={step.run_date} action=approve version={version.number} reason=..."
        who = "a person approves it" if people == 1 else f"{people} different people approve it"
        reason = f"{reason} It becomes champion once {who}: {command}"
    _record(step, outcome, "refused", version, reason)
    stand_in = events.find_stand_in(step.warehouse, step.run_date)
    holds = events.find_champion(step.warehouse, step.run_date)
    if stand_in is not None and not is_current_winner(holds, step.project):
        why = f"Stands in for version {version.number}, which was refused."
        _record(step, outcome, "promoted", stand_in, why)


def _approve(step: Step[jobs.Promote], outcome: Outcome) -> None:
    """Record a person's approval; with the last one that is needed, the version becomes champion."""
    version, user, needed = _named_version(step), _user(), step.project.promotion.approvals
    _require_current(version, step.project)
    before = events.approvals(step.warehouse, version.number)
    if user in {approval.user for approval in before}:
        raise UsageError(
            f"version {version.number}: {user} has approved it already; the {needed} people that "
            "project.promotion.approvals asks for are different users of the operating system. Nothing was written."
        )
    approval = Approval(user, step.settings.by, str(step.settings.reason))
    all_approvals = [*before, approval]
    _record(step, outcome, "approved", version, str(approval), approval)
    missing = needed - len(all_approvals)
    if missing > 0:
        log.info("version %s: %s more to approve it, until then it is no champion", version.number, missing)
        return
    _record(step, outcome, "promoted", version, decide(version.evidence, step.project.promotion, all_approvals).reason)


def _reject(step: Step[jobs.Promote], outcome: Outcome) -> None:
    """Record that a person refuses the version; approvals of before no longer count."""
    version = _named_version(step)
    holds = events.find_champion(step.warehouse, step.run_date)
    if holds is not None and holds.number == version.number:
        raise UsageError(
            f"version {version.number} is champion on {step.run_date}. To have the one before it back: "
            "action=rollback. Nothing was written."
        )
    approval = Approval(_user(), step.settings.by, str(step.settings.reason))
    _record(step, outcome, "refused", version, f"rejected by {approval}", approval)


def _roll_back(step: Step[jobs.Promote], outcome: Outcome) -> None:
    """Let an earlier champion hold again from the run date on."""
    warehouse, number = step.warehouse, step.settings.version
    last, holds = events.find_champion(warehouse), events.find_champion(warehouse, step.run_date)
    if last is None or holds is None:
        raise UsageError(f"no champion holds on {step.run_date}: there is nothing to roll back. Nothing was written.")
    if last.holds_from > step.run_date:
        raise UsageError(
            f"run_date={step.run_date}: version {last.number} was promoted for {last.holds_from}, after that, and "
            f"would still hold from then on. Roll back from there: run_date={last.holds_from}. Nothing was written."
        )
    earlier = [one for one in events.promotions(warehouse) if one.number != holds.number]
    named = [one for one in earlier if number is None or one.number == str(number)]
    if not named:
        which = "no other version has" if number is None else f"version {number} has never"
        raise UsageError(f"{which} been champion before version {holds.number}. Nothing was written.")
    version = named[-1]
    _require_current(version, step.project)
    approval = Approval(_user(), step.settings.by, str(step.settings.reason))
    why = f"rolled back from version {holds.number} by {approval}"
    _record(step, outcome, "promoted", version, why, approval)


def _named_version(step: Step[jobs.Promote]) -> Version:
    """The version of the settings, or the newest of the run date."""
    if step.settings.version is None:
        return events.newest_registered(step.warehouse, step.run_date)
    return events.registered(step.warehouse, str(step.settings.version))


def _require_current(version: Version, project: Project) -> None:
    if not _is_current(version, project):
        raise UsageError(
            f"version {version.number} was trained on other definitions of features or label than the project has "
            "now, and cannot score what they build. Restore them, or train anew. Nothing was written."
        )


def _user() -> str:
    """The user of the operating system who runs this: what a setting says could be said by anybody."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container may run as a user that it does not name
        return f"user {os.getuid()}"


def _report_moved_alias(step: Step[jobs.Promote]) -> None:
    """Warn where MLflow's alias names another version than the last promotion: somebody has moved it by hand."""
    holds = events.find_champion(step.warehouse)
    alias = None if holds is None else tracking.find_alias(step.home, step.project.name, events.CHAMPION)
    if holds is not None and alias not in (None, holds.number):
        log.warning(
            "MLflow names version %s the champion of %s, and model_events version %s since %s: the alias was moved by "
            "hand, which changes no score. To promote a version: action=approve or action=rollback.",
            alias,
            step.project.name,
            holds.number,
            holds.holds_from,
        )


def _record(
    step: Step[jobs.Promote],
    outcome: Outcome,
    event: str,
    version: Version,
    reason: str,
    approval: Approval | None = None,
) -> None:
    if event == "promoted":
        tracking.require_version(step.home, step.project.name, version.number)
    log.info("version %s (%s) %s: %s", version.number, version.model_name, event, reason)
    person = {} if approval is None else {events.APPROVAL: asdict(approval)}
    evidence = {**version.evidence, "decision": event, "reason": reason, **person}
    decided = replace(version, holds_from=step.run_date, evidence=evidence)
    alias = None if event == "approved" else events.CHAMPION
    outcome.outputs["model_events"] = events.record(step.warehouse, event, decided, step.run_id, alias)
    if event == "promoted":
        tracking.set_alias(step.home, step.project.name, events.CHAMPION, version.number)
