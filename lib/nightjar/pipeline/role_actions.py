"""Who scores beside the champion, and who may serve nobody: what `promote` records of it."""

import logging
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from nightjar.errors import UsageError
from nightjar.pipeline import deciding, gates
from nightjar.pipeline.step import Step
from nightjar.registry import aliases, events, roles, tracking
from nightjar.registry.events import Version
from nightjar.registry.roles import CHALLENGER, SHADOW
from nightjar.settings import jobs
from nightjar.tables.runs import Outcome

log = logging.getLogger("nightjar.promote")


def promote(
    step: Step[jobs.Promote], outcome: Outcome, version: Version, reason: str, details: Mapping[str, Any]
) -> None:
    """Let a version that was decided for be champion, or with a canary challenger first.

    One that is challenger already becomes champion, and so does one where no other winner is champion: there is nobody
    to be compared with.
    """
    now, steps = roles.holders(step.warehouse, step.run_date), step.project.serving.canary.steps
    is_challenger = now.challenge_of(version.number) is not None
    is_first = not deciding.is_current_winner(now.champion, step.project, step.run_date)
    is_champion = now.champion is not None and now.champion.number == version.number
    if not steps or is_challenger or is_first or is_champion:
        deciding.record(step, outcome, "promoted", version, reason, details=details)
        return
    beside = "" if now.champion is None else f", beside version {now.champion.number}"
    why = f"{reason} It serves {steps[0]:.0%} of the entities first{beside}."
    _assign(step, outcome, replace(version, evidence={**version.evidence, **details}), CHALLENGER, why, steps[0])


def challenge(step: Step[jobs.Promote], outcome: Outcome) -> None:
    """A person lets a version challenge the champion: it serves the canary's first share; without a canary nobody.

    Raises:
        UsageError: it cannot score, is champion, or a person is against it.
    """
    version, steps = _usable_version(step), step.project.serving.canary.steps
    veto = events.opinion(step.warehouse, version.number).veto
    if veto is not None:
        raise UsageError(
            f"version {version.number} serves nobody while somebody is against it ({veto}). Who thinks otherwise "
            f"approves it: action=approve version={version.number}. Nothing was written."
        )
    _assign(step, outcome, version, CHALLENGER, str(deciding.approval(step)), steps[0] if steps else 0.0)


def shadow(step: Step[jobs.Promote], outcome: Outcome) -> None:
    """A person lets a version score beside the champion, and serve nobody.

    Raises:
        UsageError: it cannot score, or is champion or challenger.
    """
    version = _usable_version(step)
    if roles.holders(step.warehouse, step.run_date).challenge_of(version.number) is not None:
        raise UsageError(
            f"version {version.number} is challenger on {step.run_date}, and scores every row already. Nothing was "
            "written."
        )
    _assign(step, outcome, version, SHADOW, str(deciding.approval(step)))


def withdraw(step: Step[jobs.Promote], outcome: Outcome) -> None:
    """A person takes the role of challenger or shadow from a version: the challenger, unless one is named."""
    now, number = roles.holders(step.warehouse, step.run_date), step.settings.version
    beside = {one.number: (one, SHADOW) for one in now.shadows}
    if now.challenge is not None:
        beside = {now.challenge.version.number: (now.challenge.version, CHALLENGER)} | beside
    name = next(iter(beside), None) if number is None and now.challenge is not None else str(number)
    if name not in beside:
        which = "no version challenges the champion" if number is None else f"version {number} has no role beside it"
        raise UsageError(
            f"{which} on {step.run_date}: beside it score the versions {', '.join(beside) or 'none'}. Nothing was "
            "written."
        )
    version, alias = beside[name]
    reason, person = _person(step)
    log.info("version %s is no %s any more: %s", version.number, alias, reason)
    version = replace(version, holds_from=step.run_date)
    outcome.outputs["model_events"] = roles.withdraw(step.warehouse, version, alias, reason, person, step.run_id)
    aliases.repeat(step.home, step.warehouse)


