"""What a nightly prints at its end: its steps, champion and baselines, the report's path, and a line to copy."""

import sys
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
from rich.console import Console
from rich.table import Table

from nightjar.registry import events
from nightjar.registry.period import intervals_over
from nightjar.report import formatting, night
from nightjar.settings.jobs import JobName
from nightjar.settings.nightly import Nightly
from nightjar.tables import arrow
from nightjar.tables.definitions import RUNS
from nightjar.tables.warehouse import Warehouse


def print_summary(warehouse: Warehouse, steps: Sequence[tuple[date, JobName]]) -> None:
    """Print the summary of these steps, read from the tables."""
    if not steps:
        return
    console = Console(width=max(100, Console().width))
    console.print()
    console.print(_steps(warehouse, steps))
    run_date = steps[-1][0]
    champion = events.find_champion(warehouse, run_date)
    if champion is not None:
        console.print(_champion(champion))
    if (run_date, JobName.MONITOR) in steps:
        console.print(f"Report:  {night.report_path(warehouse, run_date)}", soft_wrap=True)
        console.print(f"Scores:  {query(warehouse, run_date)}", soft_wrap=True, markup=False, highlight=False)


def line(
    settings: Nightly,
    done: Sequence[tuple[date, JobName]],
    skipped: int,
    rows: Mapping[str, int],
    error: Exception | None = None,
) -> str:
    """One line for a scheduler: project, dates, how it ended, how many steps were run and skipped, scores.

    Args:
        settings: of the nightly.
        done: dates and steps that were run.
        skipped: how many were not, since they are done or not needed.
        rows: what was counted -> rows.
        error: what stopped it; None: nothing.
    """
    dates = "its own dates" if settings.run_date is None else settings.run_date
    counts = f"{len(done)} {'step' if len(done) == 1 else 'steps'} run, {skipped} skipped"
    scores = f", {rows['scores']:,} scores" if "scores" in rows else ""
    ended = "done" if error is None else "failed"
    why = "" if error is None else f": {str(error).partition('. ')[0].rstrip('.')}"
    return f"nightly {settings.project.name} {dates}: {ended}, {counts}{scores}{why}"


def query(warehouse: Warehouse, run_date: date) -> str:
    """One line for a shell that shows the night's highest scores."""
    code = (
        f"from deltalake import DeltaTable; "
        f"print(DeltaTable('{warehouse.path('scores')}').to_pandas(partitions=[('run_date', '=', '{run_date}')])"
        f".sort_values('score', ascending=False).head(10).to_string(index=False))"
    )
    python = Path(sys.executable)  # its packages are those that can read the table
    here = Path.cwd()
    return f'{python.relative_to(here) if python.is_relative_to(here) else python} -c "{code}"'


def _steps(warehouse: Warehouse, steps: Sequence[tuple[date, JobName]]) -> Table:
    table = Table(title="What was run", title_justify="left")
    for column in ("date", "step", "rows"):
        table.add_column(column, no_wrap=column != "rows")
    table.add_column("seconds", justify="right")
    keys = {(day, name.value) for day, name in steps}
    latest: dict[tuple[date, str], dict[str, Any]] = {}
    if keys:
        where = pc.field("run_date") >= min(day for day, _ in keys)
        for row in arrow.read(warehouse, RUNS.name, where=where).sort_by("started_at").to_pylist():
            latest[row["run_date"], row["job"]] = row
    for day, name in steps:
        row = latest[day, name.value]
        counted = ", ".join(f"{what} {count:,}" for what, count in row["rows"])
        table.add_row(str(day), name.value, counted or "-", f"{row['seconds']:.1f}")
    return table


def _champion(champion: events.Version) -> Table:
    evidence = champion.evidence
    title = (
        f"Champion: version {champion.number}, {champion.model_name}, since {champion.holds_from}; "
        f"figures of {' to '.join(evidence['period'])}, 95% intervals over {intervals_over(evidence)}"
    )
    table = Table(title=title, title_justify="left")
    table.add_column("model")
    other_metrics = [name for name in evidence["candidate"] if name not in ("name", evidence["metric"])]
    shown = [evidence["metric"], *other_metrics][:3]
    for name in shown:
        table.add_column(formatting.measure(name))
    for name, measured in {evidence["candidate"]["name"]: evidence["candidate"], **evidence["baselines"]}.items():
        table.add_row(name, *(_interval(measured[metric]) for metric in shown))
    return table


def _interval(interval: dict[str, float | None]) -> str:
    estimate, low, high = interval["estimate"], interval["low"], interval["high"]
    if estimate is None:
        return "undefined"
    return f"{estimate:.3f}" if low is None or high is None else f"{estimate:.3f} ({low:.3f} to {high:.3f})"
