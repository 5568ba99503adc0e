"""The tokens of a run's leases, checked and left behind by every commit, on the very snapshot that it commits on.

Who has checked a lease and then commits may have been frozen between the two. So a table remembers the greatest token
that has committed to it, and a commit with a smaller one is refused: either the newer holder's commit stands in the
snapshot, or it comes first and this one conflicts.
"""

import time
from collections.abc import Collection

import pyarrow.compute as pc
from deltalake import DeltaTable, Transaction
from deltalake.exceptions import CommitFailedError

from nightjar.errors import LeaseError, TableError
from nightjar.tables import arrow, commits
from nightjar.tables.definitions import FIXED, LEASES
from nightjar.tables.warehouse import Lease, Warehouse

ATTEMPTS = 20

PREFIX = "lease/"
"""Of a resource's name, where a table keeps the token that was last committed under a lease on it."""


def passed(warehouse: Warehouse, table: str, opened: DeltaTable) -> list[Transaction]:
    """What a commit on this snapshot of a table must carry: the tokens that the table does not know yet.

    Raises:
        LeaseError: another run has taken over one of the leases.
    """
    fresh = []
    for lease in warehouse.leases:
        for resource in lease.resources:
            known: int | None = opened.transaction_version(PREFIX + resource)
            if known is not None and known > lease.token:
                raise LeaseError(_overtaken(warehouse, table, lease, resource, known))
            if known != lease.token:
                fresh.append(_token(lease, resource))
    return fresh


def announce(warehouse: Warehouse, tables: Collection[str], *, by_hand: bool = False) -> None:
    """Commit the tokens of the newest lease to tables, and nothing else: who held it before is refused from then on.

    Args:
        warehouse: held under that lease.
        tables: their names. Those of fixed columns are made if there are none: an old holder could append to them.
        by_hand: also where a table knows a greater token, which a lost or older table `leases` leads to.

    Raises:
        LeaseError: another run has taken over this very lease meanwhile.
        TableError: a table cannot be written.
    """
    fixed = {table.name: table for table in FIXED}

    def announce_to(table: str) -> None:
        if table in fixed:
            arrow.ensure(warehouse, fixed[table])
        if arrow.exists(warehouse, table):
            _announce(warehouse, table, by_hand=by_hand)

    arrow.at_once(announce_to, sorted(tables))


def _announce(warehouse: Warehouse, table: str, *, by_hand: bool) -> None:
    lease = warehouse.leases[-1]
    said = {"run_id": lease.run_id, commits.REARRANGED: "true"}
    for attempt in range(ATTEMPTS):
        opened = arrow.opened(warehouse, table)
        tokens = [_token(lease, one) for one in lease.resources] if by_hand else passed(warehouse, table, opened)
        try:
            arrow.commit_without_files(opened, said, tokens)
        except CommitFailedError:
            time.sleep(0.05 * (attempt + 1))
            continue
        return
    raise TableError(f"Table {table} at {warehouse.path(table)}: too many others are writing to it.")


def _token(lease: Lease, resource: str) -> Transaction:
    return Transaction(PREFIX + resource, lease.token, int(time.time() * 1000))


def held_by(row: dict[str, object]) -> str:
    """Who a row of `leases` is about, in words."""
    return (
        f"run {row['run_id']} ({row['job']} for {row['run_date']}, process {row['pid']} on {row['host']}, "
        f"since {row['taken_at']:%Y-%m-%d %H:%M:%S} UTC by its clock)"
    )


def by_hand(warehouse: Warehouse, resource: str) -> str:
    """The command that frees a lease."""
    return f'python jobs/leases.py project={warehouse.project} action=FREE resource={resource} reason="..."'


def _overtaken(warehouse: Warehouse, table: str, lease: Lease, resource: str, token: int) -> str:
    stated = f"Table {table} at {warehouse.path(table)}: the lease on {resource} of this run {lease.run_id} has ended: "
    rows = arrow.read(warehouse, LEASES.name, where=pc.field("resource") == resource).to_pylist()
    if not rows or arrow.version(warehouse, LEASES.name) < token:
        return (
            f"{stated}token {token} has been seen, this run has {lease.token}, and table {LEASES.name} at "
            f"{warehouse.path(LEASES.name)} does not reach as far: it was removed or put back to an older state. "
            f"Nothing was written. Put it back whole, or free the lease by hand: {by_hand(warehouse, resource)}"
        )
    if rows[0]["freed"]:
        why = f"it was {rows[0]['freed']}"
    else:
        why = f"another run has taken over, {held_by(rows[0])}, because nothing was heard of this one for a while"
    return (
        f"{stated}{why}. Nothing was written. Was it stopped, or could it not reach its tables? If the work is still "
        "to be done, run it again."
    )
