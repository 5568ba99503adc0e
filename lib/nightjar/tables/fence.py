"""The tokens of a run's leases, checked and left behind by every commit, on the very snapshot that it commits on.

Who has checked a lease and then commits may have been frozen between the two. So a table remembers the greatest token
that has committed to it, and a commit with a smaller one is refused: either the newer holder's commit stands in the
snapshot, or it comes first and this one conflicts.
"""

from collections.abc import Mapping
from typing import Any

from deltalake import DeltaTable

from nightjar.errors import LeaseError
from nightjar.tables import scan
from nightjar.tables.definitions import LEASES
from nightjar.tables.warehouse import Lease, Warehouse

PREFIX = "lease/"
"""Of a resource's name, where a table keeps the token that was last committed under a lease on it."""


def passed(warehouse: Warehouse, table: str, opened: DeltaTable) -> dict[str, int]:
    """What a commit on this snapshot of a table must carry: the tokens that the table does not know yet.

    Raises:
        LeaseError: another run has taken over one of the leases.
    """
    fresh = {}
    for lease in warehouse.leases:
        for name, token in tokens(lease).items():
            known: int | None = opened.transaction_version(name)
            if known is not None and known > token:
                raise LeaseError(_overtaken(warehouse, table, lease, name.removeprefix(PREFIX), known))
            if known != token:
                fresh[name] = token
    return fresh


def tokens(lease: Lease) -> dict[str, int]:
    """What a table remembers of a lease."""
    return {PREFIX + resource: lease.token for resource in lease.resources}


def holder(row: Mapping[str, Any]) -> str:
    """Who a row of `leases` is about, in words."""
    return (
        f"run {row['run_id']} ({row['job']} for {row['run_date']}, process {row['pid']} on {row['host']}, "
        f"since {row['taken_at']:%Y-%m-%d %H:%M:%S} UTC by its clock)"
    )


def freeing(warehouse: Warehouse, resource: str) -> str:
    """The command that frees a lease by hand."""
    return f'python jobs/leases.py project={warehouse.project} action=FREE resource={resource} reason="..."'


def _overtaken(warehouse: Warehouse, table: str, lease: Lease, resource: str, token: int) -> str:
    stated = f"Table {table} at {warehouse.path(table)}: the lease on {resource} of this run {lease.run_id} has ended: "
    leases = scan.snapshot(warehouse, LEASES.name)
    stored = scan.read(leases, LEASES.schema().names).to_pylist()
    rows = [row for row in stored if row["resource"] == resource]
    if not rows or leases.version < token:
        return (
            f"{stated}the table knows token {token}, this run has {lease.token}, and table {LEASES.name} at "
            f"{leases.folder} does not reach as far: it was removed or put back to an older state. Nothing was "
            f"written. Put it back whole, or free the lease by hand: {freeing(warehouse, resource)}"
        )
    if rows[0]["freed"]:
        why = f"it was {rows[0]['freed']}"
    else:
        why = f"another run has taken over, {holder(rows[0])}, because nothing was heard of this one for a while"
    return (
        f"{stated}{why}. Nothing was written. Was it stopped, or could it not reach its tables? If the work is still "
        "to be done, run it again."
    )
