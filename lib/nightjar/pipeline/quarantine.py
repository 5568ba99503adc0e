"""The job of quarantine: list, show or export refused rows, take corrected ones back, or dismiss some."""

import logging
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pyarrow.compute as pc
from rich.console import Console
from rich.table import Table
from rich.text import Text

from nightjar.errors import SourceError, UsageError
from nightjar.pipeline.execution import Context, perform, run_date_of
from nightjar.pipeline.step import Step
from nightjar.settings.jobs import Job, JobName
from nightjar.settings.quarantine import Quarantine, QuarantineAction
from nightjar.sources.quarantine import correcting, table_file
from nightjar.sources.quarantine.correcting import Decision
from nightjar.tables.corrections import CORRECTED, DISMISSED, RefusedRow, refused_rows
from nightjar.tables.runs import Outcome
from nightjar.tables.source_definitions import CORRECTIONS
from nightjar.tables.warehouse import Warehouse
from nightjar.timeline import parse_run_date

log = logging.getLogger("nightjar.quarantine")
SHOWN_OF_HASH = 12


def run(context: Context) -> None:
    """Do what the settings' action says."""
    settings = context.settings
    if not isinstance(settings, Quarantine):
        raise UsageError("the job quarantine needs its own configuration")
    if settings.is_decision:
        step = context.step(run_date_of(settings), settings)
        perform(JobName.QUARANTINE, step, context.config_hash, partial(_decide, settings))
        return
    rows = select(context.warehouse, settings)
    if settings.action is QuarantineAction.LIST:
        _print(_counts(rows), f"Refused rows of {settings.project.name}", "No row was refused.")
        return
    open_rows = [row for row in rows if row.decision is None]
    if settings.action is QuarantineAction.SHOW:
        _print(_contents(open_rows[: settings.limit]), f"{len(open_rows):,} open rows", "No row is open.")
        return
    path = Path(settings.file or "")
    table_file.write(path, list(settings.project.sources[settings.from_source or ""].columns), open_rows)
    log.info("%s: %s open rows of source %s", path, f"{len(open_rows):,}", settings.from_source)


def select(warehouse: Warehouse, settings: Quarantine) -> list[RefusedRow]:
    """The refused rows that settings name."""
    where = pc.scalar(True)
    if settings.from_source is not None:
        where &= pc.field("source") == settings.from_source
    if settings.night is not None:
        where &= pc.field("run_date") == parse_run_date(settings.night)
    if settings.since is not None:
        where &= pc.field("run_date") >= parse_run_date(settings.since)
    beginnings, check = tuple(settings.hashes), settings.check or ""
    return [
        row
        for row in refused_rows(warehouse, where)
        if (not beginnings or row.row_hash.startswith(beginnings)) and any(check in one for one in row.reasons)
    ]


def _decide(settings: Quarantine, step: Step[Job]) -> Outcome:
    """Correct or dismiss rows of a source, whose lease the run has."""
    source, warehouse = settings.from_source or "", step.warehouse
    decision = Decision(source, settings.by or "", settings.reason or "", step.run_date, step.run_id)
    rows = select(warehouse, settings)
    if settings.action is QuarantineAction.DISMISS:
        open_rows = [row for row in rows if row.decision is None]
        if not open_rows:
            raise SourceError(f"Source {source}: no such row is open. See action=list. Nothing was written.")
        version, count = correcting.dismiss(warehouse, decision, open_rows), len(open_rows)
        return Outcome(outputs={CORRECTIONS.name: version}, rows={DISMISSED: count})
    columns = list(step.project.sources[source].columns)
    corrected = table_file.read(Path(settings.file or ""), columns, source)
    version = correcting.correct(
        step.sessions.spark, warehouse, step.project, decision, corrected, rows, step.home / "raw"
    )
    return Outcome(outputs={CORRECTIONS.name: version}, rows={CORRECTED: len(corrected)})


def _counts(rows: list[RefusedRow]) -> Iterator[tuple[str, ...]]:
    """Rows by source, reason and night; a row with several reasons counts under each."""
    keys = Counter((row.source, reason, row.night, row.decision) for row in rows for reason in row.reasons)
    yield "source", "reason", "night", "open", CORRECTED, DISMISSED
    for source, reason, night in sorted({key[:3] for key in keys}):
        counts = (keys[source, reason, night, decision] for decision in (None, CORRECTED, DISMISSED))
        yield source, reason, str(night), *(f"{count:,}" for count in counts)


def _contents(rows: list[RefusedRow]) -> Iterator[tuple[str, ...]]:
    yield "night", "source", "hash", "reasons", "row"
    for row in rows:
        content = "\n".join(f"{name}: {'null' if text is None else text!r}" for name, text in row.texts.items())
        yield str(row.night), row.source, row.row_hash[:SHOWN_OF_HASH], "\n".join(row.reasons), content


def _print(lines: Iterator[tuple[str, ...]], title: str, nothing: str) -> None:
    """Print a table; what it holds is of raw files, and is printed as text whatever signs it has."""
    shown = Table(title=title, title_justify="left", show_lines=True)
    for column in next(lines):
        shown.add_column(column)
    for line in lines:
        shown.add_row(*(Text("\n".join(map(_printable, cell.split("\n")))) for cell in line))
    console = Console(width=max(150, Console().width))
    console.print(shown if shown.rows else nothing)


def _printable(text: str) -> str:
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)
