"""What Spark says of jobs that failed, as the stated failures behind it: it passes on no exception, only its text."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import unquote

from nightjar import errors
from nightjar.errors import NightjarError, TableError, restated
from nightjar.tables import parquet, storage

_STATED = re.compile(r"^nightjar\.errors\.(\w+): (.*)$", re.MULTILINE)
_UNREAD = re.compile(r"\[FAILED_READ_FILE\.\w+\] .*?reading file (?:file:(?:/*(?=/)))?(\S+)/(\S+?[.]parquet)")


@contextmanager
def stated() -> Iterator[None]:
    """Say what a task of ours has stated, and which data file it is that Spark cannot read.

    Raises:
        NightjarError: what a task has stated.
        TableError: a data file is gone or damaged.
    """
    with restated(lambda error: _behind(str(error))):
        yield


def _behind(text: str) -> NightjarError | None:
    told, unread = _STATED.search(text), _UNREAD.search(text)
    if told is not None:
        error: NightjarError = getattr(errors, told[1])(told[2])
        return error
    return None if unread is None else _unread(unquote(unread[1]), unquote(unread[2]))


def _unread(folder: str, name: str) -> TableError | None:
    """What is wrong with a file that Spark could not read; None where that is not the file."""
    wrong = parquet.damage(storage.folder(folder), name)
    if wrong is None:
        return None
    if wrong == parquet.GONE:
        return TableError(
            f"The data file {folder}/{name} of a table's pinned version is gone: removed by hand, or vacuumed with a "
            "shorter retention than this run takes. Nothing was written. Run it again on the table's latest version, "
            "or restore the file: docs/runbook.md, Missing data file."
        )
    return TableError(
        f"The data file {folder}/{name} of a table is damaged: {wrong}. Nothing was written. "
        "See docs/runbook.md, Damaged data file."
    )
