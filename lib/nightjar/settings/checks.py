"""The few range checks that settings share. Each raises ValueError with the field, the value and what was expected."""

import re
from collections.abc import Iterable, Sized
from datetime import date
from pathlib import Path

from nightjar.durations import parse_duration
from nightjar.errors import NightjarError
from nightjar.settings.hints import hint
from nightjar.timeline import parse_run_date

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}")
"""A plain identifier: harmless in a path, the same in every engine, and short enough to be part of a longer name."""
MISREAD = re.compile(r"%[0-9A-Fa-f]{2}|[\\\x00-\x1f\x7f]")
"""In a path: delta-rs decodes the percent escape, and takes a backslash for a slash."""


def require(condition: bool, field: str, value: object, expected: str) -> None:  # noqa: FBT001
    """Raise ValueError unless the condition holds."""
    if not condition:
        raise ValueError(f"{field}: found {value!r}, expected {expected}")


def require_duration(field: str, value: str | None) -> None:
    """Raise ValueError unless the value is None or a duration such as "7d"."""
    if value is not None:
        try:
            parse_duration(value)
        except (NightjarError, ValueError) as error:
            raise ValueError(f"{field}: {error}") from error


def require_length(field: str, value: str) -> None:
    """Raise ValueError unless the value is a duration of more than nothing."""
    require_duration(field, value)
    require(bool(parse_duration(value)), field, value, "a duration longer than 0")


def require_date(field: str, value: str | None) -> date | None:
    """The date, or None; raise ValueError unless the value is None or YYYY-MM-DD."""
    if value is None:
        return None
    try:
        return parse_run_date(value)
    except NightjarError as error:
        raise ValueError(f"{field}: {error}") from error


def require_one_of(field: str, values: Iterable[str], allowed: Iterable[str], noun: str) -> None:
    """Raise ValueError for the first value that is not among the allowed names, which are called `noun`."""
    names = sorted(allowed)
    for value in values:
        require(value in names, field, value, f"one of the {noun} {names}{hint(value, names)}")


def require_filled(field: str, value: Sized) -> None:
    """Raise ValueError for an empty list, mapping or text."""
    require(len(value) > 0, field, value, "at least one entry")


def require_names(field: str, names: Iterable[str]) -> None:
    """Raise ValueError for the first name that is no plain identifier, or equals another but for its case.

    It checks every name that becomes a folder, a table or a part of one.
    """
    for name in names:
        plain = "a plain identifier: a letter, then letters, digits and _, of ASCII and 63 at most"
        require(NAME.fullmatch(name) is not None, field, name, plain)
    require_no_twins(field, names)


def require_no_twins(field: str, names: Iterable[str]) -> None:
    """Raise ValueError for the first name that differs from one before it in upper and lower case only."""
    by: dict[str, str] = {}
    for name in names:
        twin = by.setdefault(name.casefold(), name)
        expected = f"another name: only upper and lower case tell it from {twin!r}, and Spark does not look at them"
        require(twin == name, field, name, expected)


def require_folder(field: str, value: str, signs: str = "") -> None:
    """Raise ValueError for a local path that some library would read as another one; object stores have own rules.

    The absolute path is checked, as the working folder may have such a name too.

    Args:
        field: the setting.
        value: its value.
        signs: further characters that the path may not have.
    """
    whole = value if "://" in value else str(Path(value).absolute())
    strange = "://" not in value and (MISREAD.search(whole) is not None or not set(signs).isdisjoint(whole))
    expected = "a path without a percent sign before two hexadecimal digits, backslashes and control characters"
    expected += f", and none of {signs}" if signs else ""
    require(not strange, field, whole, f"{expected}: they would be taken for other folders")
