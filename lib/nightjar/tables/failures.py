"""Errors of Spark's jobs translated into the Nightjar errors behind them: Spark passes on only their text."""

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
def translate_errors() -> Iterator[None]:
    """Raise the error that a task of ours has raised, and name the data file that Spark cannot read.

    Raises:
        NightjarError: a task has raised it.
        TableError: a data file is missing or damaged.
    """
    with restated(lambda error: _find_cause(str(error))):
        yield


def _find_cause(text: str) -> NightjarError | None:
    statement, unread = _STATED.search(text), _UNREAD.search(text)
    if statement is not None:
        error: NightjarError = getattr(errors, statement[1])(statement[2])
        return error
    return None if unread is None else _unreadable_file(unquote(unread[1]), unquote(unread[2]))


def _unreadable_file(folder: str, name: str) -> TableError | None:
    """The error for a file that Spark could not read; None where the file is whole."""
    problem = parquet.damage(storage.folder(folder), name)
    if problem is None:
        return None
    if problem == parquet.GONE:
        return TableError(
            f"The data file {folder}/{name} of a table's pinned version is gone: removed by hand, or vacuumed with a "
            "shorter retention than this run takes. Nothing was written. Run it again on the table's latest version, "
            "or restore the file: docs/runbook.md, Missing data file."
        )
    return TableError(
        f"The data file {folder}/{name} of a table is damaged: {problem}. Nothing was written. "
        "See docs/runbook.md, Damaged data file."
    )
