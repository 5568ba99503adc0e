"""Where a project's tables lie."""

import os
from dataclasses import dataclass
from pathlib import Path

from nightjar.errors import TableError


@dataclass(frozen=True)
class Warehouse:
    """The tables of one project: `<root>/<project>/<table>`; the root is a folder or an object-store prefix."""

    root: str
    project: str

    def path(self, table: str) -> str:
        """Path of a table: absolute for a folder, as given for an object store."""
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
