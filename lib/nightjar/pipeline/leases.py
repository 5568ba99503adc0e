"""The job of leases: list them, and free those of a run that will never release them."""

import getpass
import logging
import os
import socket
import time
import uuid
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.table import Table

from nightjar.errors import UsageError
from nightjar.pipeline.execution import Context
from nightjar.pipeline.steps import tables
from nightjar.settings.jobs import JobName, LeaseAction, Leases
from nightjar.tables import arrow, granting, lease, runs
from nightjar.tables.definitions import LEASES
from nightjar.tables.runs import Outcome, Run

log = logging.getLogger("nightjar.lease")


def run(context: Context) -> None:
    """List the leases that are held or were freed by hand, or free one with all others of the same run."""
    settings = context.settings
    if not isinstance(settings, Leases):
        raise UsageError("the job leases needs its own configuration")
    if settings.action is LeaseAction.FREE:
        _free(context, settings.resource or "", settings.reason or "")
    _print(context)


def _free(context: Context, resource: str, reason: str) -> None:
    started, clock, run_id = datetime.now(UTC), time.monotonic(), uuid.uuid4().hex
    why = f"freed by {_user()} on {socket.gethostname()}: {reason}"
    freed = lease.free(context.warehouse, resource, run_id, why, tables(context.settings.project))
    for row in freed:
        log.warning(
            "%s, held by run %s (%s for %s), is %s", row["resource"], row["run_id"], row["job"], row["run_date"], why
        )
    runs.record(
        context.warehouse,
        Run(
            run_id,
            JobName.LEASES.value,
            freed[0]["run_date"],
            "done",
            None,
            context.code_revision,
            context.config_hash,
            started,
            time.monotonic() - clock,
            Outcome(rows={f"freed {row['resource']}": 1 for row in freed}),
        ),
    )


def _print(context: Context) -> None:
    leases = granting.read_leases(context.warehouse)[1] if arrow.exists(context.warehouse, LEASES.name) else []
    rows = [row for row in leases if row["released_at"] is None or row["freed"]]
    shown = Table(
        title=f"Leases of {context.settings.project.name}; times are UTC by the holder's clock", title_justify="left"
    )
    for column in ("resource", "state", "run", "job", "host", "process"):
        shown.add_column(column, no_wrap=column != "state")
    for row in rows:
        job = f"{row['job']} for {row['run_date']}"
        shown.add_row(row["resource"], _state(row), row["run_id"], job, row["host"], str(row["pid"]))
    console = Console(width=max(150, Console().width))
    console.print(shown if rows else "No lease is held.")


def _state(row: dict[str, Any]) -> str:
    return f"held since {row['taken_at']:%Y-%m-%d %H:%M:%S}" if row["released_at"] is None else str(row["freed"])


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user need not have a name
        return f"user {os.getuid()}"
