"""Promotion: by the evidence of a training, by people, or back to an earlier champion; `model_events` says which."""

import logging
from dataclasses import asdict
from datetime import date
from functools import partial
from typing import Any

import pyarrow.compute as pc

from nightjar.errors import UsageError
from nightjar.pipeline import cards, deciding, gates, role_actions
from nightjar.pipeline.step import Step
from nightjar.registry import aliases, events, roles, tracking
from nightjar.registry.events import Version
from nightjar.registry.promotion import Decision
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
    aliases.reconcile(step.home, step.warehouse)
    actions = {
        Action.DECIDE: _decide,
        Action.APPROVE: _approve,
        Action.REJECT: _reject,
        Action.ROLLBACK: _roll_back,
        Action.CHALLENGE: role_actions.challenge,
        Action.SHADOW: role_actions.shadow,
        Action.WITHDRAW: role_actions.withdraw,
        Action.STOP: role_actions.stop,
        Action.RESUME: role_actions.resume,
    }
    outcome, champion = Outcome(), events.find_champion(step.warehouse)
    actions[step.settings.action](step, outcome)
    step.on_done.append(partial(cards.write_of_run, step, champion))
    return outcome


def _decide(step: Step[jobs.Promote], outcome: Outcome) -> None:
    """Make the version trained for the date champion, or refuse it.

    Where it is refused and no other winner is champion, the baseline declared by the training stands in.
    """
    step.require(JobName.TRAIN, JobName.PROMOTE)
    version = events.newest_registered(step.warehouse, step.run_date)
    opinion, needed = events.opinion(step.warehouse, version.number), step.project.promotion.approvals
    holds = events.find_champion(step.warehouse, step.run_date)
    if opinion.approvals and holds is not None and holds.number == version.number:
        log.info("version %s is champion since people have approved it: there is nothing to decide", version.number)
        return
    challenge = roles.holders(step.warehouse, step.run_date).challenge_of(version.number)
    if challenge is not None:
        log.info("version %s is challenger since %s", version.number, challenge.version.holds_from)
        return
    version = gates.inspect(step, version)
    decision = gates.decide(step, version)
    gates.show(version, decision.outcomes)
    against = opinion.veto or roles.find_loss(step.warehouse, version.number)
    against = against or _compared_with_another(version, holds, step.project, step.run_date)
    if decision.promoted and against is None and len(opinion.approvals) >= needed:
        decision = gates.decide(step, version, opinion.approvals)
        if _is_recorded(step, "promoted", version, decision.reason):
            return
        role_actions.promote(step, outcome, version, decision.reason, _outcomes(decision))
        return
    reason = decision.reason
    command = f"jobs/promote.py ... run_date={step.run_date} action=approve version={version.number} reason=..."
    if decision.needs_person():
        reason = f"{reason} A person decides: {command}"
    if decision.promoted:
        who = "a person approves it" if needed == 1 else f"{needed} different people approve it"
        reason = f"{reason} {against or f'It becomes champion once {who}'}: {command}"
    if not _is_recorded(step, "refused", version, reason):
        deciding.record(step, outcome, "refused", version, reason, details=_outcomes(decision))
    stand_in = events.find_stand_in(step.warehouse, step.run_date)
    if stand_in is not None and not deciding.is_current_winner(holds, step.project, step.run_date):
        why = f"Stands in for version {version.number}, which was refused."
        if not _is_recorded(step, "promoted", stand_in, why):
            deciding.record(step, outcome, "promoted", stand_in, why)


def _is_recorded(step: Step[jobs.Promote], event: str, version: Version, reason: str) -> bool:
    """Whether the last event of a version is this decision: of a run that was ended before it could say so."""
    rows = events.read(step.warehouse, pc.field("model_version") == version.number)
    last = events.version_of(rows[-1])
    is_same = last.holds_from == step.run_date and last.evidence.get("reason") == reason
    if rows[-1]["event"] != event or not is_same:
        return False
    log.info("version %s is %s for %s already: %s", version.number, event, step.run_date, reason)
    return True


