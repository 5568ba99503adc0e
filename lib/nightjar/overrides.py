"""Arguments of a command line by Hydra's grammar: whether each can be parsed, and means the text that was written."""

import re
import shlex
from collections.abc import Collection, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException

from nightjar.errors import UsageError
from nightjar.refusals import options
from nightjar.settings import secrets
from nightjar.settings.validation import Path as KeyPath

_SCALAR = re.compile(
    r""""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'"""
    r"|(?P<before>(?:^|[\[{,])\s*(?:[^\s\[\]{},:\"']+\s*:\s*)?)"
    r"(?P<scalar>[-+]?(?:[0-9.][-+0-9._e]*|inf|nan)|true|false)(?=\s*(?:$|[\]},]))",
    re.IGNORECASE,
)
"""In the value of an argument: a quoted text, or an unquoted scalar that Hydra may take for a number or a boolean."""


def parse(override: str) -> Override:
    """An argument as Hydra parses it.

    Raises:
        HydraException: it cannot be parsed.
    """
    return OverridesParser.create().parse_override(override)


def force(folders: Sequence[Path], argument: str, texts: Collection[str] = ()) -> str:
    """An argument as Hydra gets it: a key may be one that no file names, since validation knows all there are.

    Args:
        folders: of the files.
        argument: of the command line.
        texts: keys that hold a text, though a group of files may be called so.
    """
    override = parse(argument)
    key = override.key_or_group
    is_group = key not in texts and _names_group(folders, override)
    is_key = not override.is_delete() and not is_group and not key.startswith("hydra.")
    return f"++{argument.lstrip('+')}" if is_key else argument


def partition(arguments: Sequence[str], texts: Collection[str]) -> tuple[list[str], dict[str, Any]]:
    """The arguments for Hydra, and key -> value of the texts, for which Hydra might look for files of a group.

    Args:
        arguments: as `force` returns them.
        texts: keys that hold a text.
    """
    of_hydra, values = list[str](), dict[str, Any]()
    for argument in arguments:
        override = parse(argument)
        if override.key_or_group in texts and not override.is_delete():
            values[override.key_or_group] = override.value()
        else:
            of_hydra.append(argument)
    return of_hydra, values


def set_by(arguments: list[str], path: KeyPath) -> str | None:
    """The last argument that sets what is at a key path, or what it is part of; None where none does."""
    parts = [str(part) for part in path]
    for argument in reversed(arguments):
        keys = parse(argument).key_or_group.split(".")
        if keys == parts[: len(keys)] and (len(keys) > 1 or argument.startswith("++")):
            return argument
    return None


def _names_group(folders: Sequence[Path], override: Override) -> bool:
    """Whether a file of a group is chosen, not a value given."""
    key = override.key_or_group
    is_group = override.package is not None or "/" in key or any((folder / key).is_dir() for folder in folders)
    return is_group and not isinstance(override.value(), dict)


def require_readable(job: str, folders: Sequence[Path], overrides: list[str], texts: Collection[str] = ()) -> None:
    """Refuse arguments that Hydra cannot parse; its own message repeats a piece without naming the argument.

    Raises:
        UsageError: Hydra cannot parse one, would take it for several values, or gets null for a file of a group. With
            secrets in it only its key is named.
    """
    for override in overrides:
        try:
            parsed = parse(override)
            is_single = not parsed.is_sweep_override()
            why = "it has several values"
            key = parsed.key_or_group
            is_group = key not in texts and _names_group(folders, parsed)
            if is_single and not parsed.is_delete() and parsed.value() is None and is_group:
                raise UsageError(f"{job}: {override}: found null, expected one of {options(folders, key)}")
        except HydraException as error:
            is_single, why = False, " ".join(str(error).split("\nSee https://")[0].split())
        if is_single:
            continue
        if list(secrets.of_overrides([override])):
            key = override.partition("=")[0]
            raise UsageError(
                f"{job}: the override of {key}, whose value is not shown, cannot be read. A value with other "
                f"signs than letters, digits and dots is quoted: '{key}=\"...\"'"
            ) from None
        quoted = _quote(override)
        raise UsageError(
            f"{job}: the argument {override!r} cannot be read: {why}. "
            + (f"If its value is a text, quote it, for the shell too: {quoted}" if quoted else "Expected KEY=VALUE")
        ) from None


def _quote(override: str) -> str | None:
    """The override as typed in a shell, with its value quoted as a text; None if that cannot be parsed either."""
    key, sign, value = override.partition("=")
    escaped = re.sub(r'(\\*)("|$)', lambda match: 2 * match[1] + match[2].replace('"', '\\"'), value)
    quoted = f'{key}="{escaped}"'
    try:
        is_value = parse(quoted).value() == value
    except HydraException:
        return None
    return shlex.quote(quoted) if sign and is_value else None


def not_as_written(overrides: list[str], composed: Any) -> Iterator[str]:
    """A message for each text that is not what an argument says, because it was not quoted there: 1.10 is 1.1 to Hydra.

    Each names its key and the argument as it should be written, without secrets.

    Args:
        overrides: the arguments, all of them readable.
        composed: the configuration with them, as plain mappings, lists and values.
    """
    for override in overrides:
        key, _, value = (part.strip() for part in override.lstrip("+").partition("="))
        try:
            written = parse(f"{key}={_SCALAR.sub(_in_quotes, value)}").value()
        except HydraException:
            continue  # a sign that Hydra takes for a letter, after a backslash, stands beside a number
        read = parse(override)
        composed_value = _at(composed, read.key_or_group)
        for path, text, raw in _alterations(composed_value, read.value(), written, read.key_or_group):
            place = tuple(path.split(".", 1))
            shown, masked_raw = secrets.mask(text, place), secrets.mask(raw, place)
            quoted = _SCALAR.sub(partial(_in_quotes, raw=raw), value) if masked_raw == raw else f'"{masked_raw}"'
            yield (
                f"{path}: found {shown!r}, which is what Hydra makes of the unquoted {masked_raw} on the command line. "
                f"If the text is meant, quote it, for the shell too: {shlex.quote(f'{key}={quoted}')}"
            )


def _in_quotes(match: re.Match[str], raw: str | None = None) -> str:
    """Quote an unquoted scalar (only the one written as `raw`, if given); leave everything else as it is."""
    scalar = match["scalar"]
    return f'{match["before"]}"{scalar}"' if scalar and raw in (None, scalar) else match[0]


def _at(composed: Any, key: str) -> Any:
    """The configuration's value at a key; None if there is none, or the key is that of a group."""
    for part in key.split("."):
        if isinstance(composed, dict):
            composed = composed.get(part)
        elif isinstance(composed, list) and part.isdecimal() and int(part) < len(composed):
            composed = composed[int(part)]
        else:
            return None
    return composed


def _alterations(composed: Any, read: Any, written: Any, path: str) -> Iterator[tuple[str, str, str]]:
    """Path, composed text and written text of each text that is not as it was written."""
    if isinstance(composed, dict) and isinstance(read, dict):
        for (name, value), raw in zip(read.items(), written.values(), strict=True):
            yield from _alterations(composed.get(name), value, raw, f"{path}.{name}")
    elif isinstance(composed, list) and isinstance(read, list):
        for number, (item, value, raw) in enumerate(zip(composed, read, written, strict=False)):
            yield from _alterations(item, value, raw, f"{path}[{number}]")
    elif isinstance(composed, str) and not isinstance(read, str) and composed == str(read) != written:
        yield path, composed, written
