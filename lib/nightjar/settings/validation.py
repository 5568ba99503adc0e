"""Settings are dataclasses that pydantic validates; this module makes them, and puts what is wrong into words.

A class of settings may have a method `issues` for what its fields' types cannot say. It runs once all fields are as
their types ask, and everything that it yields is reported together.
"""

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import wraps
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, dataclass_transform, get_args, get_origin, get_type_hints

import pydantic.dataclasses
from pydantic import ConfigDict, Field, JsonValue, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from nightjar.settings import secrets
from nightjar.settings.checks import Issue
from nightjar.settings.descriptions import describe_fields
from nightjar.settings.hints import hint, unknown_key

T = TypeVar("T")
Path = tuple[int | str, ...]
CONFIG = ConfigDict(extra="forbid")
EXPECTED = {
    "greater_than_equal": "at least {ge:g}",
    "greater_than": "more than {gt:g}",
    "less_than_equal": "at most {le:g}",
    "less_than": "less than {lt:g}",
    "finite_number": "a finite number",
    "too_short": "at least one entry",
    "string_type": "a text",
    "dataclass_type": "a mapping of settings",
    "dict_type": "a mapping",
    "list_type": "a list",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
}
"""Types of pydantic's errors, or what they begin with -> what was expected."""


@dataclass_transform(field_specifiers=(dataclasses.field,))
def settings(cls: type[T]) -> type[T]:
    """A dataclass whose values are validated.

    What its docstring says below `Attributes:` describes its fields, in schemas too. On creation by hand all that is
    wrong is one ValueError, a line each.
    """
    for name, description in describe_fields(cls).items():
        unit: dict[str, JsonValue] | None = {"unit": description.unit} if description.unit else None
        field = Field(description=description.text, json_schema_extra=unit)
        cls.__annotations__[name] = Annotated[cls.__annotations__[name], field]
    if hasattr(cls, "issues"):
        cls.__post_init__ = _refuse_issues  # type: ignore[attr-defined]
    validated = pydantic.dataclasses.dataclass(config=CONFIG)(cls)
    initialise: Callable[..., None] = validated.__init__
    positional = [field.name for field in dataclasses.fields(validated) if not field.kw_only]

    @wraps(initialise)
    def create(self: Any, *values: Any, **named: Any) -> None:
        named |= dict(zip(positional, values, strict=False))
        try:
            initialise(self, *values[len(positional) :], **named)
        except ValidationError as error:
            raise ValueError("\n".join(line for _, line in describe(error, validated, named))) from None

    setattr(validated, "__init__", create)  # noqa: B010  (mypy takes no assignment to a method)
    return validated  # type: ignore[return-value]


def _refuse_issues(self: Any) -> None:
    issues: Iterator[Issue] = self.issues()
    details = [
        InitErrorDetails(
            type=PydanticCustomError("issue", "expected {expected}", {"expected": issue.expected}),
            loc=tuple(issue.field.split(".")),
            input=issue.value,
        )
        for issue in issues
    ]
    if details:
        raise ValidationError.from_exception_data(type(self).__name__, details)


def validate(cls: type[T], plain: Mapping[str, Any]) -> T:
    """Settings from plain mappings, lists and values.

    Raises:
        ValidationError: something is wrong; see `describe`.
    """
    return TypeAdapter(cls).validate_python(plain)


def dump(values: Any, without: Mapping[str, Any]) -> dict[str, Any]:
    """Settings as JSON can hold them, without those that are as by default: a setting added later changes nothing.

    Args:
        values: of a class of settings.
        without: settings that are left out: name -> True, or names within it.
    """
    plain: dict[str, Any] = TypeAdapter(type(values)).dump_python(
        values, mode="json", exclude_defaults=True, exclude=without
    )
    return plain


def describe(error: ValidationError, cls: type, plain: Mapping[str, Any]) -> list[tuple[Path, str]]:
    """Key path and message of everything that is wrong with settings.

    Args:
        error: what pydantic raised.
        cls: the settings' class.
        plain: what they were to be made of, for the names beside a missing or misspelt one.
    """
    lines: dict[Path, str] = {}
    for details in error.errors(include_url=False):
        path: Path = tuple(part for part in details["loc"] if not str(part).startswith("<"))  # tags of unions
        misspelt = details["type"] == "missing" and _misspelt_entry(path[:-1], cls, plain)
        if misspelt:
            lines.setdefault(path[:-1], misspelt)
            continue
        lines[path] = f"{lines[path]}; {_message(details, path)}" if path in lines else _line(details, path, cls)
    return list(lines.items())


def show(path: Iterable[int | str]) -> str:
    """A key path as people write it: a.b[0].c."""
    parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in path]
    return "".join(parts).removeprefix(".")


def fields_at(cls: type, path: Path) -> list[str] | None:
    """The fields of the settings at a path, from a class; None where there are no settings, but a mapping or value."""
    at = _hint_at(cls, path)
    return [field.name for field in dataclasses.fields(at)] if dataclasses.is_dataclass(at) else None


def _line(details: ErrorDetails, path: Path, cls: type) -> str:
    if details["type"] == "unexpected_keyword_argument":
        return unknown_key(show(path), fields_at(cls, path[:-1]) or [])
    if details["type"] == "missing":
        return f"{show(path)}: has no value, and needs one; give {show(path)}=..."
    return f"{show(path)}: {_message(details, path)}"


def _message(details: ErrorDetails, path: Path) -> str:
    kind, context = details["type"], details.get("ctx", {})
    if kind == "value_error":
        return str(context["error"])
    near, expected = context.get("hint", ""), context.get("expected")
    if expected is None:
        begins = next((name for name in EXPECTED if kind == name or kind.startswith(f"{name}_")), None)
        expected = EXPECTED[begins].format(**context) if begins else details["msg"]
    shown = secrets.mask(details["input"], tuple(map(str, path)))
    return f"found {shown!r}{near}, expected {expected}"


def _misspelt_entry(path: Path, cls: type, plain: Mapping[str, Any]) -> str | None:
    """The message for an entry of a mapping that lacks what it needs and is called nearly as another one."""
    beside: Any = plain
    for part in path[:-1]:
        beside = beside.get(part) if isinstance(beside, Mapping) else None
    if not path or not isinstance(beside, Mapping) or fields_at(cls, path[:-1]) is not None:
        return None
    others = [str(name) for name in beside if name != path[-1]]
    needs = [field.name for field in dataclasses.fields(_hint_at(cls, path)) if _is_required(field)]
    return f"{unknown_key(show(path), others)}; a new one needs {', '.join(needs)}" if hint(path[-1], others) else None


def _is_required(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _hint_at(cls: Any, path: Path) -> Any:
    """The type at a path: of a field, or of the entries of a mapping or list."""
    for part in path:
        if dataclasses.is_dataclass(cls):
            cls = get_type_hints(cls).get(str(part))
        else:
            cls = get_args(cls)[-1] if get_args(cls) else None
        cls = without_none(cls)
    return cls


def without_none(hint_of_field: Any) -> Any:
    """The type of a field that may be null, when it is not; of several the settings among them."""
    if get_origin(hint_of_field) not in (Union, UnionType):
        return hint_of_field
    members = [member for member in get_args(hint_of_field) if member is not type(None)]
    return next((member for member in members if dataclasses.is_dataclass(member)), members[0])
