"""What is wrong with raw files, in words that name source and file."""

import errno
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pyarrow as pa
from py4j.protocol import Py4JJavaError
from pyspark.errors import (
    ArithmeticException,
    DateTimeException,
    NumberFormatException,
    PySparkException,
    SparkRuntimeException,
)

from nightjar.errors import SourceError
from nightjar.settings.hints import hint

MOST = 20
"""Columns that nobody declares, in a message."""

_UNREAD = re.compile(r"\[FAILED_READ_FILE[.\w]*\] .*?reading file (?:file:/*(?=/))?(\S+)\.\s")
_EXPRESSION_FAILED = (ArithmeticException, DateTimeException, NumberFormatException, SparkRuntimeException)
_CAUSED = re.compile(r"^Caused by: (?:[\w$]+\.)*(.*)$", re.MULTILINE)


@contextmanager
def translate_read_errors(source: str, tables: str) -> Iterator[None]:
    """Name source and file where Spark cannot read a raw file.

    Args:
        source: name for messages.
        tables: the folder of the project's tables, whose files are not raw files.

    Raises:
        SourceError: a raw file is damaged, or was removed since it was opened.
    """
    try:
        yield
    except (Py4JJavaError, PySparkException) as error:
        text = str(error)
        unread = _UNREAD.search(text)
        if unread is None or unread[1].startswith(tables):
            raise
        why = (_CAUSED.findall(text) or ["Spark does not say why"])[-1]
        raise SourceError(
            f"Source {source}: {unread[1]} cannot be read: {why}. It looks damaged, or was removed meanwhile; fetch it "
            "again. Nothing was written."
        ) from error


@contextmanager
def translate_open_errors(path: str, source: str) -> Iterator[None]:
    """Name source and file where a file cannot be opened, or Arrow or Spark refuses its format."""
    try:
        yield
    except (PySparkException, Py4JJavaError, pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise  # a full disk is no fault of the file
        reason = str(error).splitlines()[0].rstrip(".")
        raise SourceError(
            f"Source {source}: {path} cannot be read: {reason}. If it is damaged, fetch it again. Nothing was written."
        ) from error


@contextmanager
def translate_expression_errors(source: str) -> Iterator[None]:
    """Name the source where one of its expressions fails on a value.

    Raises:
        SourceError: one does.
    """
    try:
        yield
    except _EXPRESSION_FAILED as error:
        raise SourceError(
            f"Source {source}: one of its expressions fails on some row: {str(error).splitlines()[0]} Let the "
            "expression give null there (try_divide, try_cast, CASE), or give the raw column bounds. Nothing was "
            "written."
        ) from error


def require_columns(names: Sequence[str], required: Sequence[str], path: str, source: str) -> None:
    """Refuse a file or table that has not each of the columns once.

    Raises:
        SourceError: it has not.
    """
    missing = [name for name in required if name not in names]
    if missing:
        listing = ", ".join(name if name and name == name.strip() else repr(name) for name in names)
        raise SourceError(
            f"Source {source}: {path} lacks the column {', '.join(missing)}; it has {listing}. "
            f"Difference to what is declared: {_difference(names, required)}. "
            "Correct it, or the source's columns. Nothing was written."
        )
    duplicates = [name for name in required if names.count(name) > 1]
    if duplicates:
        raise SourceError(
            f"Source {source}: {path} has the column {', '.join(duplicates)} more than once. Rename all but one. "
            "Nothing was written."
        )


def _difference(names: Sequence[str], required: Sequence[str]) -> str:
    """The columns that are only declared, each with the new one that looks like it, and those that are only there."""
    new = [name for name in names if name not in required]
    missing = [f"- {name}{hint(name, new)}" for name in required if name not in names]
    return ", ".join([*missing, *(f"+ {name}" for name in new[:MOST]), *(["+ ..."] if new[MOST:] else [])])
