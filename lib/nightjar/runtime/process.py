"""The process of a command: what is set up in it, and how it ends."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from nightjar.errors import NightjarError
from nightjar.runtime import folders, interrupts, outages

INTERRUPTED = 130


@contextmanager
def of_command(report: Callable[[str], object], interrupted: str = "interrupted") -> Iterator[None]:
    """Set up the process for the work of a command; where that fails for a stated reason, report it and exit.

    Args:
        report: shows a message.
        interrupted: the message after an interrupt.

    Raises:
        SystemExit: 1 a stated failure, 2 wrong usage, 130 interrupted.
    """
    interrupts.install_handlers()
    folders.use_process_folder()
    try:
        with outages.translate_errors():
            yield
    except NightjarError as error:
        report(str(error))
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        report(interrupted)
        sys.exit(INTERRUPTED)