def stop(step: Step[jobs.Promote], outcome: Outcome) -> None:
    """A person stops serving anybody by a version, the champion unless one is named, from the run date on, at once."""
    from nightjar.scoring import latest  # noqa: PLC0415  (Spark's client takes a moment)
    from nightjar.scoring.stopping import stop_serving  # noqa: PLC0415  (the same)

    number = step.settings.version
    if number is None:
        version = events.champion(step.warehouse, step.run_date)
    else:
        version = events.registered(step.warehouse, str(number))
    reason, person = _person(step)
    version = replace(version, holds_from=step.run_date)
    outcome.outputs["model_events"] = roles.stop(step.warehouse, version, reason, person, step.run_id)
    stopped = roles.holders(step.warehouse, step.run_date).stopped
    rows, table_version = stop_serving(step.warehouse, step.project, stopped, step.run_date, step.run_id)
    if table_version is not None:
        outcome.outputs["scores"] = table_version
        outcome.rows["rows no longer served"] = rows
    outcome.outputs |= latest.refresh(step.warehouse, step.project, step.run_id).outputs
    chain = [one.word for one in step.project.serving.fallback.chain]
    log.warning(
        "version %s serves nobody from %s on (%s rows that were stored are not served any more): %s. A run of score "
        "for %s or later falls back to: %s",
        *(version.number, step.run_date, f"{rows:,}", reason, step.run_date, ", ".join(chain) or "nobody, and stops"),
    )


def resume(step: Step[jobs.Promote], outcome: Outcome) -> None:
    """A person lets a version serve again that was stopped."""
    stopped, number = roles.holders(step.warehouse, step.run_date).stopped, step.settings.version
    name = next(iter(stopped), "none") if number is None and len(stopped) == 1 else str(number)
    if name not in stopped:
        raise UsageError(
            f"version {number} is not stopped on {step.run_date}: stopped are the versions "
            f"{', '.join(stopped) or 'none'}. Name one: version=... Nothing was written."
        )
    version = replace(events.registered(step.warehouse, name), holds_from=step.run_date)
    reason, person = _person(step)
    log.info("version %s may serve again from %s on; score that night again: %s", name, step.run_date, reason)
    outcome.outputs["model_events"] = roles.resume(step.warehouse, version, reason, person, step.run_id)


def _usable_version(step: Step[jobs.Promote]) -> Version:
    """The version of the settings, which can score what is built now and is not champion.

    Raises:
        UsageError: it cannot, or it is.
    """
    version = deciding.named_version(step)
    deciding.require_current(version, step.project, step.run_date)
    tracking.require_version(step.home, step.project.name, version.number)
    version = gates.inspect(step, version)
    deciding.require_usable(version, gates.decide(step, version).outcomes)
    holds = events.find_champion(step.warehouse, step.run_date)
    if holds is not None and holds.number == version.number:
        raise UsageError(f"version {version.number} is champion on {step.run_date}. Nothing was written.")
    return version


def _assign(
    step: Step[jobs.Promote], outcome: Outcome, version: Version, alias: str, reason: str, share: float = 0.0
) -> None:
    tracking.require_version(step.home, step.project.name, version.number)
    log.info("version %s (%s) is %s from %s on: %s", version.number, version.model_name, alias, step.run_date, reason)
    dated = replace(version, holds_from=step.run_date)
    outcome.outputs["model_events"] = roles.assign(step.warehouse, dated, alias, reason, step.run_id, share)
    if alias == CHALLENGER:
        aliases.repeat(step.home, step.warehouse)


def _person(step: Step[jobs.Promote]) -> tuple[str, dict[str, Any]]:
    """Who acts and why, as a sentence and for the evidence."""
    approval = deciding.approval(step)
    return str(approval), {events.APPROVAL: asdict(approval)}
