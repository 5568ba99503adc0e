"""Refuses texts of a configuration that YAML has read as something else: NO as false, 1e3 as 1000.0."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from omegaconf import OmegaConf

from nightjar.errors import UsageError
from nightjar.settings import secrets

_WRITTEN = re.compile(r"True|False|-?([0-9]+(\.[0-9]+)?(e[-+]?[0-9]+)?|inf|nan)")
"""The text that a boolean or a number becomes where a text is expected."""
_READ = re.compile(
    r"(?i)y|n|yes|no|on|off|true|false|[-+]?[0-9.][0-9._:]*(e[-+]?[0-9]+)?|[-+]?\.(inf|nan)|0[xob][0-9a-f_]+"
)
"""What YAML may take for a boolean or a number; 12:30 is 750 to it, in seconds or minutes."""


def require_as_written(folder: Path, composed: Any) -> None:
    """Refuse a text that is not what a file of the configuration says, because it was not quoted there.

    Args:
        folder: of the configuration.
        composed: the composed configuration, as plain mappings, lists and values.

    Raises:
        UsageError: there is such a text; names its key, the file and the line, without secrets.
    """
    texts = {path: text for path, text in _texts(composed, "") if _WRITTEN.fullmatch(text)}
    if not texts:
        return
    for file in sorted(folder.rglob("*.yaml")):
        for key, raw, line in _unquoted_scalars(yaml.compose(file.read_text(), yaml.SafeLoader), ""):
            read = str(OmegaConf.create(f"[{raw}]")[0])
            path = next((path for path, text in texts.items() if text == read != raw and _ends(path, key)), None)
            if path is not None:
                shown, masked_raw = (secrets.mask(scalar, tuple(path.split(".", 1))) for scalar in (read, raw))
                raise UsageError(
                    f"{path}: found {shown!r}, which is what YAML makes of the unquoted {masked_raw} in line {line} of "
                    f"{file}. If the text is meant, quote it there: '{masked_raw}'"
                )


def _ends(path: str, key: str) -> bool:
    """Whether a path such as `columns.k.levels[0]` ends with this key, which may have dots itself."""
    without_places = re.sub(r"(\[\d+\])+$", "", path)
    return f".{without_places}".endswith(f".{key}")


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Key path and value of every text."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _texts(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _texts(item, f"{path}[{number}]")


def _unquoted_scalars(node: Any, key: str) -> Iterator[tuple[str, str, int]]:
    """Key, value and line of each unquoted scalar that YAML may read as something else than a text."""
    if isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            yield from _unquoted_scalars(value, str(name.value))
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _unquoted_scalars(value, key)
    elif isinstance(node, yaml.ScalarNode) and node.style is None and _READ.fullmatch(node.value):
        yield key, node.value, node.start_mark.line + 1
