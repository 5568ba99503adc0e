"""The ledger of a search: one line for each finished fold, appended as it finishes, read when the search starts again.

    {"search": "...", "check": "..."}
    {"search": "...", "candidate": "...", "fold": "fold 1", ..., "check": "..."}

Lines are data, never pickled objects, and each ends with a hash of itself. A search that was killed reads its finished
folds here and fits none of them again. The first line is written at the start: an empty file is a damaged one.
"""

import fcntl
import hashlib
import json
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nightjar.errors import LearningError
from nightjar.learning.search.fold_tasks import FoldResult

TRIES, WAIT = 5, 0.05
"""Tries and seconds between them: `in_use` of another process locks a ledger for an instant."""


@dataclass
class Ledger:
    """Finished folds of one search, in memory and on disk.

    Attributes:
        path: the file.
        search: the problem's key, a hash of what results depend on beside candidate and fold.
        finished: (candidate's key, fold's name) -> result.
    """

    path: Path
    search: str
    finished: dict[tuple[str, str], FoldResult]
    _file: int

    @property
    def folder(self) -> Path:
        """The folder of all ledgers."""
        return self.path.parent

    def find(self, key: str, fold: str, name: str) -> FoldResult | None:
        """The result of the candidate with this key on this fold, under its name of today; None: not finished."""
        result = self.finished.get((key, fold))
        return None if result is None else FoldResult(**asdict(result) | {"candidate": name})

    def append(self, key: str, result: FoldResult) -> None:
        """Store a result, on disk before this returns.

        Raises:
            LearningError: this candidate has a result on this fold already, or the file cannot be written.
        """
        if (key, result.fold) in self.finished:
            raise LearningError(f"{self.path}: {result.candidate} on {result.fold} is finished already.")
        line = json.dumps(_seal({"search": self.search, "key": key, **asdict(result)}), allow_nan=False)
        content = f"{line}\n".encode()
        try:
            written = os.write(self._file, content)
            os.fsync(self._file)
        except OSError as error:
            raise LearningError(f"{self.path} cannot be written, so the search ends here: {error}.") from error
        if written < len(content):
            raise _damage_error(self.path, len(self.finished) + 2, "it could not be written whole: is the disk full?")
        self.finished[key, result.fold] = result


@contextmanager
def open_ledger(folder: Path, search: str) -> Iterator[Ledger]:
    """Open the ledger of a search, new or with its finished folds, and lock it while the block runs.

    Raises:
        LearningError: another process has locked it, or a line of it is damaged.
    """
    path = folder / f"{search}.jsonl"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _begin(path, search)
        file = os.open(path, os.O_RDWR | os.O_APPEND)
    except OSError as error:
        raise LearningError(
            f"{path}, which remembers the search's finished folds, cannot be opened: {error}."
        ) from error
    try:
        if not _try_lock(file):
            raise LearningError(f"{path} is held by another process: this very search is running already.")
        yield Ledger(path, search, _read(path, search), file)
    finally:
        os.close(file)


def in_use(folder: Path, search: str) -> bool:
    """Whether a process has locked the ledger of a search."""
    try:
        file = os.open(folder / f"{search}.jsonl", os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)  # released at once
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False


def _try_lock(file: int) -> bool:
    for _ in range(TRIES):
        with suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        time.sleep(WAIT)
    return False


def _begin(path: Path, search: str) -> None:
    """Create a ledger without results unless there is one; the file appears together with its first line."""
    if path.exists():
        return
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".new") as new:
        new.write(f"{json.dumps(_seal({'search': search}))}\n".encode())
        new.flush()
        os.fsync(new.fileno())
        with suppress(FileExistsError):  # another process was faster
            os.link(new.name, path)
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def _read(path: Path, search: str) -> dict[tuple[str, str], FoldResult]:
    finished = {}
    content = path.read_bytes()
    lines = content.split(b"\n")
    if lines.pop() or not lines:
        raise _damage_error(path, len(lines) + 1, "it is not complete")
    for number, line in enumerate(lines, start=1):
        try:
            entry: dict[str, Any] = json.loads(line)
            whole = entry == _seal({name: value for name, value in entry.items() if name != "check"})
        except (ValueError, AttributeError) as error:
            raise _damage_error(path, number, f"it is no JSON object: {error}") from error
        if not whole or entry.pop("search") != search:
            raise _damage_error(path, number, "it was changed, or belongs to another search")
        del entry["check"]
        if bool(entry) != (number > 1):
            raise _damage_error(path, number, "the first line, and no other, is without a fold")
        if entry:
            key = entry.pop("key")
            if (key, entry["fold"]) in finished:
                raise _damage_error(path, number, f"it is a second result of {entry['candidate']} on {entry['fold']}")
            finished[key, entry["fold"]] = FoldResult(**entry)
    return finished


def _seal(entry: dict[str, Any]) -> dict[str, Any]:
    text = json.dumps(entry, sort_keys=True, allow_nan=False)
    return {**entry, "check": hashlib.sha256(text.encode()).hexdigest()}


def _damage_error(path: Path, number: int, how: str) -> LearningError:
    first = "Move" if number == 1 else "Take that line out to fit its fold again, or move"
    return LearningError(
        f"{path} is damaged in line {number}: {how}. It holds the finished folds of a search. {first} the file away to "
        "fit all of them again."
    )
