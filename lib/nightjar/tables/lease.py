"""A lease on one job and date: two runs of the same, one wins, the other is told.

The table `leases` holds one row per job and date. A lease is taken by an optimistic commit: whoever commits first on
the version that both have read wins. A run that dies leaves its row behind; it no longer counts once its time is up,
or at once on the machine where its process is seen to be gone.
"""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow.compute as pc

from nightjar.errors import LeaseError
from nightjar.tables import arrow
from nightjar.tables.definitions import LEASES
from nightjar.tables.warehouse import Warehouse

ATTEMPTS = 20


@contextmanager
def held(warehouse: Warehouse, job: str, run_date: date, run_id: str, minutes: int) -> Iterator[None]:
    """Hold the lease on a job and date while the block runs.

    Raises:
        LeaseError: another run holds it.
    """
    arrow.ensure(warehouse, LEASES)
    _write(warehouse, job, run_date, run_id, minutes)
    try:
        yield
    finally:
        # Whoever has taken over a lease whose time was up keeps it: this run's work is done all the same.
        with suppress(LeaseError):
            _write(warehouse, job, run_date, run_id, 0)


def _write(warehouse: Warehouse, job: str, run_date: date, run_id: str, minutes: int) -> None:
    where = {"job": job, "run_date": run_date}
    for attempt in range(ATTEMPTS):
        seen = arrow.version(warehouse, LEASES.name)
        condition = (pc.field("job") == job) & (pc.field("run_date") == run_date)
        for row in arrow.read(warehouse, LEASES.name, where=condition, at_version=seen).to_pylist():
            _refuse_if_held(row, run_id)
        now = datetime.now(UTC)
        lease = {
            "job": job,
            "run_date": run_date,
            "run_id": run_id,
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "taken_at": now,
            "until": now + timedelta(minutes=minutes),
        }
        if arrow.replace_if_unchanged(warehouse, LEASES, lease, where, seen, run_id):
            return
        time.sleep(0.05 * (attempt + 1))
    raise LeaseError(f"The lease on {job} for {run_date} could not be written: too many other runs are writing leases.")


def _refuse_if_held(row: dict[str, Any], run_id: str) -> None:
    here = row["host"] == socket.gethostname()
    over = row["until"] <= datetime.now(UTC)
    if row["run_id"] == run_id or over or (here and not _is_alive(row["pid"])):
        return
    raise LeaseError(
        f"{row['job']} for {row['run_date']} is already being run, by run {row['run_id']} (process {row['pid']} on "
        f"{row['host']}, since {row['taken_at']:%Y-%m-%d %H:%M:%S} UTC). Wait for it to end; if it is gone, its lease "
        f"ends at {row['until']:%Y-%m-%d %H:%M:%S} UTC."
    )


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
