"""Fencing tokens: every commit checks and stores the tokens of its run's leases, on the snapshot that it commits on.

A run can be frozen between checking its lease and committing. So a table stores the greatest token of all commits, and
a commit with a smaller one is refused: either the newer holder's commit is in the snapshot, or it comes first and this
one conflicts.
"""

from collections.abc import Mapping
from typing import Any

from deltalake import DeltaTable

from nightjar.errors import LeaseError
from nightjar.tables import scan
from nightjar.tables.definitions import LEASES
from nightjar.tables.warehouse import Lease, Warehouse

PREFIX = "lease/"
"""Of the key under which a table stores the last token of a resource."""


def tokens_to_commit(warehouse: Warehouse, table: str, delta_table: DeltaTable) -> dict[str, int]:
    """The tokens that a commit on this snapshot of a table must add: those that the table does not have yet.

    Raises:
        LeaseError: another run has taken over one of the leases.
    """
    pending = {}
    for lease in warehouse.leases:
        for name, token in tokens(lease).items():
            last_token: int | None = delta_table.transaction_version(name)
            if last_token is not None and last_token > token:
                raise LeaseError(_overtaken(warehouse, table, lease, name.removeprefix(PREFIX), last_token))
            if last_token != token:
                pending[name] = token
    return pending


def tokens(lease: Lease) -> dict[str, int]:
    """Key in a table -> token of a lease."""
    return {PREFIX + resource: lease.token for resource in lease.resources}


def holder(row: Mapping[str, Any]) -> str:
    """The holder in a row of `leases`, in words."""
    return (
        f"run {row['run_id']} ({row['job']} for {row['run_date']}, process {row['pid']} on {row['host']}, "
        f"since {row['taken_at']:%Y-%m-%d %H:%M:%S} UTC by its clock)"
    )


def free_command(warehouse: Warehouse, resource: str) -> str:
    """The command that frees a lease by hand."""
    return f'python jobs/leases.py project={warehouse.project} action=free resource={resource} reason="..."'


def _overtaken(warehouse: Warehouse, table: str, lease: Lease, resource: str, token: int) -> str:
    subject = (
        f"Table {table} at {warehouse.path(table)}: the lease on {resource} of this run {lease.run_id} has ended: "
    )
    leases = scan.snapshot(warehouse, LEASES.name)
    lease_rows = scan.read(leases, LEASES.schema().names).to_pylist()
    rows = [row for row in lease_rows if row["resource"] == resource]
    if not rows or leases.version < token:
        return (
            f"{subject}the table knows token {token}, this run has {lease.token}, and table {LEASES.name} at "
            f"{leases.folder} does not reach as far: it was removed or put back to an older state. Nothing was "
            f"written. Put it back whole, or free the lease by hand: {free_command(warehouse, resource)}"
        )
    if rows[0]["freed"]:
        why = f"it was {rows[0]['freed']}"
    else:
        why = f"another run has taken over, {holder(rows[0])}, because nothing was heard of this one for a while"
    return (
        f"{subject}{why}. Nothing was written. Was it stopped, or could it not reach its tables? If the work is still "
        "to be done, run it again."
    )
