"""Interrupts: SIGTERM ends a job as Ctrl-C does, and both can be deferred while a block must not be cut off."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

AGAIN = 0.05
"""Seconds after which an interrupt that Python dropped is sent once more."""


def install_handlers() -> None:
    """Raise KeyboardInterrupt on SIGTERM too, and lose no interrupt."""
    signal.signal(signal.SIGTERM, _interrupt)
    sys.unraisablehook = _interrupt_again


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _interrupt_again(raised: "sys.UnraisableHookArgs") -> None:
    """Send an interrupt again that Python dropped because it came in a destructor or a weak reference's callback.

    PySpark releases its objects in Java by such callbacks.
    """
    if isinstance(raised.exc_value, KeyboardInterrupt):
        main = threading.main_thread().ident or 0
        threading.Timer(AGAIN, signal.pthread_kill, [main, signal.SIGTERM]).start()
    else:
        sys.__unraisablehook__(raised)


@contextmanager
def defer() -> Iterator[None]:
    """Defer interrupts until the block ends. Keep it short: meanwhile, Ctrl-C has no visible effect.

    Only Python's main thread gets signals: in other threads this does nothing. Handlers that were not set by Python
    stay.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    pending: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM)
    handlers = {number: handler for number in numbers if (handler := signal.getsignal(number)) is not None}
    for number in handlers:
        signal.signal(number, lambda received, _: pending.append(received))
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for signal_number in pending:
            signal.raise_signal(signal_number)
