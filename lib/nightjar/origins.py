"""Where each value of a composed configuration was written: the file and line, or the argument of a command line."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from nightjar.settings.validation import Path as KeyPath


@dataclass(frozen=True)
class Layer:
    """A file of the configuration, and the key path that its content is put at."""

    file: Path
    package: tuple[str, ...]


@dataclass(frozen=True)
class Scalar:
    """What a file says at a key path.

    Attributes:
        file: the file.
        line: of the value, from 1.
        text: the value as it is written; None: a mapping or list.
        is_plain: whether it is written without quotes.
    """

    file: Path
    line: int
    text: str | None
    is_plain: bool


def find(layers: Sequence[Layer], path: KeyPath) -> Scalar | None:
    """The last file that says something at a key path, and what; None where no file does."""
    for layer in reversed(layers):
        within = path[len(layer.package) :]
        if not within or tuple(path[: len(layer.package)]) != layer.package or not layer.file.is_file():
            continue
        node = _node_at(yaml.compose(layer.file.read_text(encoding="utf-8"), yaml.SafeLoader), within)
        if node is not None:
            is_scalar = isinstance(node, yaml.ScalarNode)
            text = node.value if is_scalar else None
            return Scalar(layer.file, node.start_mark.line + 1, text, is_scalar and node.style is None)
    return None


def _node_at(node: Any, path: KeyPath) -> Any:
    """The node of a file at a key path within it; None where there is none."""
    for part in path:
        if isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            node = node.value[part] if part < len(node.value) else None
        elif isinstance(node, yaml.MappingNode):
            node = next((value for key, value in _entries(node) if key == str(part)), None)
        else:
            return None
    return node


def _entries(node: yaml.MappingNode) -> Iterator[tuple[str, Any]]:
    """Key and value of a mapping, the last one of a repeated key first."""
    for key, value in reversed(node.value):
        yield str(key.value), value
