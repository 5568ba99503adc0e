"""The job of review: list cases, do something with one, take many out to a file and back, or serve the page."""

import getpass
import logging
import os
import time
import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from nightjar.errors import ReviewError, UsageError
from nightjar.pipeline.execution import Context, optional_date
from nightjar.review import exchange, tokens
from nightjar.review.desk import Act, Desk
from nightjar.review.page import server, views
from nightjar.review.queue import last_night
from nightjar.review.selection import Selection, select
from nightjar.runtime import logs
from nightjar.settings.jobs import JobName
from nightjar.settings.review import Review, ReviewAction
from nightjar.tables import arrow, reviews, runs
from nightjar.tables.reviews import CLAIM, DECIDE, RELEASE, UNDO
from nightjar.tables.runs import Outcome, Run

log = logging.getLogger("nightjar.review")
KINDS = {
    ReviewAction.CLAIM: CLAIM,
    ReviewAction.RELEASE: RELEASE,
    ReviewAction.DECIDE: DECIDE,
    ReviewAction.UNDO: UNDO,
}
SHOWN_OF_ID = 12


def run(context: Context) -> None:
    """Do what the settings' action says."""
    settings = context.settings
    if not isinstance(settings, Review):
        raise UsageError("the job review needs its own configuration")
    folder = tokens.folder_of(Path(settings.environment.home).absolute(), settings.project.name)
    if settings.action is ReviewAction.ADMIT:
        path = tokens.admit(folder, settings.by or "")
        log.info("%s may enter by the token in %s; remove the file to end that", settings.by, path)
        return
    desk = Desk(context.warehouse, settings.project, uuid.uuid4().hex, optional_date(settings.run_date))
    if settings.action is ReviewAction.SERVE:
        _serve(context, settings, desk, folder)
    elif settings.action in KINDS:
        act = Act(_case(desk, settings), KINDS[settings.action], settings.decision, settings.reason)
        _record(context, desk, [act], settings.by or "")
    elif settings.action is ReviewAction.IMPORT:
        acts = exchange.read(Path(settings.file or ""), settings.project.serving.review.decisions)
        _record(context, desk, acts, settings.by or "")
    elif settings.action is ReviewAction.SHOW:
        _show(desk, _case(desk, settings), settings.by or "")
    else:
        _list(desk, settings)


def _list(desk: Desk, settings: Review) -> None:
    """Print or export cases."""
    lines = _lines(desk, settings)
    rows = [(line.id, line.title, line.tier, line.score, line.why, line.night, line.due, line.state) for line in lines]
    heads = ("case", "tier", "score", "why", "night", "due", "state")
    if settings.action is ReviewAction.EXPORT:
        exchange.write(Path(settings.file or ""), heads, rows)
        log.info("%s: %s cases", settings.file, f"{len(rows):,}")
        return
    shown = [(row[0][:SHOWN_OF_ID], *row[1:]) for row in rows[: settings.limit]]
    title = f"{len(rows):,} cases ({settings.status}) of {settings.project.title or settings.project.name}"
    _print(title, ("id", *heads), shown)


def _lines(desk: Desk, settings: Review) -> list[views.Line]:
    queue, now, reviewer = desk.queue(), datetime.now(UTC), settings.by or ""
    selection = Selection(settings.status, settings.tier or "", settings.text or "")
    stored = desk.ledger.read()
    places = select(queue, stored, desk.settings, reviewer, selection, now).places
    cases = (queue.rows.slice(int(place), 1).to_pylist()[0] for place in places)
    return [views.line_of(desk, queue, row, desk.history(row["prediction_id"], now, stored), reviewer) for row in cases]


def _show(desk: Desk, prediction_id: str, reviewer: str) -> None:
    """Print a case with its reasons and history."""
    queue, history = desk.queue(), desk.history(prediction_id, datetime.now(UTC))
    row = queue.row(prediction_id) or {}
    line = views.line_of(desk, queue, row, history, reviewer)
    about = [("case", line.title), ("tier", line.tier), ("score", line.score), ("night", line.night)]
    about += [("proposed", desk.proposal(row["tier"]) or "nothing"), ("due", line.due), ("state", line.state)]
    about += [("reason", _reason(one)) for one in views.reasons_of(desk, row)]
    steps = views.steps_of(history.visible(reviewer), desk.project.zone)
    about += [("history", f"{step.at} {step.who} {step.what} {step.reason}".rstrip()) for step in steps]
    _print(prediction_id, ("", ""), about)


def _reason(one: views.Reason) -> str:
    beside = f" ({one.beside})" if one.beside else ""
    return f"{'+' if one.raises else '-'}{one.added} {one.text}{beside}"


def _case(desk: Desk, settings: Review) -> str:
    """The one case whose id begins as the settings say.

    Raises:
        ReviewError: none does, or several do.
    """
    beginning = settings.case or ""
    fits = [name for name in desk.queue().ids if name.startswith(beginning)]
    if len(fits) != 1:
        what = "no case of the queue begins so" if not fits else f"{len(fits)} cases begin so, give more of it"
        raise ReviewError(f"case={beginning}: {what}. See action=list status=all. Nothing was written.")
    return fits[0]


def _record(context: Context, desk: Desk, acts: list[Act], reviewer: str) -> None:
    """Record what a person does with cases, and the run."""
    if not acts:
        raise ReviewError("The file has no decision: fill in the column decision. Nothing was written.")
    started, clock = datetime.now(UTC), time.monotonic()
    desk.act(acts, reviewer, _user(), started)
    log.info("recorded for %s: %s", reviewer, ", ".join(f"{act.prediction_id[:SHOWN_OF_ID]}" for act in acts[:20]))
    _record_run(context, desk, started, time.monotonic() - clock, len(acts))


def _serve(context: Context, settings: Review, desk: Desk, folder: Path) -> None:
    """Serve the page until Ctrl-C or SIGTERM, which is how it ends."""
    if not tokens.read_tokens(folder):
        raise UsageError(f"nobody may enter: no token lies in {folder}. Make one: action=admit by=NAME")
    started, clock, error = datetime.now(UTC), time.monotonic(), None
    try:
        server.serve(desk, folder, settings.port, settings.origin)
    except KeyboardInterrupt:
        log.info("the page has ended")
    except Exception as failure:
        error = logs.masked(logs.redact(str(failure))) or type(failure).__name__
        raise
    finally:
        _record_run(context, desk, started, time.monotonic() - clock, desk.recorded, error)


def _record_run(
    context: Context, desk: Desk, started: datetime, seconds: float, actions: int, error: str | None = None
) -> None:
    warehouse = context.warehouse
    night = last_night(warehouse, desk.until)
    if night is None:
        return
    outcome = Outcome(outputs=arrow.versions(warehouse, [reviews.TABLE]), rows={"actions": actions})
    identity = (desk.run_id, JobName.REVIEW.value, night, "done" if error is None else "failed", error)
    runs.record(warehouse, Run(*identity, context.code_revision, context.config_hash, started, seconds, outcome))


def _print(title: str, heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """Print a table; what it holds is of raw data, and is printed as text whatever signs it has."""
    shown = Table(title=title, title_justify="left", show_header=any(heads))
    for head in heads:
        shown.add_column(head)
    for row in rows:
        shown.add_row(*(Text("".join(_printable(cell))) for cell in row))
    console = Console(width=max(150, Console().width))
    console.print(shown if rows else f"{title}: none.")


def _printable(text: str) -> Iterator[str]:
    yield from (sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user need not have a name
        return f"user {os.getuid()}"
