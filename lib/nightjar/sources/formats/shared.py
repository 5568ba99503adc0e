"""What sources made of the same files share in a run: what was seen of a file, and copies of it."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, TypeVar

Result = TypeVar("Result")


@dataclass(frozen=True)
class Results:
    """Results that are made once, whichever of several threads needs them first; the others wait for it."""

    _guard: Lock = field(default_factory=Lock)
    _locks: dict[Hashable, Lock] = field(default_factory=dict)
    _results: dict[Hashable, Any] = field(default_factory=dict)

    def get(self, key: Hashable, make: Callable[[], Result]) -> Result:
        """The result of a key. Who waits for one that fails tries by itself.

        Raises:
            Exception: what `make` raises.
        """
        with self._guard:
            lock = self._locks.setdefault(key, Lock())
        with lock:
            if key not in self._results:
                self._results[key] = make()
            result: Result = self._results[key]
            return result


@dataclass(frozen=True)
class SharedFiles:
    """Results about files as one source sees them.

    Attributes:
        results: of all sources.
        contents: path -> what tells its content, or the part that is read, from any other.
    """

    results: Results = field(default_factory=Results)
    contents: Mapping[str, str] = field(default_factory=dict)

    def get(self, path: str, step: Hashable, make: Callable[[], Result]) -> Result:
        """What a step makes of the file at a path.

        Raises:
            Exception: what `make` raises.
        """
        return self.results.get((path, self.contents.get(path), step), make)
