"""What fields' types cannot say about settings: checks that yield an `Issue` for whatever is not as expected."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from nightjar.errors import UsageError
from nightjar.settings.hints import hint
from nightjar.timeline import require_zone

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}")
"""A plain identifier: harmless in a path, the same in every engine, and short enough to be part of a longer name."""
MISREAD = re.compile(r"%[0-9A-Fa-f]{2}|[\\\x00-\x1f\x7f]")
"""In a path: delta-rs decodes the percent escape, and takes a backslash for a slash."""


@dataclass(frozen=True)
class Issue:
    """What is wrong with settings.

    Attributes:
        field: its name, or the path to what lies below it, such as `features.route.keys`.
        value: what is there.
        expected: what was expected instead.
    """

    field: str
    value: object
    expected: str


def expect(condition: bool, field: str, value: object, expected: str) -> Iterator[Issue]:  # noqa: FBT001
    """Yield an issue unless the condition holds."""
    if not condition:
        yield Issue(field, value, expected)


def expect_one_of(field: str, values: Iterable[str], allowed: Iterable[str], noun: str) -> Iterator[Issue]:
    """Yield an issue for each value that is not among the allowed names, which are called `noun`."""
    names = sorted(allowed)
    for value in values:
        yield from expect(value in names, field, value, f"one of the {noun} {names}{hint(value, names)}")


def expect_names(field: str, names: Iterable[str]) -> Iterator[Issue]:
    """Yield an issue for each name that is no plain identifier, or equals another but for its case.

    It checks every name that becomes a folder, a table or a part of one.
    """
    for name in names:
        plain = "a plain identifier: a letter, then letters, digits and _, of ASCII and 63 at most"
        yield from expect(NAME.fullmatch(name) is not None, field, name, plain)
    yield from expect_no_twins(field, names)


def expect_no_twins(field: str, names: Iterable[str]) -> Iterator[Issue]:
    """Yield an issue for each name that differs from one before it in upper and lower case only."""
    by: dict[str, str] = {}
    for name in names:
        twin = by.setdefault(name.casefold(), name)
        expected = f"another name: only upper and lower case tell it from {twin!r}, and Spark does not look at them"
        yield from expect(twin == name, field, name, expected)


def expect_zone(field: str, name: str) -> Iterator[Issue]:
    """Yield an issue for what is no name of a time zone."""
    try:
        require_zone(name)
    except UsageError:
        yield Issue(field, name, "an IANA time zone such as Europe/Paris")


def expect_folder(field: str, value: str, signs: str = "") -> Iterator[Issue]:
    """Yield an issue for a local path that some library would read as another one; object stores have own rules.

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
    yield from expect(not strange, field, whole, f"{expected}: they would be taken for other folders")
