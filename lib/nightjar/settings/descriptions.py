"""What the fields of settings mean, as their classes' docstrings say below `Attributes:`."""

import inspect
import re

_NAMES = re.compile(r"    (?P<names>\w+(, \w+)*): (?P<text>.*)")


def describe_fields(cls: type) -> dict[str, str]:
    """Field -> description, of the fields that the class declares itself; each on one line."""
    section = inspect.cleandoc(cls.__doc__ or "").partition("Attributes:\n")[2]
    described: dict[str, str] = {}
    names: list[str] = []
    for line in section.splitlines():
        if not line.startswith("    "):
            break
        begins = _NAMES.fullmatch(line)
        if begins:
            names = begins["names"].split(", ")
            described |= dict.fromkeys(names, begins["text"])
        else:
            described |= {name: f"{described[name]} {line.strip()}" for name in names}
    return described
