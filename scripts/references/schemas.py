"""JSON schemas that editors complete and check configuration files by: one for each folder of `conf/` and each job.

Files are fragments: nothing is required, `defaults` may be there, and `${...}` or `???` in the place of any value.
"""

import json
from collections.abc import Mapping
from typing import Any

from nightjar.settings import jobs
from nightjar.settings.roots import ROOTS
from references import catalog
from references.wording import plain

DRAFT = "http://json-schema.org/draft-07/schema#"
"""The one that editors understand best."""
DEFINITIONS = "definitions.json"
LATER = "later"
"""Has no description: editors would show it beside that of every key."""
_LATER = {
    "$comment": "A value from elsewhere in the configuration, as ${project.name}, or ??? where one must be given.",
    "type": "string",
    "pattern": r"\$\{|^\?\?\?$",
}
_CHOSEN = {"type": ["string", "null"]}
DEFAULTS = {
    "description": "Files that this one is made of, in the order in which they are merged; _self_ is this one.",
    "type": "array",
    "items": {
        "anyOf": [
            {"type": "string"},
            {
                "type": "object",
                "minProperties": 1,
                "maxProperties": 1,
                "additionalProperties": {"anyOf": [_CHOSEN, {"type": "array", "items": _CHOSEN}]},
            },
        ]
    },
}
_BOUNDS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}
_COPIED = ("type", "minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "pattern", "minItems", "format")


def files() -> dict[str, str]:
    """Name -> text."""
    schemas: dict[str, Any] = {DEFINITIONS: {"$schema": DRAFT, "definitions": _definitions()}}
    for name, cls in catalog.GROUPS.items():
        schemas[f"{name}.json"] = _root(cls)
    for name, cls in catalog.MAPPINGS.items():
        schemas[f"{name}.json"] = _mapping_root(cls)
    for job, cls in ROOTS.items():
        schemas[f"{job.word}.json"] = _root(cls)
    return {name: json.dumps(one, indent=1, ensure_ascii=False) + "\n" for name, one in schemas.items()}


def _definitions() -> dict[str, Any]:
    of_jobs = {cls.__name__ for cls in (jobs.Job, *ROOTS.values())}
    return {LATER: _LATER} | {name: _settings(one) for name, one in catalog.SCHEMA.items() if name not in of_jobs}


def _root(cls: type) -> dict[str, Any]:
    """A file that holds settings of a class."""
    settings = _settings(catalog.SCHEMA[cls.__name__])
    return {"$schema": DRAFT, **settings, "properties": {"defaults": DEFAULTS, **settings["properties"]}}


def _mapping_root(cls: type) -> dict[str, Any]:
    """A file that holds several of them, by name."""
    entries = {"type": "object", "additionalProperties": _reference(cls.__name__)}
    return {"$schema": DRAFT, **entries, "properties": {"defaults": DEFAULTS}}


def _settings(schema: Mapping[str, Any]) -> dict[str, Any]:
    properties = {name: _property(one) for name, one in schema["properties"].items()}
    summary = plain(schema["description"].partition("\n\nAttributes:")[0])
    return {"description": summary, "type": "object", "additionalProperties": False, "properties": properties}


def _property(schema: Mapping[str, Any]) -> dict[str, Any]:
    unit = f" Unit: {schema['unit']}." if "unit" in schema else ""
    described = {"description": plain(schema["description"]) + unit}
    return described | ({"default": schema["default"]} if "default" in schema else {}) | _value(schema)


def _value(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of a value, or of what stands for it until it is known."""
    forms = _forms(schema)
    if forms == [{}] or {"type": ["string", "number"]} in forms:
        return forms[0] if len(forms) == 1 else {"anyOf": forms}
    return {"anyOf": [*forms, _reference(LATER)]}


def _forms(schema: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What a value may be."""
    for union in ("anyOf", "oneOf"):
        if union in schema:
            return [form for one in schema[union] for form in _forms(one)]
    if "$ref" in schema:
        return [_reference(schema["$ref"].rpartition("/")[2])]
    if "enum" in schema:
        upper = "|".join(word.upper() for word in schema["enum"])
        return [{"type": "string", "enum": schema["enum"]}, {"type": "string", "pattern": f"^({upper})$"}]
    if schema.get("type") == "object":
        entries = schema["additionalProperties"]
        return [{"type": "object", "additionalProperties": entries if entries is True else _value(entries)}]
    form = {name: schema[name] for name in _COPIED if name in schema}
    form |= {_BOUNDS[name]: schema[name] for name in _BOUNDS if name in schema}
    if form == {"type": "string"}:  # what YAML takes for a number becomes the text again
        form = {"type": ["string", "number"]}
    return [form | ({"items": _value(schema["items"])} if "items" in schema else {})]


def _reference(name: str) -> dict[str, Any]:
    return {"$ref": f"{DEFINITIONS}#/definitions/{name}"}
