"""Leases: what a run works on alone. Two runs want the same: one gets it, the other is told who has it.

The table `leases` holds one row per resource. A lease is granted by an optimistic commit: whoever commits first on the
version that both have read wins. Its holder gives signs of life (tables/beats.py). Who finds a lease taken watches them
by its own clock, since no two machines agree on the time, and host names and process numbers repeat in containers: a
new sign, and the holder lives; none for a while, and it is dead, wherever it was. The lease of a dead holder is taken
over: the new token is committed to every table before any work, so what the old holder may still do, were it only
frozen, is refused (tables/fence.py).
"""

import logging
import os
import socket
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from deltalake.exceptions import DeltaError

from nightjar.errors import LeaseError, NightjarError
from nightjar.tables import arrow, beats, fence
from nightjar.tables.arrow import RETENTION
from nightjar.tables.definitions import BEATS, LEASES
from nightjar.tables.warehouse import Lease, Warehouse

log = logging.getLogger("nightjar.lease")
ATTEMPTS = 20
Row = dict[str, Any]


@dataclass(frozen=True)
class Pace:
    """Seconds between signs of life; without one, until a holder is dead; and between two looks for one."""

    beat: float = 15
    patience: float = 45
    look: float = 1


@dataclass(frozen=True)
class Claim:
    """What a run wants alone, and which run it is."""

    resources: tuple[str, ...]
    job: str
    run_date: date
    run_id: str


