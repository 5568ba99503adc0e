"""The table `leases`: written only on the version that was read. The version that grants a lease is its token."""

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
    """What a run wants alone, and which run it is."""

    resources: tuple[str, ...]
    job: str
    run_date: date
    run_id: str


def stored(warehouse: Warehouse) -> tuple[int, list[Row]]:
    """The version of `leases`, and its rows in the order of their resources."""
    seen = arrow.version(warehouse, LEASES.name)
    rows = arrow.read(warehouse, LEASES.name, LEASES.schema().names, at_version=seen).to_pylist()
    named = [row for row in rows if row["resource"] is not None]  # before there were tokens, rows were about jobs
    return seen, sorted(named, key=lambda row: str(row["resource"]))


def grant(warehouse: Warehouse, claim: Claim, seen: int, rows: list[Row], dead: Collection[str]) -> Lease | None:
    """The lease, if nobody has written to `leases` since the version that was seen; None: look again."""
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
    kept = [one for one in rows if one["resource"] not in claim.resources and not _is_old(one, now)]
    after = [*kept, *(row | {"resource": resource} for resource in claim.resources)]
    if not arrow.replace_if_unchanged(warehouse.unfenced(), LEASES, after, seen, claim.run_id):
        return None
    return Lease(claim.resources, seen + 1, claim.run_id, frozenset(dead))


def give_back(warehouse: Warehouse, claim: Claim, freed: str | None = None) -> None:
    """Whoever has taken it over keeps it. One that cannot be given back costs the next run a while of waiting."""
    problem: Exception | str = "too many others are writing to it"
    end = {"released_at": datetime.now(UTC), "freed": freed}
    try:
        for attempt in range(ATTEMPTS):
            seen, rows = stored(warehouse)
            after = [row | end if row["run_id"] == claim.run_id else row for row in rows]
            if after == rows or arrow.replace_if_unchanged(warehouse.unfenced(), LEASES, after, seen, claim.run_id):
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
    """Commit the tokens of a lease to tables, and nothing else: who held it before is refused from then on.

    Args:
        warehouse: where the tables lie.
        lease: that was just granted.
        tables: their names. Those of fixed columns are made if there are none: an old holder could append to them.
        by_hand: also where a table knows a greater token, which a lost or older table `leases` leads to.

    Raises:
        LeaseError: another run has taken over this very lease meanwhile.
        TableError: a table cannot be written.
    """
    fixed = {table.name: table for table in FIXED}
    under = warehouse.unfenced() if by_hand else warehouse.unfenced().holding(lease)
    note = Note(lease.run_id, tokens=fence.tokens(lease) if by_hand else {})

    def announce_to(table: str) -> None:
        if table in fixed:
            arrow.ensure(warehouse, fixed[table])
        if arrow.exists(warehouse, table):
            transaction.commit(under, table, lambda _: Change(rearranged=True), note)

    opening.at_once(announce_to, sorted(tables))


def too_many(warehouse: Warehouse, resource: str) -> LeaseError:
    """What to say where `leases` never stands still."""
    return LeaseError(
        f"The lease on {resource} could not be written to table {LEASES.name} at {warehouse.path(LEASES.name)}: too "
        "many other runs are writing leases. Nothing was written. Run it again."
    )


def _is_old(row: Row, now: datetime) -> bool:
    return row["released_at"] is not None and row["released_at"] < now - RETENTION
