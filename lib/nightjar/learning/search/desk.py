"""Where a search's workers fetch what to do next: units wait here for them, or they for units."""

import asyncio
import time
from collections import Counter
from typing import Any

from nightjar.learning.search.race import Unit


class Desk:
    """A queue, to be run as an actor: in a process of its own, for workers on any machine.

    Args:
        seconds: after so many no unit is handed out any more; None: there is no limit.
        shared: the object reference of the search's problem, in a list. In a worker's own code the reference would be
            kept, and the problem with it, until the driver ends; here it is let go with the desk.
    """

    def __init__(self, seconds: float | None, shared: list[Any]) -> None:
        self.shared = shared
        self.deadline = None if seconds is None else time.monotonic() + seconds
        self.due: asyncio.Queue[Unit | None] = asyncio.Queue()
        self.held: dict[int, Unit] = {}
        self.lost: Counter[int] = Counter()

    async def begin(self, worker: int) -> tuple[list[Any], int]:
        """For a worker's process that starts: the search's problem, and which of its lives this is, for `next`."""
        return self.shared, self.lost[worker]

    async def put(self, units: list[Unit]) -> None:
        """Add units to the end of the queue."""
        for unit in units:
            self.due.put_nowait(unit)

    async def close(self) -> None:
        """There will be no more units."""
        self.due.put_nowait(None)

    async def next(self, worker: int, life: int) -> Unit | None:
        """The next unit, which the worker holds until it asks again; waits for one; None: go home."""
        if self.lost[worker] > life:  # it asked before it was lost: nobody would hear the answer
            return None
        self.held.pop(worker, None)
        left = None if self.deadline is None else self.deadline - time.monotonic()
        if left is not None and left <= 0:
            return None
        try:
            unit = await asyncio.wait_for(self.due.get(), left)
        except TimeoutError:
            return None
        if self.lost[worker] > life:  # it was lost while it waited here
            self.due.put_nowait(unit)
            return None
        if unit is None:
            self.due.put_nowait(None)  # for the others
        else:
            self.held[worker] = unit
        return unit

    async def held_by(self, worker: int) -> Unit | None:
        """What the worker was at when it was lost; it no longer is, nor does it wait."""
        self.lost[worker] += 1
        return self.held.pop(worker, None)
