"""Settings as plain mappings, lists and values: with defaults filled in, and texts that YAML has read otherwise."""

import dataclasses
from enum import Enum
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from nightjar.settings.choices import Choice
from nightjar.settings.validation import Path, without_none


def plain(value: Any) -> Any:
    """Settings as a configuration may write them."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Enum):
        return value.word if isinstance(value, Choice) else value.value
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


def texts(cls: type) -> set[str]:
    """The fields of a class of settings that must hold a text."""
    return {name for name, hint in get_type_hints(cls).items() if hint is str}


def fill(hint: Any, value: Any, altered: dict[Path, str], path: Path = ()) -> Any:
    """What a configuration says, with the defaults of all settings in it, and texts where texts are expected.

    Args:
        hint: the type that is expected.
        value: of plain mappings, lists and values. What does not fit stays as it is, for validation to refuse.
        altered: gets path -> text for each boolean or number that becomes a text.
        path: of the value.
    """
    of_list = [member for member in get_args(hint) if get_origin(member) is list]
    is_union = get_origin(hint) in (Union, UnionType)
    hint = of_list[0] if is_union and of_list and isinstance(value, list) else without_none(hint)
    if hint is str and isinstance(value, bool | int | float):
        altered[path] = str(value)
        return str(value)
    if dataclasses.is_dataclass(hint) and isinstance(value, dict):
        return _fill_fields(hint, value, altered, path)
    items, item_hint = get_origin(hint), (get_args(hint) or (Any,))[-1]
    if items is dict and isinstance(value, dict):
        return {key: fill(item_hint, item, altered, (*path, key)) for key, item in value.items()}
    if items is list and isinstance(value, list):
        return [fill(item_hint, item, altered, (*path, number)) for number, item in enumerate(value)]
    return value


def _fill_fields(cls: Any, value: dict[str, Any], altered: dict[Path, str], path: Path) -> dict[str, Any]:
    hints, filled = get_type_hints(cls), dict[str, Any]()
    for field in dataclasses.fields(cls):
        if field.name in value:
            filled[field.name] = fill(hints[field.name], value[field.name], altered, (*path, field.name))
        elif field.default is not dataclasses.MISSING:
            filled[field.name] = plain(field.default)
        elif field.default_factory is not dataclasses.MISSING:
            filled[field.name] = plain(field.default_factory())
    return filled | {name: item for name, item in value.items() if name not in filled}
