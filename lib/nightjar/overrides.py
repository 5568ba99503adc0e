"""One argument of a command line, by Hydra's grammar: whether it can be read, and what it says before it is read."""

import re
import shlex
from collections.abc import Iterator
from functools import partial
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException

from nightjar.errors import UsageError
from nightjar.settings import secrets

_SCALAR = re.compile(
    r""""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'"""
    r"|(?P<before>(?:^|[\[{,])\s*(?:[^\s\[\]{},:\"']+\s*:\s*)?)"
    r"(?P<scalar>[-+]?(?:[0-9.][-+0-9._e]*|inf|nan)|true|false)(?=\s*(?:$|[\]},]))",
    re.IGNORECASE,
)
"""In the value of an argument: a quoted text, or an unquoted scalar that Hydra may take for a number or a boolean."""


def parsed(override: str) -> Override:
    """An argument as Hydra reads it.

    Raises:
        HydraException: it cannot.
    """
    return OverridesParser.create().parse_override(override)


def require_readable(job: str, overrides: list[str]) -> None:
    """Hydra repeats pieces of what it cannot read, and does not say of which argument.

    Raises:
        UsageError: it cannot read one, or would take it for several values. Of one with secrets, only the key is told.
    """
    for override in overrides:
        try:
            is_one = not parsed(override).is_sweep_override()
            why = "it has several values"
        except HydraException as error:
            is_one, why = False, " ".join(str(error).split("\nSee https://")[0].split())
        if is_one:
            continue
        if list(secrets.of_overrides([override])):
            key = override.partition("=")[0]
            raise UsageError(
                f"{job}: the override of {key}, whose value is not shown, cannot be read. A value with other "
                f"signs than letters, digits and dots is quoted: '{key}=\"...\"'"
            ) from None
        quoted = _quoted(override)
        raise UsageError(
            f"{job}: the argument {override!r} cannot be read: {why}. "
            + (f"If its value is a text, quote it, for the shell too: {quoted}" if quoted else "Expected KEY=VALUE")
        ) from None


def _quoted(override: str) -> str | None:
    """An override as a shell is given it, with its value as the text that it is; None where that is none either."""
    key, sign, value = override.partition("=")
    escaped = re.sub(r'(\\*)("|$)', lambda found: 2 * found[1] + found[2].replace('"', '\\"'), value)
    quoted = f'{key}="{escaped}"'
    try:
        is_value = parsed(quoted).value() == value
    except HydraException:
        return None
    return shlex.quote(quoted) if sign and is_value else None


def require_as_written(overrides: list[str], composed: Any) -> None:
    """Refuse a text that is not what an argument says, because it was not quoted there: 1.10 is 1.1 to Hydra.

    Args:
        overrides: the arguments, all of them readable.
        composed: the configuration with them, as plain mappings, lists and values.

    Raises:
        UsageError: there is such a text; with its key and the argument as it is to be given. Secrets are not told.
    """
    for override in overrides:
        key, _, value = (part.strip() for part in override.partition("="))
        try:
            written = parsed(f"{key}={_SCALAR.sub(_in_quotes, value)}").value()
        except HydraException:
            continue  # a sign that Hydra takes for a letter, after a backslash, stands beside a number
        read = parsed(override)
        there = _at(composed, read.key_or_group)
        for path, text, raw in _altered(there, read.value(), written, read.key_or_group):
            place = tuple(path.split(".", 1))
            shown, given = secrets.masked(text, place), secrets.masked(raw, place)
            quoted = _SCALAR.sub(partial(_in_quotes, raw=raw), value) if given == raw else f'"{given}"'
            refused = (
                f"{path}: found {shown!r}, which is what Hydra makes of the unquoted {given} on the command line. "
                f"If the text is meant, quote it, for the shell too: {shlex.quote(f'{key}={quoted}')}"
            )
            raise UsageError(secrets.hidden(refused, secrets.of_overrides(overrides)))


def _in_quotes(one: re.Match[str], raw: str | None = None) -> str:
    """An unquoted scalar, or only the one that is written so, as a text; all else as it is."""
    scalar = one["scalar"]
    return f'{one["before"]}"{scalar}"' if scalar and raw in (None, scalar) else one[0]


def _at(composed: Any, key: str) -> Any:
    """What a configuration has under a key; None where it has none, or the key is that of a group."""
    for part in key.split("."):
        if isinstance(composed, dict):
            composed = composed.get(part)
        elif isinstance(composed, list) and part.isdecimal() and int(part) < len(composed):
            composed = composed[int(part)]
        else:
            return None
    return composed


def _altered(there: Any, read: Any, written: Any, path: str) -> Iterator[tuple[str, str, str]]:
    """Path, text and what was written, of each text that stands for another one."""
    if isinstance(there, dict) and isinstance(read, dict):
        for (name, value), raw in zip(read.items(), written.values(), strict=True):
            yield from _altered(there.get(name), value, raw, f"{path}.{name}")
    elif isinstance(there, list) and isinstance(read, list):
        for number, (item, value, raw) in enumerate(zip(there, read, written, strict=False)):
            yield from _altered(item, value, raw, f"{path}[{number}]")
    elif isinstance(there, str) and not isinstance(read, str) and there == str(read) != written:
        yield path, there, written
