"""The table `leases`, written by optimistic commits. The version that grants a lease is its token."""

import logging
import os
import socket
import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from deltalake.exceptions import DeltaError

from nightjar.errors import LeaseError, NightjarError
from nightjar.tables import arrow, fence, opening, transaction
from nightjar.tables.arrow import RETENTION
from nightjar.tables.definitions import FIXED, LEASES
from nightjar.tables.transaction import Change, Note
from nightjar.tables.warehouse import Lease, Warehouse

log = logging.getLogger("nightjar.lease")
ATTEMPTS = 20
Row = dict[str, Any]


@dataclass(frozen=True)
class Claim:
    """A run, and the resources that it wants for itself."""

    resources: tuple[str, ...]
    job: str
    run_date: date
    run_id: str


def read_leases(warehouse: Warehouse) -> tuple[int, list[Row]]:
    """The version of `leases`, and its rows in the order of their resources."""
    version = arrow.version(warehouse, LEASES.name)
    rows = arrow.read(warehouse, LEASES.name, LEASES.schema().names, at_version=version).to_pylist()
    resource_rows = [
        row for row in rows if row["resource"] is not None
    ]  # before there were tokens, rows were about jobs
    return version, sorted(resource_rows, key=lambda row: str(row["resource"]))


def grant(warehouse: Warehouse, claim: Claim, version: int, rows: list[Row], dead: Collection[str]) -> Lease | None:
    """The lease, if `leases` is still at the version that was read; None: read it again."""
    now = datetime.now(UTC)
    row = {
        "job": claim.job,
        "run_date": claim.run_date,
        "run_id": claim.run_id,
        "alive": warehouse.leases[0].run_id if warehouse.leases else claim.run_id,
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "taken_at": now,
    }
    others = [other for other in rows if other["resource"] not in claim.resources and not _is_old(other, now)]
    after = [*others, *(row | {"resource": resource} for resource in claim.resources)]
    if not arrow.replace_if_unchanged(warehouse.without_leases(), LEASES, after, version, claim.run_id):
        return None
    return Lease(claim.resources, version + 1, claim.run_id, frozenset(dead))


def give_back(warehouse: Warehouse, claim: Claim, freed: str | None = None) -> None:
    """Release the leases of a claim, but those that another run has taken over.

    A failure is only logged: the next run then waits until this one counts as dead.
    """
    problem: Exception | str = "too many others are writing to it"
    end = {"released_at": datetime.now(UTC), "freed": freed}
    try:
        for attempt in range(ATTEMPTS):
            version, rows = read_leases(warehouse)
            after = [row | end if row["run_id"] == claim.run_id else row for row in rows]
            if after == rows or arrow.replace_if_unchanged(
                warehouse.without_leases(), LEASES, after, version, claim.run_id
            ):
                return
            time.sleep(0.05 * (attempt + 1))
    except (NightjarError, DeltaError, OSError) as error:
        problem = error
    log.warning(
        "run %s could not give back %s in table %s at %s (%s): who wants it next waits until this run counts as dead",
        claim.run_id,
        ", ".join(claim.resources),
        LEASES.name,
        warehouse.path(LEASES.name),
        problem,
    )


def announce(warehouse: Warehouse, lease: Lease, tables: Collection[str], *, by_hand: bool = False) -> None:
    """Commit the tokens of a lease to tables, and nothing else: commits of its former holder are refused from then on.

    Args:
        warehouse: where the tables lie.
        lease: that was just granted.
        tables: their names. Missing ones with fixed columns are created: a former holder could append to them.
        by_hand: also where a table has a greater token, as after `leases` was lost or restored from a backup.

    Raises:
        LeaseError: another run has taken over this very lease meanwhile.
        TableError: a table cannot be written.
    """
    fixed = {table.name: table for table in FIXED}
    under = warehouse.without_leases() if by_hand else warehouse.without_leases().with_lease(lease)
    note = Note(lease.run_id, tokens=fence.tokens(lease) if by_hand else {})

    def announce_to(table: str) -> None:
        if table in fixed:
            arrow.ensure(warehouse, fixed[table])
        if arrow.exists(warehouse, table):
            transaction.commit(under, table, lambda _: Change(rearranged=True), note)

    opening.map_in_threads(announce_to, sorted(tables))


def contention_error(warehouse: Warehouse, resource: str) -> LeaseError:
    """The error for too many conflicts in `leases`."""
    return LeaseError(
        f"The lease on {resource} could not be written to table {LEASES.name} at {warehouse.path(LEASES.name)}: too "
        "many other runs are writing leases. Nothing was written. Run it again."
    )


def _is_old(row: Row, now: datetime) -> bool:
    return row["released_at"] is not None and row["released_at"] < now - RETENTION
