"""What of a configuration is shown to nobody: values of options whose names say so, and passwords in addresses."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

HIDDEN = "********"
WITHIN = ("environment",)
"""Groups in which a key's name may say that its value is secret; a column `tokens` of a source is none."""
KEY = re.compile(
    r"secret|passw|passphrase|token|credential(?!s?\.provider)|authorization|\bsas\b|^sig$"
    r"|(?:access|account|api|private|encryption|signing)[._-]?key|[._-]key$",
    re.IGNORECASE,
)
"""In the name of an option: what Spark's own `spark.redaction.regex` knows, and what stores call theirs."""
ASSIGNED = re.compile(r"""(?P<name>[\w.-]+)(?P<is>\s*[=:](?!//)\s*)(?P<value>"[^"]*"|'[^']*'|[^\s,;&{}]+)""")
"""A name and its value within a text, such as `-Dpassword=x` or `{secret.key: x}`."""
ADDRESS = re.compile(r"(?<=://)[^/\s'\"]*:[^/\s'\"]+(?=@)|(?:(?<=https://)|(?<=http://))[^/\s'\"]+(?=@)")
"""Who asks, and by what password, in `scheme://user:password@host`; in `abfss://container@account` nobody does."""
SHORTEST = 4
"""Letters of a text that is looked for elsewhere: a shorter one is in every other word."""
PLAIN = frozenset({"true", "false", "null", "none"})


def masked(config: Any, path: Sequence[str] = ()) -> Any:
    """A configuration, as plain mappings and lists, with every secret replaced."""
    if isinstance(config, Mapping):
        return {key: masked(value, (*path, str(key))) for key, value in config.items()}
    if isinstance(config, list):
        return [masked(value, path) for value in config]
    if config is None or isinstance(config, bool):
        return config
    if _is_secret(path):
        return HIDDEN
    return _masked_within(config, path) if isinstance(config, str) else config


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
    """Every secret of a command line, however its keys are spelt and before anything is made of it."""
    for override in overrides:
        key, is_given, value = override.partition("=")
        if is_given and KEY.search(key):
            yield value
            yield value.strip("\"'")
        else:
            yield from _within(override, WITHIN)


def hidden(text: str, secrets: Iterable[str]) -> str:
    """A text without the secrets. Those of a few letters stay: they are in other words too."""
    telling = {secret for secret in secrets if len(secret) >= SHORTEST and secret.lower() not in PLAIN}
    for secret in sorted(telling, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return text


def _is_secret(path: Sequence[str]) -> bool:
    return path[:1] == WITHIN and any(KEY.search(key) for key in path[1:])


def _masked_within(text: str, path: Sequence[str]) -> str:
    """A text that is no secret as a whole, without those in it."""
    text = ADDRESS.sub(HIDDEN, text)
    if tuple(path[:1]) != WITHIN:
        return text
    return ASSIGNED.sub(
        lambda said: f"{said['name']}{said['is']}{HIDDEN}" if KEY.search(said["name"]) else said[0], text
    )


def _within(text: str, path: Sequence[str]) -> Iterator[str]:
    """The secrets in a text that is none as a whole."""
    yield from ADDRESS.findall(text)
    if tuple(path[:1]) == WITHIN:
        for said in ASSIGNED.finditer(text):
            if KEY.search(said["name"]):
                yield said["value"].strip("\"'")
