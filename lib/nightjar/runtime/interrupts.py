"""Interrupts: SIGINT and SIGTERM wait where something must be done as a whole."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def deferred() -> Iterator[None]:
    """Let interrupts wait until the block is through. Keep it short: whoever waits thinks that nothing happens.

    Python hands signals to its main thread alone: in any other one there is nothing to wait for. Handlers that are not
    Python's stay.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM)
    handlers = {number: handler for number in numbers if (handler := signal.getsignal(number)) is not None}
    for number in handlers:
        signal.signal(number, lambda received, _: came.append(received))
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for received in came:
            signal.raise_signal(received)
