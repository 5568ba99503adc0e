"""The actions that are stored, read as they come: a file that was read before is not read again."""

from dataclasses import replace
from threading import Lock

from nightjar.tables import arrow, reviews, scan
from nightjar.tables.reviews import Action
from nightjar.tables.warehouse import Warehouse


class Ledger:
    """What people did, by case. Only the table holds it: what is here is as much of it as was read so far."""

    def __init__(self, warehouse: Warehouse) -> None:
        """Of the table `reviews` of a warehouse, which need not exist yet."""
        self._warehouse = warehouse
        self._lock = Lock()
        self._paths = frozenset[str]()
        self._by_case: dict[str, tuple[Action, ...]] = {}
        self._version: int | None = None

    def read(self, version: int | None = None) -> dict[str, tuple[Action, ...]]:
        """Prediction id -> the actions on it, in order, at a version of the table; None: the latest.

        The result is not changed by later readings.

        Raises:
            TableError: the table cannot be read.
        """
        if version is None:
            if not arrow.exists(self._warehouse, reviews.TABLE):
                return {}
            version = arrow.version(self._warehouse, reviews.TABLE)
        with self._lock:
            if version != self._version:
                self._read_to(version)
            return self._by_case

    @property
    def files(self) -> int:
        """The number of files that the table had when it was read last."""
        return len(self._paths)

    def _read_to(self, version: int) -> None:
        snapshot = scan.snapshot(self._warehouse, reviews.TABLE, version)
        paths = frozenset(file.path for file in snapshot.files)
        if not self._paths <= paths:  # files were merged, or it is an earlier version
            self._paths, self._by_case = frozenset(), {}
        fresh = replace(snapshot, files=tuple(file for file in snapshot.files if file.path not in self._paths))
        rows = scan.read(fresh, reviews.COLUMNS).to_pylist() if fresh.files else []
        by_case = dict(self._by_case)
        for name, actions in reviews.actions_by_case(rows).items():
            by_case[name] = tuple(sorted([*by_case.get(name, ()), *actions], key=lambda one: one.number))
        self._by_case, self._paths, self._version = by_case, paths, version
