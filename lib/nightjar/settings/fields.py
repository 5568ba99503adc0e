"""Types of fields that settings share: numbers that no boolean passes for, shares, durations, dates."""

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from nightjar.durations import DURATION, parse_duration
from nightjar.errors import NightjarError
from nightjar.settings.run_dates import parse_run_dates
from nightjar.timeline import parse_run_date


def _refuse_truth(value: Any) -> Any:
    """Refuse true and false, which Python takes for 1 and 0."""
    if isinstance(value, bool):
        raise PydanticCustomError("number", "expected {expected}", {"expected": "a number"})
    return value


def _refuse_fraction(value: Any) -> Any:
    """Refuse 2.0 as well as 2.5 where whole numbers are counted."""
    if isinstance(value, bool | float):
        raise PydanticCustomError("number", "expected {expected}", {"expected": "a whole number"})
    return value


def _readable_by(parse: Callable[[str], object]) -> AfterValidator:
    """A text that `parse` reads stays as it is; what it raises says what is wrong with another one."""

    def require(value: str) -> str:
        try:
            parse(value)
        except NightjarError as error:
            raise ValueError(str(error)) from error
        return value

    return AfterValidator(require)


def _require_length(value: str) -> str:
    if not parse_duration(value):
        raise PydanticCustomError("length", "expected {expected}", {"expected": "a duration longer than 0"})
    return value


Whole = Annotated[int, BeforeValidator(_refuse_fraction)]
Count = Annotated[Whole, Field(ge=1)]
Real = Annotated[float, BeforeValidator(_refuse_truth)]
Bound = Annotated[int | float, BeforeValidator(_refuse_truth)]
"""A number that stays whole where it is written so."""
Positive = Annotated[Real, Field(gt=0)]
Share = Annotated[Real, Field(gt=0, le=1)]
DurationText = Annotated[
    str,
    _readable_by(parse_duration),
    WithJsonSchema({"type": "string", "pattern": f"^{DURATION}$"}),
]
"""Such as 7d, 12h, 30m, 45s or 250us."""
LengthText = Annotated[DurationText, AfterValidator(_require_length)]
"""A duration longer than 0."""
DateText = Annotated[str, _readable_by(parse_run_date), WithJsonSchema({"type": "string", "format": "date"})]
"""YYYY-MM-DD."""
_DATE = r"\d{4}-\d{2}-\d{2}"
DatesText = Annotated[
    str, _readable_by(parse_run_dates), WithJsonSchema({"type": "string", "pattern": rf"^{_DATE}(\.\.{_DATE})?$"})
]
"""YYYY-MM-DD, or a range YYYY-MM-DD..YYYY-MM-DD."""
Names = Annotated[list[str], Field(min_length=1)]
"""At least one name."""
