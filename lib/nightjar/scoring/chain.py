"""Who serves a night: the champion, or where it cannot, whoever the project's chain of fallbacks names next."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pyarrow as pa

from nightjar.alerts.recording import Alert
from nightjar.errors import LeaseError, MachineError, ModelError, NightjarError, TableError, UsageError
from nightjar.registry import events, roles
from nightjar.registry.roles import Holders
from nightjar.runtime import outages
from nightjar.scoring.budget import within
from nightjar.scoring.checks import Holder
from nightjar.scoring.night import Night
from nightjar.scoring.scorer import Scorer, rule_scorer, verified_scorer
from nightjar.settings.monitoring.alerting import Severity
from nightjar.settings.serving.fallback import Substitute
from nightjar.tables import failures as task_failures
from nightjar.tables.predictions import ABSTAINED, CHAMPION_ROLE, PREDICTION_SET, TIER
from nightjar.tables.rows import TaskFunction

log = logging.getLogger("nightjar.score")
NOT_THE_MODELS = (LeaseError, MachineError, TableError, UsageError)
"""Failures that are none of a model: another one would meet them, too."""


@dataclass(frozen=True)
class Link:
    """One of those who may serve a night.

    Attributes:
        title: in words.
        fallback: what its rows say in `scores.fallback`; None: it is the champion.
        open: verifies it; raises ModelError where it cannot score the night.
        budget: how long it may take; None: as long as it takes, as nobody comes after it.
    """

    title: str
    fallback: str | None
    open: Callable[[], Scorer]
    budget: str | None = None


@dataclass(frozen=True)
class Failure:
    """One of the chain that could not score the night, and why, as a sentence."""

    title: str
    reason: str


def links(night: Night, holders: Holders) -> Iterator[Link]:
    """The champion, and then who may score in its place; all but the last one within the budget."""
    settings = night.project.serving.fallback
    chain = [Link("champion", None, partial(_open_champion, night, holders))]
    for substitute in settings.chain:
        if substitute is Substitute.RULE:
            chain.append(Link("rule of thumb", substitute.value, partial(rule_scorer, night)))
        else:
            chain.append(Link("previous champion", substitute.value, partial(_open_previous, night, holders)))
    yield from (replace(link, budget=settings.budget) for link in chain[:-1])
    yield chain[-1]


def first_that_can(
    night: Night, chain: Iterator[Link], write: Callable[[Link, Scorer], None]
) -> tuple[Scorer, Link, list[Failure]]:
    """The first of a chain that can score the night within its budget, and those before it, which could not.

    Args:
        night: that is scored.
        chain: who may serve, in order.
        write: scores the night, without a commit.

    Raises:
        ModelError: none of several can; tells why each could not. Where there is but one, its error, whatever it is.
        NightjarError: what is none of a model, such as a process of Spark that was killed: nobody else is tried.
    """
    failures, errors = list[Failure](), list[Exception]()
    for link in chain:
        try:
            with (
                outages.translate_errors(),
                task_failures.translate_errors(),
                within(night.session, link.budget, f"The {link.title}"),
            ):
                scorer = link.open()
                write(link, scorer)
        except NOT_THE_MODELS:
            raise
        except Exception as error:  # noqa: BLE001  (whatever it is, the next of the chain may do without)
            reason = in_words(error)
            log.warning("the %s cannot score %s: %s", link.title, night.run_date, reason)
            failures.append(Failure(link.title, reason))
            errors.append(error)
        else:
            return scorer, link, failures
    if len(errors) == 1 and not isinstance(errors[0], ModelError):
        raise errors[0]  # such as one of the machine, which those who know it put into words
    reasons = failures[0].reason if len(failures) == 1 else f"Nobody could score it. {_reasons(failures)}"
    raise ModelError(f"No score of {night.run_date} was written. {reasons}") from errors[0]


def in_words(error: BaseException) -> str:
    """What has gone wrong: of an error that nobody has put into words its class, too."""
    return str(error) if isinstance(error, NightjarError) else f"{type(error).__name__}: {error}"


def alert_of_fallback(night: Night, scorer: Scorer, link: Link, failures: list[Failure]) -> Alert:
    """What is to be seen to when another one than the champion serves a night."""
    what = "the rule of thumb" if link.fallback == Substitute.RULE.value else f"{link.title} version {scorer.number}"
    message = (
        f"{night.rows:,} rows of {night.run_date} are served by {what}, since the champion could not score them. "
        f"{_reasons(failures)} Mend it, and score the night again: jobs/score.py project={night.project.name} "
        f"run_date={night.run_date}"
    )
    evidence = {"served_by": scorer.number, "failures": [{"who": one.title, "why": one.reason} for one in failures]}
    return Alert("fallback", CHAMPION_ROLE, Severity.CRITICAL, message, evidence)


def alert_of_nobody(error: ModelError) -> Alert:
    """What is to be seen to when nobody could serve a night."""
    return Alert("no_scores", CHAMPION_ROLE, Severity.CRITICAL, str(error))


def with_tier(make: TaskFunction, tier: str | None) -> TaskFunction:
    """The same task, whose rows have all one tier, or none, where the project has tiers: a rule has no thresholds.

    None of them abstains: nobody has trained the rule, so that there is no training whose ranges they could be out of.
    """
    same = {TIER: tier, ABSTAINED: None, PREDICTION_SET: None}

    def mark(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
        for rows in make(batches):
            values = [
                _repeated(same[one.name], one, rows) if one.name in same else rows[one.name] for one in rows.schema
            ]
            yield pa.table(values, names=rows.column_names)

    return mark


def _repeated(value: str | None, field: "pa.Field[Any]", rows: pa.Table) -> "pa.Array[Any]":
    repeated: pa.Array[Any] = pa.repeat(pa.scalar(value, field.type), len(rows))
    return repeated


def require_serving(night: Night, scorer: Scorer) -> None:
    """Look again, now that the night is scored, whether the version was stopped meanwhile.

    Raises:
        ModelError: it was.
    """
    stopped = roles.holders(night.warehouse, night.run_date).stopped
    if scorer.number in stopped:
        raise ModelError(
            f"Version {scorer.number} may serve nobody: {stopped[scorer.number]}. No score of {night.run_date} was "
            "written. Score the night again, by whoever serves now."
        )


def require_not_stopped(holder: Holder, holders: Holders) -> None:
    """Refuse a version that may serve nobody.

    Raises:
        ModelError: somebody has stopped it.
    """
    number = holder.version.number
    if number in holders.stopped:
        raise ModelError(
            f"{holder} may serve nobody: {holders.stopped[number]}. To let it serve again: jobs/promote.py ... "
            f"action=resume version={number} reason=..."
        )


def _reasons(failures: list[Failure]) -> str:
    return " ".join(f"{failure.title.capitalize()}: {failure.reason}" for failure in failures)


def _open_champion(night: Night, holders: Holders) -> Scorer:
    champion = holders.champion or events.champion(night.warehouse, night.run_date)
    return _open(night, holders, Holder("champion", champion))


def _open_previous(night: Night, holders: Holders) -> Scorer:
    if holders.previous is None:
        raise ModelError("No version that nobody was against has been champion before.")
    return _open(night, holders, Holder("previous champion", holders.previous))


def _open(night: Night, holders: Holders, holder: Holder) -> Scorer:
    require_not_stopped(holder, holders)
    scorer, version = verified_scorer(night, holder), holder.version
    values = (version.number, version.model_name, holder.title, version.holds_from, f"{night.rows:,}")
    log.info("version %s (%s), %s since %s: %s rows", *values)
    return scorer
