"""Every field of every setting has a description, which stands in the docstring of its class and in the schema."""

import dataclasses
from typing import get_args, get_type_hints

import pytest
from pydantic import TypeAdapter

from nightjar.settings.descriptions import Description, describe_fields
from nightjar.settings.distributed import Distributed
from nightjar.settings.roots import ROOTS
from nightjar.settings.validation import without_none


def classes_below(hint):
    hint = without_none(hint)
    if dataclasses.is_dataclass(hint):
        yield hint
        for below in get_type_hints(hint).values():
            yield from classes_below(below)
    for argument in get_args(hint):
        yield from classes_below(argument)


CLASSES = sorted(
    {one for root in (*ROOTS.values(), Distributed) for one in classes_below(root)}, key=lambda one: one.__name__
)


def test_it_goes_over_lines_and_is_of_several_names():
    class Both:
        """Two.

        Attributes:
            first, second: what
                they are.
            third (local dates): another: one.
        """

    assert describe_fields(Both) == {
        "first": Description("what they are."),
        "second": Description("what they are."),
        "third": Description("another: one.", unit="local dates"),
    }


@pytest.mark.parametrize("cls", CLASSES, ids=lambda one: one.__name__)
def test_every_field_is_described_and_nothing_else(cls):
    described = {name for base in cls.__mro__ for name in describe_fields(base)}
    assert described == {field.name for field in dataclasses.fields(cls)}
    schema = TypeAdapter(cls).json_schema()
    properties = schema["$defs"][cls.__name__]["properties"] if "$ref" in schema else schema["properties"]
    assert [name for name, one in properties.items() if not one.get("description")] == []
