"""The gates of a version, where its artifact can be looked at: judged, and shown as a table or as lines of the log."""

import logging
import sys
from collections.abc import Sequence
from dataclasses import replace

from rich.console import Console
from rich.table import Table
from rich.text import Text

from nightjar.masking.evidence import mask_evidence
from nightjar.masking.values import masking_of
from nightjar.pipeline.step import Step
from nightjar.registry import events, inspection, promotion
from nightjar.registry.events import Version
from nightjar.registry.gates.outcome import Outcome, Verdict
from nightjar.registry.promotion import ARTIFACT, Approval, Decision
from nightjar.registry.signature import Subject
from nightjar.registry.swaps import describe
from nightjar.settings.jobs import Job

log = logging.getLogger("nightjar.promote")
_STYLE = {Verdict.PASSED: "green", Verdict.REFUSED: "red", Verdict.PERSON: "yellow"}


def inspect(step: Step[Job], version: Version) -> Version:
    """The version with what is to be seen of its artifact among its evidence."""
    subject = Subject(step.project.name, version.model_name, version.number)
    artifact = inspection.inspect(step.environment, step.warehouse, subject, step.run_date)
    return replace(version, evidence={**version.evidence, ARTIFACT: artifact})


def show_newest(step: Step[Job]) -> None:
    """Show what the gates say of the version that a training of the run date has just registered."""
    version = inspect(step, events.newest_registered(step.warehouse, step.run_date))
    show(version, decide(step, version).outcomes)


def decide(step: Step[Job], version: Version, approvals: Sequence[Approval] = ()) -> Decision:
    """What the gates say of a version, without the values of sensitive columns: sentences go into logs and pages."""
    evidence = mask_evidence(version.evidence, masking_of(step.project))
    return promotion.decide(evidence, step.project.promotion, approvals)


def show(version: Version, outcomes: Sequence[Outcome]) -> None:
    """Whose decision would change, and a table of the gates on a terminal, else a line of the log for each."""
    number, swaps = version.number, version.evidence.get("swaps")
    if swaps is not None:
        log.info("version %s, %s", number, describe(swaps))
    if not sys.stdout.isatty():
        for one in outcomes:
            log.info("version %s, gate %s: %s. %s", number, one.gate, one.verdict, one.sentence)
        return
    table = Table(title=f"What the gates say of version {number}", title_justify="left")
    for column in ("gate", "verdict", "figure", "limit", "rows", "why"):
        table.add_column(column, justify="right" if column in ("figure", "limit", "rows") else "left")
    for one in outcomes:
        numbers = (_number(one.figure), _number(one.limit), "" if one.rows is None else f"{one.rows:,}")
        table.add_row(one.gate, Text(one.verdict, _STYLE[one.verdict]), *numbers, Text(one.sentence))
    Console().print(table)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.4g}"