class Watch:
    """What a contender has seen of other runs' signs of life, by a clock of its own that only goes forward."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._first: dict[str, tuple[int | None, float]] = {}

    def silences(self, warehouse: Warehouse, run_ids: Collection[str]) -> dict[str, float | None]:
        """Run -> seconds for which it has surely given no sign of life; None: it has given one since the first look."""
        asked_at = self.clock()
        read = beats.read(warehouse, run_ids)
        first = {run_id: self._first.setdefault(run_id, (beat, self.clock())) for run_id, beat in read.items()}
        return {run_id: asked_at - first[run_id][1] if read[run_id] == first[run_id][0] else None for run_id in read}


@contextmanager
def held(
    warehouse: Warehouse, claim: Claim, tables: Callable[[], Collection[str]], pace: Pace = Pace()
) -> Iterator[Warehouse]:
    """Hold leases while the block runs; the warehouse to write to under them.

    Args:
        warehouse: where the tables lie.
        claim: what is to be held.
        tables: names of the tables that may be written under these leases; asked where a dead holder is taken over.
        pace: of signs of life.

    Raises:
        LeaseError: another run holds one of the resources, and lives.
    """
    for table in (LEASES, BEATS):
        arrow.ensure(warehouse, table)
    lease, dead = _take(warehouse, claim, pace)
    holding = warehouse.holding(lease)
    with beats.kept(warehouse, claim.run_id, pace.beat):
        if dead:
            # If this fails, the lease stays taken: the next run waits for this one, and then comes here itself.
            fence.announce(holding, tables())
        try:
            yield holding
        finally:
            _give_back(warehouse, claim)


def free(warehouse: Warehouse, resource: str, run_id: str, reason: str, tables: Collection[str]) -> list[Row]:
    """Free what the holder of a resource holds, whether it lives or not: its further commits are refused.

    Args:
        warehouse: where the tables lie.
        resource: its name.
        run_id: of the run that frees.
        reason: by whom and why.
        tables: all that may be written under such a lease.

    Returns:
        The rows of `leases` as they were.

    Raises:
        LeaseError: nobody has ever held this resource.
    """
    for table in (LEASES, BEATS):
        arrow.ensure(warehouse, table)
    for attempt in range(ATTEMPTS):
        seen, rows = stored(warehouse)
        named = [row for row in rows if row["resource"] == resource]
        if not named:
            known = ", ".join(row["resource"] for row in rows if row["released_at"] is None)
            raise LeaseError(f"There is no lease on {resource}. Held are: {known or 'none'}.")
        # A run holds all that it needs or nothing.
        of_run = [row for row in rows if row["released_at"] is None and row["run_id"] == named[0]["run_id"]] or named
        claim = Claim(tuple(row["resource"] for row in of_run), "leases", named[0]["run_date"], run_id)
        lease = _grant(warehouse, claim, seen, rows)
        if lease is not None:
            fence.announce(warehouse.holding(lease), tables, by_hand=True)
            _give_back(warehouse, claim, freed=reason)
            return of_run
        time.sleep(0.05 * (attempt + 1))
    raise _too_many(warehouse, resource)


def stored(warehouse: Warehouse) -> tuple[int, list[Row]]:
    """The version of `leases`, and its rows in the order of their resources."""
    seen = arrow.version(warehouse, LEASES.name)
    rows = arrow.read(warehouse, LEASES.name, LEASES.schema().names, at_version=seen).to_pylist()
    return seen, sorted((row for row in rows if row["resource"] is not None), key=lambda row: str(row["resource"]))


def holders(warehouse: Warehouse, claim: Claim, watch: Watch) -> tuple[int, list[Row], list[Row], float]:
    """One look at `leases`: its version and rows, those of others' that are in the way, and how long all are silent.

    Raises:
        LeaseError: one of them has given a sign of life since the first look.
    """
    seen, rows = stored(warehouse)
    others = [row for row in rows if row["resource"] in claim.resources and row["released_at"] is None]
    silences = watch.silences(warehouse, {row["run_id"] for row in others}) if others else {}
    for row in others:
        if silences[row["run_id"]] is None:
            raise LeaseError(
                f"{claim.job} for {claim.run_date}: {row['resource']} is held by {fence.held_by(row)}, and that run "
                "lives: it gave a sign of life just now. Nothing was written. Run it again once that run has ended. "
                "If it must end and is out of reach, what it would still write is refused after: "
                f"{fence.by_hand(warehouse, row['resource'])}"
            )
    return seen, rows, others, min((found for found in silences.values() if found is not None), default=0.0)


def _take(warehouse: Warehouse, claim: Claim, pace: Pace) -> tuple[Lease, list[Row]]:
    """The lease, and the rows of the dead that held some of it."""
    watch, lost, waits = Watch(), 0, False
    while lost < ATTEMPTS:
        seen, rows, others, silence = holders(warehouse, claim, watch)
        if others and silence < pace.patience:
            if not waits:
                held = ", ".join(f"{row['resource']} by {fence.held_by(row)}" for row in others)
                log.info("held: %s. Watching for up to %g s whether it lives", held, pace.patience)
            waits = True
            time.sleep(pace.look)
            continue
        lease = _grant(warehouse, claim, seen, rows)
        if lease is not None:
            for row in others:
                log.warning("%s is taken over: no sign of life of %s", row["resource"], fence.held_by(row))
            return lease, others
        lost += 1
        time.sleep(0.05 * lost)
    raise _too_many(warehouse, claim.resources[0])


def _grant(warehouse: Warehouse, claim: Claim, seen: int, rows: list[Row]) -> Lease | None:
    """The lease, if nobody has written to `leases` since the version that was seen; None: look again."""
    now = datetime.now(UTC)
    row = {
        "job": claim.job,
        "run_date": claim.run_date,
        "run_id": claim.run_id,
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "taken_at": now,
    }
    kept = [one for one in rows if one["resource"] not in claim.resources and not _is_old(one, now)]
    after = [*kept, *(row | {"resource": resource} for resource in claim.resources)]
    if not arrow.replace_if_unchanged(warehouse, LEASES, after, seen):
        return None
    return Lease(claim.resources, seen + 1, claim.run_id)


def _give_back(warehouse: Warehouse, claim: Claim, freed: str | None = None) -> None:
    """Whoever has taken it over keeps it. One that cannot be given back costs the next run a while of waiting."""
    problem: Exception | str = "too many others are writing to it"
    try:
        for attempt in range(ATTEMPTS):
            seen, rows = stored(warehouse)
            end = {"released_at": datetime.now(UTC), "freed": freed}
            after = [row | end if row["run_id"] == claim.run_id else row for row in rows]
            if after == rows or arrow.replace_if_unchanged(warehouse, LEASES, after, seen):
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


def _is_old(row: Row, now: datetime) -> bool:
    return row["released_at"] is not None and row["released_at"] < now - RETENTION


def _too_many(warehouse: Warehouse, resource: str) -> LeaseError:
    return LeaseError(
        f"The lease on {resource} could not be written to table {LEASES.name} at {warehouse.path(LEASES.name)}: too "
        "many other runs are writing leases. Nothing was written. Run it again."
    )
