"""Failures of the machine under Spark, Ray or the operating system, translated into Nightjar errors.

Libraries wrap the cause many times and in many types; the text of the innermost known cause decides.
"""

import errno
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from py4j.protocol import Py4JError

from nightjar.errors import MachineError, restated

_LONGEST = 500  # characters of a quoted message


@dataclass(frozen=True)
class Cause:
    """One error of a chain: its class and message."""

    kind: str
    message: str


_OF_STORE = r"(AWS Error|Generic (S3|GCS|MicrosoftAzure|HTTP\w*) error)"
_REFUSED = (
    r"(?i:status:?( code:?)? 40[0134]\b|access_?denied|no_?such_?bucket|invalid_?access_?key_?id|"
    r"signature_?does_?not_?match|expired_?token)"
)
"""What a store would answer once more."""
_CAUSES = {
    r"No space left on device|Disk quota exceeded|database or disk is full": (
        "A disk is full: {0}. Nothing half written is in any table. Free space where it says, or where it names no "
        "path, in the warehouse, in environment.home and in the folder for temporary files (TMPDIR; Spark: "
        "spark.local.dir); then run it again."
    ),
    r"Read-only file system|Permission denied|AccessControlException|Mkdirs failed to create|Operation not permitted": (
        "This user may not read or write what is needed: {0}. Correct the owner or the permissions, or mount the disk "
        "for writing; then run it again."
    ),
    r"Too many open files|Input/output error|Stale file handle|Cannot allocate memory": (
        "The operating system cannot serve this process: {0}. Look at the machine's own log (dmesg, ulimit -a), and "
        "run it again."
    ),
    r"OutOfMemoryError|GC overhead limit exceeded": (
        "Spark's Java has no memory left: {0}. Give it more, as environment.driver_memory=4g or by the options of "
        "spark-submit, or more tasks, as environment.shuffle_partitions."
    ),
    r"(?P<python_worker>Python worker (exited unexpectedly|failed to connect back)|Worker died)": (
        "A Python worker of Spark was killed or has crashed: {0}. Most often the system, or its container's limit, had "
        "no memory left: see dmesg. Run it again; if it stays so, give the machine more memory or Spark fewer cores."
    ),
    r"(?P<executor>ExecutorLostFailure|executor (lost|heartbeat timed out)|Lost executor|Master removed our app)": (
        "Spark has lost an executor too often: {0}. Its machine or container has ended or has no memory left: its own "
        "log tells. Run it again."
    ),
    r"(?P<java>^ConnectionRefusedError|Answer from Java side is empty|Error while sending or receiving|"
    r"Py4JNetworkError)": (
        "Spark's Java, which this process started, does not answer any more: {0}. If it wrote OutOfMemoryError above, "
        "give it more, as environment.driver_memory=8g. Else it was killed, most often by the system for want of "
        "memory (see dmesg), or has crashed (hs_err_pid*.log tells). Run it again."
    ),
    r"JAVA_GATEWAY_EXITED|Java gateway process exited": (
        "Spark's Java did not start: {0}. What it wrote above tells why: most often there is no Java 17 (JAVA_HOME), "
        "or less memory than environment.driver_memory asks for."
    ),
    r"(?P<ray>node timed out during startup)": (
        "Ray did not start in time: {0}. Most often the machine is busy with other work. Run it again; if it stays so, "
        "let fewer jobs run at once."
    ),
    rf"{_OF_STORE}.*({_REFUSED})": (
        "The object store refuses: {0}. Look at the credentials in the environment, at what they may read and write, "
        "and at environment.warehouse; then run it again."
    ),
    rf"(?P<object_store>{_OF_STORE}|error sending request)": (
        "The object store does not answer: {0}. Look at its state, at the network and at environment.warehouse; then "
        "run it again."
    ),
    r"PanicException": (
        "A library has crashed on what it has read: {0}. Most often the log or a checkpoint of a table is damaged: run "
        "jobs/maintain.py, which looks at all tables, and see docs/runbook.md, Damaged log. Nothing was written."
    ),
    r"FAILED_READ_FILE": (
        "Spark cannot read a file: {0}. If it is a raw file, fetch it again; if it is a table's, see docs/runbook.md, "
        "Damaged data file. Nothing was written."
    ),
}
"""Pattern of a cause -> message for users. No pattern matches errors of our own code.

The first one that matches decides. A group's name is what may pass by itself, see `settings.retries.Passing`.
"""


@contextmanager
def translate_errors() -> Iterator[None]:
    """Translate errors that are failures of the machine; other errors pass unchanged.

    Raises:
        MachineError: the machine has failed.
    """
    with restated(lambda error: machine_error(causes(error))):
        yield


def machine_error(chain: Sequence[Cause]) -> MachineError | None:
    """The error for a chain of causes, the outermost first; None where no cause is known."""
    for cause in reversed(chain):
        text = f"{cause.kind}: {cause.message}"
        for pattern, words in _CAUSES.items():
            match = re.search(pattern, text, re.DOTALL)
            if match is not None:
                return MachineError(words.format(_short(text)), next(iter(match.groupdict()), None))
        if cause.kind.startswith("ray."):
            return MachineError(
                f"Ray has failed: {_short(text)}. One of its processes was killed, most often for want of memory (see "
                "dmesg), or has lost its connection. Run it again: folds that have ended are remembered.",
                "ray",
            )
    return None


def causes(failure: BaseException) -> list[Cause]:
    """The chain of an error and its causes, Java's included, the outermost first."""
    chain: list[Cause] = []
    error: BaseException | None = failure
    while error is not None:
        chain += _own(error)
        error = error.__cause__
    return chain


def _own(failure: BaseException) -> list[Cause]:
    java: Any = getattr(failure, "java_exception", None) or getattr(failure, "_origin", None)
    chain = []
    try:
        while java is not None:
            chain.append(Cause(str(java.getClass().getName()), str(java.getMessage())))
            java = java.getCause()
        kind = type(failure)
        chain.insert(0, Cause(f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins."), _text(failure)))
    except (Py4JError, OSError) as gone:  # Java, which has the message, does not answer any more
        chain.append(Cause(type(gone).__name__, _text(gone)))
    return chain


def _text(failure: BaseException) -> str:
    if isinstance(failure, ConnectionRefusedError) and failure.errno == errno.ECONNREFUSED:
        return "Connection refused"
    return str(failure)


def _short(text: str) -> str:
    """The message in one line, without a stack trace."""
    line = " ".join(text.split("\n\tat ", 1)[0].split()).rstrip(".")
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"
