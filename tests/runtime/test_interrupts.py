"""What must be done as a whole is done before an interrupt is heard, and the interrupt is not lost."""

import signal
import threading

import pytest

from nightjar.runtime import interrupts
from waiting import PATIENCE


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_waits_until_the_block_is_through(number):
    done = []

    def attempt():
        with interrupts.defer():
            signal.raise_signal(number)
            done.append("the rest")

    before = signal.signal(number, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            attempt()
        assert done == ["the rest"]
        assert signal.getsignal(number) is signal.default_int_handler
    finally:
        signal.signal(number, before)


def test_without_an_interrupt_nothing_happens_and_other_threads_hear_none():
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    done = []

    def attempt():
        with interrupts.defer():
            done.append([signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)])

    thread = threading.Thread(target=attempt)
    thread.start()
    thread.join(PATIENCE)
    assert done == [handlers]
    attempt()
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == handlers
