"""Waiting for data, but not for ever: a stream that has run dry becomes an error that says what to do."""

import queue
import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any, TypeVar

import ray

from nightjar.errors import LearningError

Item = TypeVar("Item")


def watched(items: Iterable[Item], seconds: float, table: str) -> Iterator[Item]:
    """The same items, the next one fetched by a thread while the one who asks is busy.

    Args:
        items: a stream; what it raises is raised here.
        seconds: how long the next one may take.
        table: where it comes from.

    Raises:
        LearningError: it took longer.
    """
    fetched: queue.Queue[tuple[str, Any]] = queue.Queue(1)
    given_up = threading.Event()

    def hand_over(kind: str, value: Any) -> None:
        while not given_up.is_set():
            with suppress(queue.Full):
                fetched.put((kind, value), timeout=0.2)
                return

    def fetch() -> None:
        try:
            for item in items:
                hand_over("item", item)
                if given_up.is_set():
                    return
            hand_over("end", None)
        except Exception as error:  # noqa: BLE001  (it is raised where the items are asked for)
            hand_over("error", error)

    threading.Thread(target=fetch, name="stream", daemon=True).start()
    try:
        yield from _handed(fetched, seconds, table)
    finally:
        given_up.set()


def starved(table: str, seconds: float) -> LearningError:
    """What to say when no data has come for so long."""
    every, free = ray.cluster_resources().get("CPU", 0), ray.available_resources().get("CPU", 0)
    return LearningError(
        f"No rows of table {table} came for {seconds:g} s: {free:g} of Ray's {every:g} processors are free to read and "
        "prepare them. Leave at least one: fewer workers or worker_cpus, no other job beside this one, or more "
        "processors. If a piece really takes that long, lower piece_rows or raise starved_after."
    )


def _handed(fetched: "queue.Queue[tuple[str, Any]]", seconds: float, table: str) -> Iterator[Any]:
    while True:
        try:
            kind, value = fetched.get(timeout=seconds)
        except queue.Empty:
            raise starved(table, seconds) from None
        if kind == "error":
            raise value
        if kind == "end":
            return
        yield value
