"""The schema of a skops file, and the names of our own classes in it, which are those of `stored_types`.

A skops file is a zip archive: `schema.json`, a tree of nodes of which each names a class by module and name, and the
arrays beside it.
"""

import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from nightjar.errors import ModelError
from nightjar.models import stored_types
from nightjar.models.stored_types import FORMER_MODULES, STORED_ESTIMATORS, STORED_TRANSFORMERS

SCHEMA = "schema.json"

ClassName = tuple[str, str]
"""Module and name of a class."""

_STORED: Final = {name: (stored_types.__name__, name) for name in {**STORED_ESTIMATORS, **STORED_TRANSFORMERS}}
_BY_CLASS: Final[Mapping[ClassName, ClassName]] = {
    (one.__module__, one.__qualname__): _STORED[name]
    for name, one in {**STORED_ESTIMATORS, **STORED_TRANSFORMERS}.items()
}
_BY_FORMER_MODULE: Final[Mapping[ClassName, ClassName]] = {
    (module, name): _STORED[name] for module, names in FORMER_MODULES.items() for name in names
}


def type_name(one: type) -> str:
    """The name of a class in a stored file: its permanent one, or that of its module."""
    own = one.__module__, one.__qualname__
    return ".".join(_BY_CLASS.get(own, own))


def with_permanent_names(content: bytes) -> bytes:
    """A file that skops has just made, with the permanent names of our classes instead of those of their modules."""
    return _renamed(content, _BY_CLASS)


def without_former_names(content: bytes, name: str) -> bytes:
    """A stored file with the permanent names of our classes, instead of those of the modules that they once lay in.

    Raises:
        ModelError: this is no skops file.
    """
    with refusing_other_files(name):
        return _renamed(content, _BY_FORMER_MODULE)


def read_nodes(content: bytes, name: str) -> list[dict[str, Any]]:
    """Every node of the schema, at any depth: the mappings that name a type.

    Raises:
        ModelError: this is no skops file.
    """
    with refusing_other_files(name), zipfile.ZipFile(io.BytesIO(content)) as archive:
        return list(_nodes(json.loads(archive.read(SCHEMA))))


@contextmanager
def refusing_other_files(name: str) -> Iterator[None]:
    """Turn whatever the look into a file raises into a ModelError: it is no skops file."""
    try:
        yield
    except Exception as error:
        raise ModelError(f"{name} is no skops file that can be checked: {error!r}.") from error


def _nodes(schema: Any) -> Iterator[dict[str, Any]]:
    pending = [schema]
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            if node.keys() & {"__class__", "__module__", "__loader__"}:
                yield node
            pending.extend(node.values())
        elif isinstance(node, list):
            pending.extend(node)


def _renamed(content: bytes, names: Mapping[ClassName, ClassName]) -> bytes:
    """The file with other names for some classes; the same bytes where it names none of them."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        schema = json.loads(archive.read(SCHEMA))
        nodes = [node for node in _nodes(schema) if (node.get("__module__"), node.get("__class__")) in names]
        if not nodes:
            return content
        arrays = {name: archive.read(name) for name in archive.namelist() if name != SCHEMA}
    for node in nodes:
        node["__module__"], node["__class__"] = names[node["__module__"], node["__class__"]]
    renamed = io.BytesIO()
    with zipfile.ZipFile(renamed, "w") as archive:
        for name, array in arrays.items():
            archive.writestr(name, array)
        archive.writestr(SCHEMA, json.dumps(schema))
    return renamed.getvalue()
