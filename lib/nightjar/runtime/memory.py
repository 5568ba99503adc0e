"""The memory of this process, by itself or with all that it has started, as Linux counts it."""

import os
import re
import threading
import time
from contextlib import suppress
from pathlib import Path

_PROCESS = Path("/proc/self")
_PEAK = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)
_PROPORTIONAL = re.compile(r"^Pss:\s+(\d+) kB$", re.MULTILINE)


def forget_peak() -> None:
    """Let the peak be counted anew, where the system can; else it is that of the process's whole life."""
    try:
        (_PROCESS / "clear_refs").write_text("5")
    except OSError:
        return


def peak() -> int | None:
    """In bytes; None where the system does not tell."""
    try:
        status = (_PROCESS / "status").read_text()
    except OSError:
        return None
    match = _PEAK.search(status)
    return None if match is None else int(match[1]) * 1024


def of_tree() -> int | None:
    """Bytes that this process and all that it has started hold, pages that they share counted once; None: see `peak`.

    A process that ends meanwhile, or is another user's, counts nothing.
    """
    parents = _parents()
    if not parents:
        return None
    tree, new = {os.getpid()}, {os.getpid()}
    while new:
        new = {pid for pid, parent in parents.items() if parent in new} - tree
        tree |= new
    return sum(map(_proportional, tree))


def _parents() -> dict[int, int]:
    """Process -> the one that has started it."""
    parents = {}
    for folder in _PROCESS.parent.glob("[0-9]*"):
        with suppress(OSError, ValueError, IndexError):
            # The command's name, in brackets, may hold anything.
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
    return parents


def _proportional(pid: int) -> int:
    """The memory of a process, each shared page divided by the number of those that share it."""
    try:
        match = _PROPORTIONAL.search((_PROCESS.parent / str(pid) / "smaps_rollup").read_text())
    except OSError:
        return 0
    return 0 if match is None else int(match[1]) * 1024


class Sampler:
    """Looks at the memory of the process and all that it has started, from a thread of its own, until it is stopped.

    Linux goes through all pages of a process to count them, a tenth of a second for those of a Java: looking takes at
    most a twentieth of the time.
    """

    def __init__(self, every: float = 2.0) -> None:
        self._every = every
        self._most: int | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look, name="memory", daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while True:
            begin = time.monotonic()
            total = of_tree()
            if total is not None:
                self._most = max(total, self._most or 0)
            if self._stop.wait(max(self._every, 19 * (time.monotonic() - begin))):
                return

    def stop(self) -> int | None:
        """End it; the most bytes that it saw, None where the system does not tell."""
        self._stop.set()
        self._thread.join()
        return self._most
