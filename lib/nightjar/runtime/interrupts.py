"""Interrupts: SIGTERM ends a job as Ctrl-C does, and both wait where something must be done as a whole."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

AGAIN = 0.05
"""Seconds after which an interrupt that Python dropped is sent once more."""


def heed() -> None:
    """Raise KeyboardInterrupt on SIGTERM too, and lose no interrupt."""
    signal.signal(signal.SIGTERM, _interrupt)
    sys.unraisablehook = _interrupt_again


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _interrupt_again(raised: "sys.UnraisableHookArgs") -> None:
    """Send an interrupt once more that came within a destructor or a weak reference's callback: Python drops it there.

    PySpark frees its objects on the other side by such callbacks.
    """
    if isinstance(raised.exc_value, KeyboardInterrupt):
        main = threading.main_thread().ident or 0
        threading.Timer(AGAIN, signal.pthread_kill, [main, signal.SIGTERM]).start()
    else:
        sys.__unraisablehook__(raised)


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
