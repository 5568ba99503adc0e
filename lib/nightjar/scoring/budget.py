"""How long work on Spark may take: what takes longer is stopped, and says so."""

import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pyspark.sql import SparkSession

from nightjar.durations import parse_duration
from nightjar.errors import LeaseError, ModelError

AGAIN = 0.5
"""Seconds after which a stop is tried again: what was between two of Spark's jobs has begun the next one since."""


@contextmanager
def within(session: Callable[[], SparkSession], budget: str | None, who: str) -> Iterator[None]:
    """Stop Spark's jobs of this block once it has taken as long as its budget.

    Tasks that hang in Python or in a library are killed with their workers. What the block does in this process is not
    interrupted, but has failed, too, once it comes to its end or to Spark.

    Args:
        session: gives Spark's, if there is a budget.
        budget: a duration as settings have it; None: as long as it takes.
        who: the name of what the block does, for the error.

    Raises:
        ModelError: it took longer, whatever else it has failed with but that another run has taken over its lease.
    """
    if budget is None:
        yield
        return
    context, tag, is_over = session().sparkContext, f"budget-{uuid.uuid4().hex}", threading.Event()
    has_ended, seconds = threading.Event(), parse_duration(budget).at_most().total_seconds()

    def watch() -> None:
        if has_ended.wait(seconds):
            return
        is_over.set()
        while not has_ended.is_set():
            context.cancelJobsWithTag(tag)
            has_ended.wait(AGAIN)

    watcher = threading.Thread(target=watch, name="budget", daemon=True)
    context.addJobTag(tag)
    context.setInterruptOnCancel(True)
    watcher.start()
    cause: Exception | None = None
    try:
        yield
    except LeaseError:
        raise  # another run has the night now, however long this one has taken
    except Exception as error:
        if not is_over.is_set():
            raise
        cause = error
    finally:
        has_ended.set()
        watcher.join()
        context.removeJobTag(tag)
        context.setInterruptOnCancel(False)
    if is_over.is_set():
        raise ModelError(f"{who} has taken longer than its budget of {budget}, and was stopped.") from cause
