"""A time limit on waiting for data: a stream without rows for too long raises an error with advice."""

import queue
import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any, TypeVar

import ray

from nightjar.errors import LearningError

Item = TypeVar("Item")


def watch(items: Iterable[Item], seconds: float, table: str) -> Iterator[Item]:
    """Yield the items, fetching the next one in a thread while the caller works.

    Args:
        items: a stream; what it raises is raised here.
        seconds: how long the next one may take.
        table: where it comes from.

    Raises:
        LearningError: it took longer.
    """
    fetched: queue.Queue[tuple[str, Any]] = queue.Queue(1)
    abandoned = threading.Event()

    def hand_over(kind: str, value: Any) -> None:
        while not abandoned.is_set():
            with suppress(queue.Full):
                fetched.put((kind, value), timeout=0.2)
                return

    def fetch() -> None:
        try:
            for item in items:
                hand_over("item", item)
                if abandoned.is_set():
                    return
            hand_over("end", None)
        except Exception as error:  # noqa: BLE001  (it is raised in the caller's thread)
            hand_over("error", error)

    threading.Thread(target=fetch, name="stream", daemon=True).start()
    try:
        yield from _receive(fetched, seconds, table)
    finally:
        abandoned.set()


def starvation_error(table: str, seconds: float) -> LearningError:
    """The error to raise when no data has come for so many seconds."""
    total, free = ray.cluster_resources().get("CPU", 0), ray.available_resources().get("CPU", 0)
    return LearningError(
        f"No rows of table {table} came for {seconds:g} s: {free:g} of Ray's {total:g} processors are free to read and "
        "prepare them. Leave at least one: fewer workers or worker_cpus, no other job beside this one, or more "
        "processors. If a piece really takes that long, lower piece_rows or raise starved_after."
    )


def _receive(fetched: "queue.Queue[tuple[str, Any]]", seconds: float, table: str) -> Iterator[Any]:
    while True:
        try:
            kind, value = fetched.get(timeout=seconds)
        except queue.Empty:
            raise starvation_error(table, seconds) from None
        if kind == "error":
            raise value
        if kind == "end":
            return
        yield value
