"""An interrupt ends a job wherever it comes."""

import signal
import sys
import threading
import time
import weakref

import pytest

from nightjar.runtime import interrupts


@pytest.fixture
def heeded(monkeypatch):
    """As in a job's own process."""
    before = signal.signal(signal.SIGTERM, interrupts._interrupt)
    monkeypatch.setattr(sys, "unraisablehook", interrupts._interrupt_again)
    yield
    signal.signal(signal.SIGTERM, before)


class Freed:
    pass


def test_an_interrupt_within_a_callback_that_python_swallows_comes_again(heeded):
    freed, calls = Freed(), []

    def terminated(_):
        calls.append(threading.current_thread())
        signal.raise_signal(signal.SIGTERM)

    reference = weakref.ref(freed, terminated)
    del freed
    assert (reference(), calls) == (None, [threading.main_thread()])
    with pytest.raises(KeyboardInterrupt):
        time.sleep(30)


def test_any_other_error_there_is_told_as_ever(heeded, capsys):
    freed = Freed()
    reference = weakref.ref(freed, lambda _: 1 / 0)
    del freed
    assert reference() is None
    assert "ZeroDivisionError" in capsys.readouterr().err
