"""The tests' only way to wait for something: with a limit, and with words for when it is reached."""

import time
from collections.abc import Callable

PATIENCE = 180  # seconds: a machine that is busy with other work is many times slower than an idle one


def wait_until(happened: Callable[[], object], what: str, seconds: float = PATIENCE) -> None:
    """Return once something has happened; fail with the words where it does not in time."""
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, f"after {seconds} s: {what}"
        time.sleep(0.02)
