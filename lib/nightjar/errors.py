"""The errors Nightjar raises on purpose.

NightjarError                 a stated failure: one paragraph of what, where, what to do (exit code 1)
├── UsageError                the command line or the configuration is wrong (exit code 2)
├── SourceError               raw data cannot be read as declared
├── TableError                a table is missing, differs from its definition or cannot be written
│   └── BusyError             others write to it at the same time: the same work can be done once more
├── JoinError                 a point-in-time join is asked for something it cannot answer
├── LeaseError                another run holds what this one needs alone, or has taken it over
│   └── HeldError             it holds it, and lives: the same work can be done once it has ended
├── LearningError             training or evaluation cannot give an honest figure
├── ReviewError               a case cannot be claimed or decided as somebody wants to
├── MachineError              a disk is full, a permission is missing, or a process of Spark or Ray was killed
└── ModelError                no champion holds, an artifact does not fit or cannot be trusted, or MLflow fails
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager


class NightjarError(Exception):
    """A stated failure. The message says what was found, where, what was expected and what to do.

    Attributes:
        passing: the name of what may pass by itself, so that the same work can succeed when it is done once more; None:
            nothing of the kind. The names are those of `settings.retries.Passing`.
    """

    exit_code = 1
    passing: str | None = None


class UsageError(NightjarError):
    """The command line or the configuration is wrong; nothing was started."""

    exit_code = 2


class SourceError(NightjarError):
    """Raw data is missing, truncated or not of the declared shape."""


class TableError(NightjarError):
    """A table is missing, differs from its definition or cannot be written."""


class BusyError(TableError):
    """Others write to a table at the same time."""

    passing = "contention"


class JoinError(NightjarError):
    """A point-in-time join was asked for something it cannot answer exactly."""


class LeaseError(NightjarError):
    """Another run holds what this one needs alone, or has taken it over."""


class HeldError(LeaseError):
    """Another run holds what this one needs alone, and lives."""

    passing = "lease"


class LearningError(NightjarError):
    """Training or evaluation cannot give an honest figure from these rows."""


class ModelError(NightjarError):
    """No model holds for this date, an artifact does not fit or cannot be trusted, or MLflow fails."""


class ReviewError(NightjarError):
    """A case cannot be claimed, decided or undone like that: somebody else has it, or it is decided."""


class MachineError(NightjarError):
    """A disk is full, a permission is missing, memory has run out, or a process of Spark or Ray was killed."""

    def __init__(self, message: str, passing: str | None = None) -> None:
        super().__init__(message)
        self.passing = passing


@contextmanager
def restated(cause: Callable[[BaseException], NightjarError | None]) -> Iterator[None]:
    """Raise the stated failure that is behind another library's error; where none is known, the error passes as it is.

    Args:
        cause: tells it.

    Raises:
        NightjarError: what `cause` tells, or what was stated before.
    """
    try:
        yield
    except NightjarError:
        raise
    except BaseException as error:
        stated = cause(error) if isinstance(error, Exception) or is_panic(error) else None
        if stated is None:
            raise
        raise stated from error


def is_panic(error: BaseException) -> bool:
    """Whether a library written in Rust has crashed, as delta-rs does on some damaged files.

    PyO3 raises what is no `Exception`, and can be imported from nowhere.
    """
    return type(error).__name__ == "PanicException"
