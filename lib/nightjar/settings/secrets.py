"""Finds and masks the secrets of a configuration: values of options with telling names, passwords in addresses."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

HIDDEN = "********"
WITHIN = ("environment",)
"""Groups in which a key's name can make its value a secret; elsewhere a column may be called `tokens`."""
KEY = re.compile(
    r"secret|passw|passphrase|token|credential(?!s?\.provider)|authorization|\bsas\b|^sig$"
    r"|(?:access|account|api|private|encryption|signing)[._-]?key|[._-]key$",
    re.IGNORECASE,
)
"""Names of secret options: those of Spark's `spark.redaction.regex`, and those of object stores."""
ASSIGNED = re.compile(r"""(?P<name>[\w.-]+)(?P<is>\s*[=:](?!//)\s*)(?P<value>"[^"]*"|'[^']*'|[^\s,;&{}]+)""")
"""A name and its value within a text, such as `-Dpassword=x` or `{secret.key: x}`."""
ADDRESS = re.compile(r"(?<=://)[^/\s'\"]*:[^/\s'\"]+(?=@)|(?:(?<=https://)|(?<=http://))[^/\s'\"]+(?=@)")
"""User and password in `scheme://user:password@host`; `abfss://container@account` has none."""
SHORTEST = 4
"""Length from which a secret is searched for in other texts: shorter ones are part of many words."""
PLAIN = frozenset({"true", "false", "null", "none"})


def mask(config: Any, path: Sequence[str] = ()) -> Any:
    """A configuration, as plain mappings and lists, with every secret replaced."""
    if isinstance(config, Mapping):
        return {key: mask(value, (*path, str(key))) for key, value in config.items()}
    if isinstance(config, list):
        return [mask(value, path) for value in config]
    if config is None or isinstance(config, bool):
        return config
    if _is_secret(path):
        return HIDDEN
    return _mask_within(config, path) if isinstance(config, str) else config


def of_config(config: Any, path: Sequence[str] = ()) -> Iterator[str]:
    """Every secret of a configuration of plain mappings and lists."""
    if isinstance(config, Mapping):
        for key, value in config.items():
            yield from of_config(value, (*path, str(key)))
    elif isinstance(config, list):
        for value in config:
            yield from of_config(value, path)
    elif config is not None and not isinstance(config, bool):
        yield from [str(config)] if _is_secret(path) else _within(str(config), path)


def of_overrides(overrides: Iterable[str]) -> Iterator[str]:
    """Every secret of a command line, before it is parsed, by keys in any spelling."""
    for override in overrides:
        key, sign, value = override.partition("=")
        if sign and KEY.search(key):
            yield value
            yield value.strip("\"'")
        else:
            yield from _within(override, WITHIN)


def hide(text: str, secrets: Iterable[str]) -> str:
    """A text with the secrets replaced, except those of few letters, which are part of other words."""
    telling = {secret for secret in secrets if len(secret) >= SHORTEST and secret.lower() not in PLAIN}
    for secret in sorted(telling, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return text


def _is_secret(path: Sequence[str]) -> bool:
    of_database = tuple(path[-2:]) == ("database", "password")  # its setting is a mapping, and so no secret
    return of_database or (path[:1] == WITHIN and any(KEY.search(key) for key in path[1:]))


def _mask_within(text: str, path: Sequence[str]) -> str:
    """A text that is no secret as a whole, with the secrets in it replaced."""
    text = ADDRESS.sub(HIDDEN, text)
    if tuple(path[:1]) != WITHIN:
        return text
    return ASSIGNED.sub(
        lambda match: f"{match['name']}{match['is']}{HIDDEN}" if KEY.search(match["name"]) else match[0], text
    )


def _within(text: str, path: Sequence[str]) -> Iterator[str]:
    """The secrets in a text that is no secret as a whole."""
    yield from ADDRESS.findall(text)
    if tuple(path[:1]) == WITHIN:
        for match in ASSIGNED.finditer(text):
            if KEY.search(match["name"]):
                yield match["value"].strip("\"'")
