"""Where a project's tables lie."""

import os
from dataclasses import dataclass, replace
from pathlib import Path

from nightjar.errors import TableError


@dataclass(frozen=True)
class Lease:
    """Resources that a run works on alone.

    Attributes:
        resources: their names, such as source/plan and ingest/2024-02-07.
        token: the version of the table `leases` that granted it; later leases on the same resources have greater ones.
        run_id: of the run that holds it.
        dead: the runs that it was taken over from.
    """

    resources: tuple[str, ...]
    token: int
    run_id: str
    dead: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Warehouse:
    """The tables of one project: `<root>/<project>/<table>`; the root is a folder or an object-store prefix.

    Attributes:
        leases: those under which a run writes: every commit checks and stores their tokens, see tables/fence.py.
    """

    root: str
    project: str
    leases: tuple[Lease, ...] = ()

    def with_lease(self, lease: Lease) -> "Warehouse":
        """The same tables, written under one more lease."""
        return replace(self, leases=(*self.leases, lease))

    def without_leases(self) -> "Warehouse":
        """The same tables, written whoever holds the leases."""
        return replace(self, leases=())

    def path(self, table: str) -> str:
        """Path of a table: absolute for a folder, as given for an object store.

        Example:
            >>> Warehouse("s3://bucket/nightjar", "machines").path("scores")
            's3://bucket/nightjar/machines/scores'
        """
        return f"{self._base()}/{self.project}/{table}"

    def is_local(self) -> bool:
        """Whether the root is a folder."""
        return "://" not in self.root

    def check_writable(self) -> None:
        """Create the project's folder.

        Raises:
            TableError: it cannot be created or written.
        """
        if not self.is_local():
            return
        folder = Path(self.path(""))
        advice = "Give a folder that this user may write: environment.warehouse=/path/to/folder"
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise TableError(f"The warehouse {folder} cannot be created: {error.strerror}. {advice}") from error
        if not os.access(folder, os.W_OK | os.X_OK):
            raise TableError(f"The warehouse {folder} is not writable. {advice}")

    def _base(self) -> str:
        return str(Path(self.root).absolute()) if self.is_local() else self.root.rstrip("/")
