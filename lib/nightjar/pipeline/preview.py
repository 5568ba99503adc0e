"""What `ingest --preview SOURCE` shows instead of a night's work."""

import json
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from nightjar.errors import UsageError
from nightjar.pipeline.execution import Context, run_date_of
from nightjar.report.formatting import shorten
from nightjar.runtime import logs
from nightjar.settings.hints import hint
from nightjar.sources.connectors import passwords
from nightjar.sources.preview import Preview, preview
from nightjar.sources.storing import Night
from nightjar.timeline import cutoff

WORDS = {
    "fact": "are facts",
    "refused": "would be refused",
    "not_a_fact": "are none of this source (where)",
    "not_yet_known": "become known later",
}
LONGEST, WIDEST = 40, 10_000  # letters of a value, and of a line


def show(context: Context, source: str) -> None:
    """Print some facts of a source and what would be refused, as of the run date's midnight.

    Raises:
        NightjarError: the project has no such source, or it cannot be read.
    """
    project, home = context.settings.project, Path(context.settings.environment.home).absolute()
    if source not in project.sources:
        names = sorted(project.sources)
        raise UsageError(f"--preview: there is no source {source!r}{hint(source, names)}, expected one of {names}")
    logs.add_secrets(passwords.present(project.sources))
    settings, run_date = project.sources[source], run_date_of(context.settings)
    until, tables = cutoff(run_date, project.zone), context.warehouse.path("")
    night = Night(run_date, until, None, "preview")
    seen = preview(context.sessions.spark, source, settings, project.zone, night, home / "raw", tables)
    Console(width=WIDEST).print(_facts(seen, source), crop=False)
    console = Console(width=max(100, Console().width))
    console.print(_states(seen, f"{until:%Y-%m-%d %H:%M} UTC"))
    if seen.reasons:
        console.print(_reasons(seen))
    console.print("No table was touched. Versions of one fact and gates over several rows are for the ingest to judge.")


def _facts(seen: Preview, source: str) -> Table:
    """As wide as it is: a line for each fact can be read from left to right, in a pager too."""
    table = Table(title=f"{source}: {len(seen.rows)} of its facts, as they are stored", title_justify="left")
    for name, kind in seen.types.items():
        table.add_column(f"{escape(name)}\n[dim]{escape(kind)}[/dim]", no_wrap=True)
    for row in seen.rows:
        table.add_row(*(escape(_cell(value)) for value in row))
    return table


def _states(seen: Preview, until: str) -> Table:
    table = Table(title=f"Rows, as of {until}", title_justify="left", show_header=False)
    for state, words in WORDS.items():
        table.add_row(f"{seen.states[state]:,}", words)
    return table


def _reasons(seen: Preview) -> Table:
    table = Table(title="What would be refused; a row with several reasons counts under each", title_justify="left")
    for head in ("rows", "reason", "such as"):
        table.add_column(head, justify="right" if head == "rows" else "left", overflow="fold")
    for one in seen.reasons:
        table.add_row(f"{one.rows:,}", escape(one.reason), escape(_example(one.example)))
    return table


def _example(row: str) -> str:
    """The values of a refused row, without those that are null."""
    values = {name: value for name, value in json.loads(row).items() if value is not None}
    return ", ".join(f"{name}={shorten(str(value), LONGEST)}" for name, value in values.items())


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.6g}" if isinstance(value, float) else shorten(str(value), LONGEST)
