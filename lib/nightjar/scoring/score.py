"""Score a night: who serves it is resolved once, verified, checked against the feature table, and shipped as bytes."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from typing import Any

from pyspark.sql import SparkSession

from nightjar.alerts import recording
from nightjar.alerts.recording import Alert
from nightjar.errors import ModelError, TableError
from nightjar.masking.values import masking_of
from nightjar.models.unseen import reads_native_categories
from nightjar.registry import events, roles
from nightjar.registry.roles import Challenge, Holders
from nightjar.scoring import chain
from nightjar.scoring.beside import score_beside
from nightjar.scoring.chain import Link
from nightjar.scoring.checks import Holder
from nightjar.scoring.night import Night, open_night
from nightjar.scoring.reasons import ReasonsPlan
from nightjar.scoring.scorer import Scorer, reasons_plan, verified_scorer, write
from nightjar.scoring.task import score_rows
from nightjar.scoring.unseen import log_unseen
from nightjar.settings.environment import Environment
from nightjar.settings.project import Project
from nightjar.tables import sink
from nightjar.tables.datafiles import NewFile
from nightjar.tables.predictions import CHAMPION_ROLE, FALLBACK, RETROSPECTIVE_ROLE, RULE, SERVED
from nightjar.tables.rows import TaskFunction
from nightjar.tables.runs import Outcome
from nightjar.tables.sink import Target
from nightjar.tables.warehouse import Warehouse

log = logging.getLogger("nightjar.score")


def score(
    session: Callable[[], SparkSession],
    warehouse: Warehouse,
    project: Project,
    run_date: date,
    run_id: str,
    environment: Environment,
    *,
    retrospective: bool,
) -> Outcome:
    """One score per row of `features` of the run date, by the champion of that date, or whoever the project lets score
    in its place; then those of the versions that score beside it. All of them are those of the events as they are now.

    Where the spine has no rows on the date's weekday there are no scores, and those of an earlier run are removed.

    Raises:
        ModelError: there is no champion, it cannot be trusted, does not fit the feature table, has seen later data, or
            cannot compute with a number of the night, and nobody else could.
        TableError: the night has no features though its weekday has rows.
    """
    night = open_night(session, warehouse, project, run_date, run_id, environment)
    outcome = Outcome(inputs={"features": night.version}, rows={"scores": night.rows})
    absence = project.spine.absence(run_date)
    if not night.rows and absence is None:
        if not project.serving.fallback.chain:
            events.champion(warehouse, run_date)
        raise TableError(f"Table features has no row for {run_date}. Run: jobs/build_features.py run_date={run_date}")
    if not night.rows:
        log.info("nothing to score; %s", absence)
        role = RETROSPECTIVE_ROLE if retrospective else CHAMPION_ROLE
        _commit(night, night.target(role), [], outcome)
    elif retrospective:
        _score_in_hindsight(night, outcome)
    else:
        _serve(night, outcome)
    return outcome


def _serve(night: Night, outcome: Outcome) -> None:
    """The rows that are served, then those beside them; alerts last, once all rows are there."""
    holders = roles.holders(night.warehouse, night.run_date)
    challenge = _challenge(night, holders)
    written: dict[str, tuple[Target, list[NewFile]]] = {}

    def score_by(link: Link, scorer: Scorer) -> None:
        stamps = {**scorer.stamps(night), SERVED: True, FALLBACK: link.fallback}
        into = night.target(CHAMPION_ROLE, **stamps)
        plan = reasons_plan(night, scorer)
        make = partial(_make, night, scorer, link, challenge, plan)
        is_bounded = link.budget is not None
        written[scorer.number] = into, write(night, scorer, make, into, plan, is_bounded=is_bounded)

    try:
        scorer, link, failures = chain.first_that_can(night, chain.links(night, holders), score_by)
    except ModelError as error:
        if night.project.serving.fallback.chain:
            _record(night, [chain.alert_of_nobody(error)], outcome)
        raise
    chain.require_serving(night, scorer)
    _commit(night, *written[scorer.number], outcome)
    if reads_native_categories(scorer.manifest.structure):
        log_unseen(night.warehouse, outcome.outputs["scores"], night.run_date, CHAMPION_ROLE)
    if link.fallback is not None:
        _record(night, [chain.alert_of_fallback(night, scorer, link, failures)], outcome)
    _record(night, score_beside(night, holders, outcome), outcome)


def _record(night: Night, alerts: Sequence[Alert], outcome: Outcome) -> None:
    """Record alerts without the values of sensitive columns, which a model's error may quote."""
    text = masking_of(night.project).text
    masked = [replace(one, message=text(one.message), evidence=_masked(one.evidence, text)) for one in alerts]
    outcome.outputs |= recording.record(night.warehouse, masked, night.run_date, night.run_id)


def _masked(value: Any, text: Callable[[str], str]) -> Any:
    if isinstance(value, Mapping):
        return {name: _masked(one, text) for name, one in value.items()}
    if isinstance(value, list):
        return [_masked(one, text) for one in value]
    return text(value) if isinstance(value, str) else value


def _score_in_hindsight(night: Night, outcome: Outcome) -> None:
    """Rows of the role `retrospective`, which nobody is served."""
    champion = events.champion(night.warehouse, night.run_date)
    scorer = verified_scorer(night, Holder("champion", champion), retrospective=True)
    into = night.target(RETROSPECTIVE_ROLE, **{**scorer.stamps(night), SERVED: False})
    make = partial(_make, night, scorer, None, None, None)
    _commit(night, into, write(night, scorer, make, into, is_bounded=False), outcome)


def _make(
    night: Night,
    scorer: Scorer,
    link: Link | None,
    challenge: Challenge | None,
    plan: ReasonsPlan | None,
    read: TaskFunction,
) -> TaskFunction:
    make = score_rows(night.project, night.key, read, scorer.artifact, plan, challenge)
    is_rule = link is not None and link.fallback == RULE
    return chain.with_tier(make, night.project.serving.fallback.tier) if is_rule else make


def _challenge(night: Night, holders: Holders) -> Challenge | None:
    """The challenge by which rows have arms; None: they have none tonight."""
    challenge = holders.challenge
    if challenge is None or challenge.version.number in holders.stopped or not night.project.serving.assigns_arms():
        return None
    return challenge


def _commit(night: Night, into: Target, files: list[NewFile], outcome: Outcome) -> None:
    """One commit, which replaces what an earlier run of the date has stored: of all roles that are served or beside."""
    retrospective = into.stamps["role"] == RETROSPECTIVE_ROLE
    replaced = partial(night.is_in, RETROSPECTIVE_ROLE) if retrospective else night.is_of
    outcome.outputs["scores"] = sink.commit(night.warehouse, into, files, replaced, night.run_id, inputs=outcome.inputs)
