"""The nights of scripts/replay --nightly: the nightly itself runs each, and this says what its tables hold of them."""

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
from rich.console import Console
from rich.table import Table

from nightjar.settings.project import Project
from nightjar.tables import arrow
from nightjar.tables.warehouse import Warehouse

STATES = ("ok", "watch", "act", "unknown")
MOST = 8  # subjects of a month
console = Console(width=150)


def run(root: Path, project: Project, warehouse: Warehouse, first: date, arguments: Sequence[str]) -> dict[str, Any]:
    """Load, train, and run the nights; what their tables say.

    Args:
        root: of the checkout.
        project: whose nights.
        warehouse: where its tables go.
        first: the first night.
        arguments: settings of the nightly, without a run date.
    """
    started = time.monotonic()
    last = date.fromisoformat(project.last_date or project.first_night) - timedelta(days=1)
    history = date.fromisoformat(project.history_until)
    for dates, only in ((str(history), ["only=[ingest,build_features,train,promote]"]), (f"{first}..{last}", [])):
        command = [sys.executable, root / "jobs" / "nightly.py", *arguments, f"run_date={dates}", *only]
        subprocess.run(command, check=True, cwd=root)  # noqa: S603  (our own program)
    return report(warehouse, first, last) | {"seconds": time.monotonic() - started}


def report(warehouse: Warehouse, first: date, last: date) -> dict[str, Any]:
    """Verdicts and alarms by month, and every training with what called for it and what became of it."""
    nights = (pc.field("run_date") >= first) & (pc.field("run_date") <= last)
    verdicts = arrow.read(warehouse, "verdicts", ["run_date", "verdict"], nights).to_pylist()
    signals = arrow.read(warehouse, "signals", ["run_date", "kind", "subject", "state"], nights).to_pylist()
    triggers = arrow.read(warehouse, "triggers", ["run_date", "rule", "decision", "sentence"], nights).to_pylist()
    months: dict[str, Any] = {}
    for row in verdicts:
        month = months.setdefault(f"{row['run_date']:%Y-%m}", {"verdicts": Counter(), "alarms": Counter()})
        month["verdicts"][row["verdict"]] += 1
    for row in signals:
        if row["state"] in ("watch", "act"):
            months[f"{row['run_date']:%Y-%m}"]["alarms"][f"{row['state']} {row['kind']} of {row['subject']}"] += 1
    columns = ["event", "alias", "model_version", "model_name", "holds_from"]
    events = arrow.read(warehouse, "model_events", columns, pc.field("holds_from") >= first).to_pylist()
    return {
        "first": str(first),
        "last": str(last),
        "months": months,
        "decisions": Counter(f"{row['rule']}: {row['decision']}" for row in triggers),
        "trainings": [
            {"night": str(row["run_date"]), "rule": row["rule"], "sentence": row["sentence"]}
            for row in triggers
            if row["decision"] == "train"
        ],
        "events": [row | {"holds_from": str(row["holds_from"])} for row in events],
    }


def show(outcome: dict[str, Any]) -> None:
    """Print it, as tables."""
    table = Table(title=f"Nights of {outcome['first']} to {outcome['last']}", title_justify="left")
    for column in ("month", *STATES, "signals that were not OK, by nights"):
        table.add_column(column, justify="right" if column in STATES else "left")
    for month, of_month in sorted(outcome["months"].items()):
        alarms = "\n".join(f"{nights} {what}" for what, nights in of_month["alarms"].most_common(MOST))
        table.add_row(month, *(str(of_month["verdicts"][state]) for state in STATES), alarms)
    console.print(table)
    console.print(f"rules of retraining: {json.dumps(outcome['decisions'])}")
    for line in _lines(outcome):
        console.print(line)
    console.print(f"{outcome['seconds'] / 60:.1f} minutes")


def _lines(outcome: dict[str, Any]) -> Iterator[str]:
    for one in outcome["trainings"]:
        yield f"{one['night']} calls for a training ({one['rule']}): {one['sentence']}"
    for one in outcome["events"]:
        alias = f" as {one['alias']}" if one["alias"] else ""
        yield f"{one['holds_from']}: version {one['model_version']} ({one['model_name']}) {one['event']}{alias}"
