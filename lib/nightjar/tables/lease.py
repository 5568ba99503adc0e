"""Leases: resources that a run works on alone. If two runs want the same one, the error of the second names the first.

The table `leases` has one row per resource. A lease is granted by an optimistic commit: of two runs that read the same
version, the first to commit wins. The holder gives signs of life (tables/beats.py). A run that wants a taken lease
watches them by its own clock, since clocks of machines differ, and host names and process numbers repeat in containers:
after a new sign the holder lives, after none for a while it counts as dead. The lease of a dead holder is taken over:
the new token is committed to every table before any work, so that commits of the old holder, should it only have been
frozen, are refused (tables/fence.py).
"""

import logging
import math
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

from nightjar.errors import HeldError, LeaseError
from nightjar.tables import arrow, beats, fence, granting
from nightjar.tables.definitions import BEATS, LEASES
from nightjar.tables.granting import ATTEMPTS, Claim, Row
from nightjar.tables.warehouse import Lease, Warehouse

log = logging.getLogger("nightjar.lease")


@dataclass(frozen=True)
class Pace:
    """The times of a lease, in seconds.

    Attributes:
        beat: between two signs of life.
        patience: without a sign of life, after which a holder counts as dead.
        look: between two looks at other runs' signs of life.
    """

    beat: float = 15
    patience: float = 45
    look: float = 1


class Watch:
    """Other runs' signs of life as a contender sees them, by its own monotonic clock."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._first: dict[str, tuple[int | None, float]] = {}

    def silences(self, warehouse: Warehouse, run_ids: Collection[str]) -> dict[str, float | None]:
        """Run -> seconds without a sign of life, at least; None: it has given one since the first look."""
        looked_at = self.clock()
        latest = beats.read(warehouse, run_ids)
        first = {run_id: self._first.setdefault(run_id, (beat, self.clock())) for run_id, beat in latest.items()}
        return {
            run_id: looked_at - first[run_id][1] if latest[run_id] == first[run_id][0] else None for run_id in latest
        }


@contextmanager
def hold(
    warehouse: Warehouse, claim: Claim, tables: Callable[[], Collection[str]], pace: Pace = Pace()
) -> Iterator[Warehouse]:
    """Hold leases while the block runs; the warehouse to write to under them.

    Args:
        warehouse: where the tables lie.
        claim: what to hold.
        tables: returns the names of all tables that may be written under these leases; called where leases are taken
            over from a dead holder.
        pace: of signs of life.

    Raises:
        HeldError: another run holds one of the resources, and lives.
    """
    _ensure_tables(warehouse)
    lease = take(warehouse, claim, pace)
    # A step of a nightly lives as long as the nightly does.
    heartbeat = nullcontext() if warehouse.leases else beats.keep_alive(warehouse, claim.run_id, pace.beat)
    with heartbeat:
        if lease.dead:
            # If this fails, the lease stays taken: the next run waits until this one is dead, and announces its own.
            granting.announce(warehouse, lease, tables())
        try:
            yield warehouse.with_lease(lease)
        finally:
            granting.give_back(warehouse, claim)


def take(warehouse: Warehouse, claim: Claim, pace: Pace) -> Lease:
    """Take a lease, if need be over from dead holders. A run that was dead for the nightly is dead for its steps.

    Raises:
        HeldError: another run holds one of the resources, and lives.
    """
    watch, conflicts, is_logged = Watch(), 0, False
    while conflicts < ATTEMPTS:
        version, rows, others, silence = look(warehouse, claim, watch)
        if others and silence < pace.patience:
            if not is_logged:
                log.info("held: %s. Watching for up to %g s whether it lives", _by_holder(others), pace.patience)
                is_logged = True
            time.sleep(pace.look)
            continue
        lease = granting.grant(warehouse, claim, version, rows, {row["alive"] for row in others})
        if lease is not None:
            if others:
                log.warning("taken over, without a sign of life for %g s: %s", pace.patience, _by_holder(others))
            return lease
        conflicts += 1
        time.sleep(0.05 * conflicts)
    raise granting.contention_error(warehouse, claim.resources[0])


def look(warehouse: Warehouse, claim: Claim, watch: Watch) -> tuple[int, list[Row], list[Row], float]:
    """The version and rows of `leases`, the rows of others in the way, and how long all of these have been silent.

    Raises:
        HeldError: one of them has given a sign of life since the first look.
    """
    version, rows = granting.read_leases(warehouse)
    # What an earlier attempt of this very nightly could not give back is its own.
    own = {lease.run_id for lease in warehouse.leases}
    unreleased = [row for row in rows if row["resource"] in claim.resources and row["released_at"] is None]
    others = [row for row in unreleased if row["alive"] not in own]
    dead = frozenset[str]().union(*(lease.dead for lease in warehouse.leases))
    watched = {row["alive"] for row in others} - dead
    silences = watch.silences(warehouse, watched) if watched else {}
    for row in others:
        if silences.get(row["alive"], math.inf) is None:
            raise HeldError(
                f"{claim.job} for {claim.run_date}: {row['resource']} is held by {fence.holder(row)}, and that run "
                "lives: it gave a sign of life just now. Nothing was written. Run it again once that run has ended. "
                "If it must end and is out of reach, what it would still write is refused after: "
                f"{fence.free_command(warehouse, row['resource'])}"
            )
    return (
        version,
        rows,
        others,
        min((silence for silence in silences.values() if silence is not None), default=math.inf),
    )


def free(warehouse: Warehouse, resource: str, run_id: str, reason: str, tables: Collection[str]) -> list[Row]:
    """Free all leases of a resource's holder, whether it lives or not: its further commits are refused.

    A nightly and its step count as one holder.

    Args:
        warehouse: where the tables lie.
        resource: its name.
        run_id: of the run that frees.
        reason: by whom and why.
        tables: names of all tables that may be written under such a lease.

    Returns:
        The rows of `leases` as they were.

    Raises:
        LeaseError: nobody has ever held this resource.
    """
    _ensure_tables(warehouse)
    for attempt in range(ATTEMPTS):
        version, rows = granting.read_leases(warehouse)
        resource_rows = [row for row in rows if row["resource"] == resource]
        if not resource_rows:
            active = ", ".join(row["resource"] for row in rows if row["released_at"] is None)
            raise LeaseError(f"There is no lease on {resource}. Held are: {active or 'none'}.")
        run_rows = [
            row for row in rows if row["released_at"] is None and row["alive"] == resource_rows[0]["alive"]
        ] or resource_rows
        claim = Claim(tuple(row["resource"] for row in run_rows), "leases", resource_rows[0]["run_date"], run_id)
        lease = granting.grant(warehouse, claim, version, rows, ())
        if lease is not None:
            granting.announce(warehouse, lease, tables, by_hand=True)
            granting.give_back(warehouse, claim, freed=reason)
            return run_rows
        time.sleep(0.05 * (attempt + 1))
    raise granting.contention_error(warehouse, resource)


def _by_holder(rows: Sequence[Row]) -> str:
    """The resources of each run, in words."""
    first_rows = {row["run_id"]: row for row in rows}
    resources = {run_id: [row["resource"] for row in rows if row["run_id"] == run_id] for run_id in first_rows}
    return "; ".join(f"{', '.join(resources[run_id])} by {fence.holder(row)}" for run_id, row in first_rows.items())


def _ensure_tables(warehouse: Warehouse) -> None:
    for table in (LEASES, BEATS):
        arrow.ensure(warehouse, table)
