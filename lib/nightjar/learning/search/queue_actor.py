"""The queue from which a search's workers fetch tasks."""

import asyncio
import time
from collections import Counter
from typing import Any

from nightjar.learning.search.fold_tasks import FoldTask


class QueueActor:
    """A queue, to be run as an actor: in a process of its own, for workers on any machine.

    Args:
        seconds: after so many no task is handed out; None: no limit.
        shared: the object reference of the search's problem, in a list. In a worker's own code the reference would be
            kept, and the problem with it, until the driver ends; here it is released with the actor.
    """

    def __init__(self, seconds: float | None, shared: list[Any]) -> None:
        self.shared = shared
        self.deadline = None if seconds is None else time.monotonic() + seconds
        self.due: asyncio.Queue[FoldTask | None] = asyncio.Queue()
        self.assigned: dict[int, FoldTask] = {}
        self.lost: Counter[int] = Counter()

    async def begin(self, worker: int) -> tuple[list[Any], int]:
        """Called by a worker's process as it starts: the problem, and how often the worker was lost, for `next`."""
        return self.shared, self.lost[worker]

    async def put(self, fold_tasks: list[FoldTask]) -> None:
        """Add tasks to the end of the queue."""
        for fold_task in fold_tasks:
            self.due.put_nowait(fold_task)

    async def close(self) -> None:
        """There will be no more tasks."""
        self.due.put_nowait(None)

    async def next(self, worker: int, life: int) -> FoldTask | None:
        """Wait for the next task, assigned to the worker until it asks again; None: there are no more."""
        if self.lost[worker] > life:  # it asked before it was lost: nobody would receive the task
            return None
        self.assigned.pop(worker, None)
        remaining = None if self.deadline is None else self.deadline - time.monotonic()
        if remaining is not None and remaining <= 0:
            return None
        try:
            fold_task = await asyncio.wait_for(self.due.get(), remaining)
        except TimeoutError:
            return None
        if self.lost[worker] > life:  # it was lost while it waited here
            self.due.put_nowait(fold_task)
            return None
        if fold_task is None:
            self.due.put_nowait(None)  # for the others
        else:
            self.assigned[worker] = fold_task
        return fold_task

    async def release(self, worker: int) -> FoldTask | None:
        """Take back the task of a lost worker; what the lost process still asks for is not answered."""
        self.lost[worker] += 1
        return self.assigned.pop(worker, None)