def _compared_with_another(version: Version, holds: Version | None, project: Project, run_date: date) -> str | None:
    """The reason why the evidence says nothing of the champion that holds; None where it does, or there is none."""
    if holds is None or holds.number == version.number or not deciding.is_current_winner(holds, project, run_date):
        return None
    compared = (version.evidence.get("champion") or {}).get("version")
    if compared == holds.number:
        return None
    what = "no champion" if compared is None else f"version {compared}"
    return (
        f"It was compared with {what}, and version {holds.number} is champion by now. Train anew, or have a person "
        "approve it"
    )


def _approve(step: Step[jobs.Promote], outcome: Outcome) -> None:
    """Record a person's approval; with the last one that is needed, the version becomes champion."""
    version, approval, needed = deciding.named_version(step), deciding.approval(step), step.project.promotion.approvals
    deciding.require_current(version, step.project, step.run_date)
    tracking.require_version(step.home, step.project.name, version.number)
    version = gates.inspect(step, version)
    deciding.require_usable(version, gates.decide(step, version).outcomes)
    approvals, holds = events.opinion(step.warehouse, version.number).approvals, events.find_champion(step.warehouse)
    has_approved = approval.user in {one.user for one in approvals}
    if has_approved and holds is not None and holds.number == version.number:
        raise UsageError(
            f"version {version.number} is champion, and {approval.user} has approved it. Nothing was written."
        )
    if has_approved and len(approvals) < needed:
        raise UsageError(
            f"version {version.number}: {approval.user} has approved it already; the {needed} people that "
            "project.promotion.approvals asks for are different users of the operating system. Nothing was written."
        )
    if not has_approved:
        approvals = (*approvals, approval)
        deciding.record(step, outcome, "approved", version, str(approval), approval)
    missing = needed - len(approvals)
    if missing > 0:
        log.info("version %s: %s more to approve it, until then it is no champion", version.number, missing)
        return
    decision = gates.decide(step, version, approvals)
    gates.show(version, decision.outcomes)
    role_actions.promote(step, outcome, version, decision.reason, _outcomes(decision))


def _reject(step: Step[jobs.Promote], outcome: Outcome) -> None:
    """Record that a person refuses the version; approvals of before no longer count."""
    version = deciding.named_version(step)
    holds = events.find_champion(step.warehouse, step.run_date)
    if holds is not None and holds.number == version.number:
        raise UsageError(
            f"version {version.number} is champion on {step.run_date}. To have the one before it back: "
            "action=rollback. Nothing was written."
        )
    if roles.holders(step.warehouse, step.run_date).challenge_of(version.number) is not None:
        raise UsageError(
            f"version {version.number} is challenger on {step.run_date}. Take that from it first: action=withdraw "
            f"version={version.number}. Nothing was written."
        )
    approval = deciding.approval(step)
    deciding.record(step, outcome, "refused", version, f"rejected by {approval}", approval)


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
    newest_first = reversed([one for one in events.promotions(warehouse) if one.number != holds.number])
    if number is None:  # not to one that people were against, such as the one before the last rollback
        chosen = (one for one in newest_first if events.opinion(warehouse, one.number).veto is None)
    else:
        chosen = (one for one in newest_first if one.number == str(number))
    version = next(chosen, None)
    if version is None:
        which = "no other version that nobody was against has" if number is None else f"version {number} has never"
        raise UsageError(f"{which} been champion before version {holds.number}. Nothing was written.")
    deciding.require_current(version, step.project, step.run_date)
    approval = deciding.approval(step)
    why = f"rolled back from version {holds.number} by {approval}"
    deciding.record(step, outcome, "promoted", version, why, approval, {events.ROLLED_BACK: holds.number})


def _outcomes(decision: Decision) -> dict[str, Any]:
    return {events.OUTCOMES: [asdict(one) for one in decision.outcomes]}
