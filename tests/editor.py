"""What an editor says of a configuration file: it reads the schema that the file's first line names."""

import functools
import json
import re
from pathlib import Path

from jsonschema import Draft7Validator
from omegaconf import OmegaConf
from referencing import Registry, Resource

MODELINE = re.compile(r"# yaml-language-server: \$schema=(\S+)\n")


def complaints(file):
    """What is wrong with a file, a line each."""
    modeline = MODELINE.match(file.read_text())
    if modeline is None:
        return [f"{file}: names no schema"]
    schema = (file.parent / modeline[1]).resolve()
    return [f"{file}: {line}" for line in complaints_of(schema, file.read_text())]


def complaints_of(schema, text, definition=None):
    """What is wrong with YAML by a schema, or by one of its definitions: key path and message."""
    values = OmegaConf.to_container(OmegaConf.create(text), resolve=False)
    return [f"{error.json_path}: {error.message}" for error in _validator(schema, definition).iter_errors(values)]


@functools.cache
def _validator(schema, definition):
    files = [(file, json.loads(file.read_text())) for file in schema.parent.glob("*.json")]
    registry = Registry().with_resources((file.as_uri(), Resource.from_contents(one)) for file, one in files)
    reference = schema.as_uri() + (f"#/definitions/{definition}" if definition else "")
    return Draft7Validator({"$ref": reference}, registry=registry)


def check_schemas(folder: Path):
    """Raise SchemaError where a schema is none, or says what the validator would ignore."""
    for file in folder.glob("*.json"):
        Draft7Validator.check_schema(json.loads(file.read_text()))
