"""What the fields of settings mean, as their classes' docstrings say below `Attributes:`."""

import inspect
import re
from dataclasses import dataclass, replace

_NAMES = re.compile(r"    (?P<names>\w+(, \w+)*)( \((?P<unit>[^)]+)\))?: (?P<text>.*)")


@dataclass(frozen=True)
class Description:
    """What a field means.

    Attributes:
        text: on one line.
        unit: of a number; in the docstring it stands in brackets after the field's name.
    """

    text: str
    unit: str | None = None


def describe_fields(cls: type) -> dict[str, Description]:
    """Field -> description, of the fields that the class declares itself."""
    section = inspect.cleandoc(cls.__doc__ or "").partition("Attributes:\n")[2]
    described: dict[str, Description] = {}
    names: list[str] = []
    for line in section.splitlines():
        if not line.startswith("    "):
            break
        begins = _NAMES.fullmatch(line)
        if begins:
            names = begins["names"].split(", ")
            described |= dict.fromkeys(names, Description(begins["text"], begins["unit"]))
        else:
            described |= {
                name: replace(described[name], text=f"{described[name].text} {line.strip()}") for name in names
            }
    return described
