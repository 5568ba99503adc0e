"""The actions that are stored, read as they come: a file that was read before is not read again."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from threading import Lock

from nightjar.tables import arrow, reviews, scan
from nightjar.tables.reviews import Action
from nightjar.tables.warehouse import Warehouse


@dataclass(frozen=True, eq=False)
class Stored:
    """What people did, at one version of the table.

    Attributes:
        by_case: prediction id -> the actions on it, in order.
        decided: the cases of which a decision holds, whoever looks at them and when.
    """

    by_case: Mapping[str, tuple[Action, ...]] = field(default_factory=dict)
    decided: AbstractSet[str] = frozenset()

    def actions(self, prediction_id: str) -> tuple[Action, ...]:
        """The actions on a case, in order."""
        return self.by_case.get(prediction_id, ())


class Ledger:
    """What people did, by case. Only the table holds it: what is here is as much of it as was read so far."""

    def __init__(self, warehouse: Warehouse) -> None:
        """Of the table `reviews` of a warehouse, which need not exist yet."""
        self._warehouse = warehouse
        self._lock = Lock()
        self._paths = frozenset[str]()
        self._stored = Stored()
        self._version: int | None = None

    def read(self, version: int | None = None) -> Stored:
        """What is stored at a version of the table; None: the latest. Later readings do not change it.

        Raises:
            TableError: the table cannot be read.
        """
        if version is None:
            version = arrow.versions(self._warehouse, [reviews.TABLE]).get(reviews.TABLE)
        if version is None:
            return Stored()
        with self._lock:
            if version != self._version:
                self._read_to(version)
            return self._stored

    @property
    def files(self) -> int:
        """The number of files that the table had when it was read last."""
        return len(self._paths)

    def _read_to(self, version: int) -> None:
        snapshot = scan.snapshot(self._warehouse, reviews.TABLE, version)
        paths = frozenset(file.path for file in snapshot.files)
        if not self._paths <= paths:  # files were merged, or it is an earlier version
            self._paths, self._stored = frozenset(), Stored()
        fresh = replace(snapshot, files=tuple(file for file in snapshot.files if file.path not in self._paths))
        rows = scan.read(fresh, reviews.COLUMNS).to_pylist() if fresh.files else []
        by_case, decided = dict(self._stored.by_case), set(self._stored.decided)
        for name, actions in reviews.actions_by_case(rows).items():
            by_case[name] = tuple(sorted([*by_case.get(name, ()), *actions], key=lambda one: one.number))
            if reviews.is_decided(by_case[name]):
                decided.add(name)
            else:
                decided.discard(name)
        self._stored, self._paths, self._version = Stored(by_case, decided), paths, version
