"""Leases: what a run works on alone. Two runs want the same: one gets it, the other is told who has it.

The table `leases` holds one row per resource. A lease is granted by an optimistic commit: whoever commits first on the
version that both have read wins. Its holder gives signs of life (tables/beats.py). Who finds a lease taken watches them
by its own clock, since no two machines agree on the time, and host names and process numbers repeat in containers: a
new sign, and the holder lives; none for a while, and it is dead, wherever it was. The lease of a dead holder is taken
over: the new token is committed to every table before any work, so what the old holder may still do, were it only
frozen, is refused (tables/fence.py).
"""

import logging
import math
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

from nightjar.errors import LeaseError
from nightjar.tables import arrow, beats, fence, granting
from nightjar.tables.definitions import BEATS, LEASES
from nightjar.tables.granting import ATTEMPTS, Claim, Row
from nightjar.tables.warehouse import Lease, Warehouse

log = logging.getLogger("nightjar.lease")


@dataclass(frozen=True)
class Pace:
    """Seconds between signs of life; without one, until a holder is dead; and between two looks for one."""

    beat: float = 15
    patience: float = 45
    look: float = 1


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
        tables: names of all tables that may be written under these leases; asked where a dead holder is taken over.
        pace: of signs of life.

    Raises:
        LeaseError: another run holds one of the resources, and lives.
    """
    _ensure_tables(warehouse)
    lease = take(warehouse, claim, pace)
    # A step of a nightly lives as long as the nightly does.
    living = nullcontext() if warehouse.leases else beats.kept(warehouse, claim.run_id, pace.beat)
    with living:
        if lease.dead:
            # If this fails, the lease stays taken: the next run waits for this one, and then comes here itself.
            granting.announce(warehouse, lease, tables())
        try:
            yield warehouse.holding(lease)
        finally:
            granting.give_back(warehouse, claim)


def take(warehouse: Warehouse, claim: Claim, pace: Pace) -> Lease:
    """The lease, taken over from the dead where they held some of it. Who was dead for the nightly is so for its steps.

    Raises:
        LeaseError: another run holds one of the resources, and lives.
    """
    watch, lost, is_told = Watch(), 0, False
    while lost < ATTEMPTS:
        seen, rows, others, silence = look(warehouse, claim, watch)
        if others and silence < pace.patience:
            if not is_told:
                by = ", ".join(f"{row['resource']} by {fence.holder(row)}" for row in others)
                log.info("held: %s. Watching for up to %g s whether it lives", by, pace.patience)
                is_told = True
            time.sleep(pace.look)
            continue
        lease = granting.grant(warehouse, claim, seen, rows, {row["alive"] for row in others})
        if lease is not None:
            for row in others:
                log.warning("%s is taken over: no sign of life of %s", row["resource"], fence.holder(row))
            return lease
        lost += 1
        time.sleep(0.05 * lost)
    raise granting.too_many(warehouse, claim.resources[0])


def look(warehouse: Warehouse, claim: Claim, watch: Watch) -> tuple[int, list[Row], list[Row], float]:
    """One look at `leases`: its version and rows, those of others that are in the way, and how long all are silent.

    Raises:
        LeaseError: one of them has given a sign of life since the first look.
    """
    seen, rows = granting.stored(warehouse)
    others = [row for row in rows if row["resource"] in claim.resources and row["released_at"] is None]
    known = frozenset[str]().union(*(lease.dead for lease in warehouse.leases))
    asked = {row["alive"] for row in others} - known
    silences = watch.silences(warehouse, asked) if asked else {}
    for row in others:
        if silences.get(row["alive"], math.inf) is None:
            raise LeaseError(
                f"{claim.job} for {claim.run_date}: {row['resource']} is held by {fence.holder(row)}, and that run "
                "lives: it gave a sign of life just now. Nothing was written. Run it again once that run has ended. "
                "If it must end and is out of reach, what it would still write is refused after: "
                f"{fence.freeing(warehouse, row['resource'])}"
            )
    return seen, rows, others, min((silence for silence in silences.values() if silence is not None), default=math.inf)


def free(warehouse: Warehouse, resource: str, run_id: str, reason: str, tables: Collection[str]) -> list[Row]:
    """Free all that the holder of a resource holds, whether it lives or not: its further commits are refused.

    Of a nightly that is also what its step holds, and the other way round.

    Args:
        warehouse: where the tables lie.
        resource: its name.
        run_id: of the run that frees.
        reason: by whom and why.
        tables: names of all that may be written under such a lease.

    Returns:
        The rows of `leases` as they were.

    Raises:
        LeaseError: nobody has ever held this resource.
    """
    _ensure_tables(warehouse)
    for attempt in range(ATTEMPTS):
        seen, rows = granting.stored(warehouse)
        named = [row for row in rows if row["resource"] == resource]
        if not named:
            known = ", ".join(row["resource"] for row in rows if row["released_at"] is None)
            raise LeaseError(f"There is no lease on {resource}. Held are: {known or 'none'}.")
        of_run = [row for row in rows if row["released_at"] is None and row["alive"] == named[0]["alive"]] or named
        claim = Claim(tuple(row["resource"] for row in of_run), "leases", named[0]["run_date"], run_id)
        lease = granting.grant(warehouse, claim, seen, rows, ())
        if lease is not None:
            granting.announce(warehouse, lease, tables, by_hand=True)
            granting.give_back(warehouse, claim, freed=reason)
            return of_run
        time.sleep(0.05 * (attempt + 1))
    raise granting.too_many(warehouse, resource)


def _ensure_tables(warehouse: Warehouse) -> None:
    for table in (LEASES, BEATS):
        arrow.ensure(warehouse, table)
