"""Signs of life of the runs that hold leases: commits without rows to a table of their own, whose log is short."""

import logging
import threading
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from deltalake.exceptions import DeltaError

from nightjar.errors import NightjarError
from nightjar.tables import opening, transaction
from nightjar.tables.definitions import BEATS
from nightjar.tables.transaction import Change, Note
from nightjar.tables.warehouse import Warehouse

log = logging.getLogger("nightjar.lease")


def give(warehouse: Warehouse, run_id: str) -> None:
    """Give one sign of life: afterwards the table has a greater number for the run."""
    last = read(warehouse, [run_id])[run_id] or 0
    number = max(int(time.time() * 1000), last + 1)
    transaction.commit(warehouse, BEATS.name, lambda _: Change(), Note(run_id, tokens={run_id: number}))


def read(warehouse: Warehouse, run_ids: Collection[str]) -> dict[str, int | None]:
    """Run -> the number of its last sign of life, milliseconds of its own clock; None: there has been none."""
    delta_table = opening.open_table(warehouse, BEATS.name)
    return {run_id: delta_table.transaction_version(run_id) for run_id in run_ids}


@contextmanager
def keep_alive(warehouse: Warehouse, run_id: str, every: float) -> Iterator[None]:
    """Give signs of life while the block runs, from a thread of its own, every so many seconds.

    A failure to give one is only logged: if another run takes over meanwhile, the commits of this one are refused.
    """
    stop = threading.Event()

    def beat() -> None:
        while not stop.is_set():
            try:
                give(warehouse, run_id)
            except (NightjarError, DeltaError, OSError) as error:
                log.warning(
                    "run %s could not give its sign of life in table %s at %s (%s). If this lasts, another run may "
                    "take over what it holds; its commits are refused from then on.",
                    run_id,
                    BEATS.name,
                    warehouse.path(BEATS.name),
                    error,
                )
            stop.wait(every)

    thread = threading.Thread(target=beat, name=f"beats of {run_id}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(every)  # a disk that hangs must not hang the end of a run
