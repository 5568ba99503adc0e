"""What the references say of settings: their classes, in groups, with the keys that each one has.

Everything is from the classes themselves, by the schema that pydantic makes of them; examples are of examples.yaml.
"""

import dataclasses
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args, get_type_hints

import yaml
from omegaconf import OmegaConf
from pydantic import TypeAdapter

from nightjar.settings import jobs
from nightjar.settings.descriptions import describe_fields
from nightjar.settings.environment import Environment
from nightjar.settings.features import FeatureGroup
from nightjar.settings.learning import Search
from nightjar.settings.model import Model
from nightjar.settings.project import Project
from nightjar.settings.roots import ROOTS
from nightjar.settings.sources import Source
from nightjar.settings.validation import without_none

GROUPS: dict[str, type] = {
    "project": Project,
    "source": Source,
    "features": FeatureGroup,
    "model": Model,
    "search": Search,
    "environment": Environment,
}
"""Folder of `conf/` -> what a file in it holds; in `features/` under the group's name."""
MAPPINGS = {"features": FeatureGroup, "candidates": Model}
"""Folders whose files hold several of these, each under its name."""
SCHEMA = TypeAdapter(tuple[(jobs.Job, *ROOTS.values())]).json_schema()["$defs"]  # type: ignore[misc]
"""Class -> its schema, by pydantic."""
_NAMES = {"FeatureGroup": "GROUP", "ColumnPreparation": "COLUMN", "Range": "PARAMETER"}
_EXAMPLES: dict[str, list[str]] = yaml.safe_load(Path(__file__).with_name("examples.yaml").read_text(encoding="utf-8"))


@dataclasses.dataclass(frozen=True)
class Key:
    """A key of settings.

    Attributes:
        name: in YAML.
        schema: by pydantic, of its value.
        meaning: in words.
        unit: of a number, if it has one.
        required: whether it must be given.
        example: a value, or None where there is no example.
    """

    name: str
    schema: Mapping[str, Any]
    meaning: str
    unit: str | None
    required: bool
    example: Any


def classes() -> dict[str, list[type]]:
    """Group -> the classes of its settings, the one of its files first; `jobs` are those of the jobs.

    A class belongs to the smallest group that leads to it.
    """
    assigned = {jobs.Job, *ROOTS.values(), *GROUPS.values()}
    below: dict[str, list[type]] = {}
    for group in sorted(GROUPS, key=lambda one: len(list(places(GROUPS[one])))):  # what is part of others first
        below[group] = list(dict.fromkeys(one for one, _ in places(GROUPS[group]) if one not in assigned))
        assigned |= set(below[group])
    nested = [one for root in ROOTS.values() for one, _ in places(root) if one not in assigned]
    return {
        "jobs": [jobs.Job, *ROOTS.values(), *dict.fromkeys(nested)],
        **{group: [cls, *below[group]] for group, cls in GROUPS.items()},
    }


def places(cls: Any, path: str = "") -> Iterator[tuple[type, str]]:
    """Each class of settings below another one, with its key path; names that a project chooses are in capitals."""
    for field in dataclasses.fields(cls):
        hint = without_none(get_type_hints(cls)[field.name])
        at = f"{path}.{field.name}".lstrip(".")
        of = _settings_in(hint)
        if of is None:
            continue
        if of is not hint:
            at += "[0]" if str(hint).startswith("list") else f".{_NAMES.get(of.__name__, of.__name__.upper())}"
        yield of, at
        yield from places(of, at)


def keys(cls: type) -> list[Key]:
    """The keys that settings of a class may have, in the order of its docstring; of a job, those that not all have."""
    schema = SCHEMA[cls.__name__]
    of_all_jobs = {field.name for field in dataclasses.fields(jobs.Job)} if cls in ROOTS.values() else set()
    inherited = of_all_jobs - set(vars(cls).get("__annotations__", {}))
    values: dict[str, Any] = {}
    for example in reversed(examples(cls)):
        values |= example_values(cls, example)
    properties, required = schema["properties"], schema.get("required", [])
    described = dict.fromkeys(name for base in cls.__mro__ for name in describe_fields(base) if name not in inherited)
    return [
        Key(name, one, one["description"], one.get("unit"), name in required, values.get(name))
        for name, one in ((name, properties[name]) for name in described)
    ]


def words(schema: Mapping[str, Any]) -> list[str]:
    """The words of which a value is one, where it is."""
    nested = [word for one in schema.get("anyOf", []) for word in words(one)]
    return [*schema.get("enum", []), *nested]


def default(cls: type, name: str) -> Any:
    """The default of a field, as Python has it; MISSING where there is none."""
    field = next(one for one in dataclasses.fields(cls) if one.name == name)
    return field.default if field.default_factory is dataclasses.MISSING else field.default_factory()


def examples(cls: type) -> list[str]:
    """YAML of settings of a class; of a job, the arguments of its command."""
    return _EXAMPLES.get(cls.__name__, [])


def example_values(cls: type, text: str) -> dict[str, Any]:
    """Key -> value of an example."""
    if issubclass(cls, jobs.Job):
        return {name: value for name, _, value in (one.partition("=") for one in shlex.split(text))}
    values: Any = OmegaConf.to_container(OmegaConf.create(text), resolve=False)
    return dict(values)


def _settings_in(hint: Any) -> Any:
    """The settings that a type is, or holds."""
    if dataclasses.is_dataclass(hint):
        return hint
    return next(filter(None, (_settings_in(without_none(one)) for one in get_args(hint))), None)
