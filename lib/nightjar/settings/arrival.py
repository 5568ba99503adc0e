"""Settings of what a source brings to a night at least, and what becomes of a night to which it brings less."""

from typing import Annotated

from pydantic import Field

from nightjar.settings.choices import Choice
from nightjar.settings.fields import LengthText, Whole
from nightjar.settings.validation import settings


class Severity(Choice):
    """What becomes of a night to which a source brings less than it should."""

    ERROR = "error"
    WARN = "warn"


@settings
class Arrival:
    """What a source brings to every night, judged before anything of the night is written.

    Attributes:
        min_rows: fewest facts that become known in a night; 0: a night without any is a night. None: a night without
            any is amiss where each of the nights before it, up to 28, had some.
        max_age: how long before the night's midnight its newest fact may have become known, by its stated `known_at`.
        severity: `error`: the night stops, and nothing is written. `warn`: it goes on; `quality` says what is missing,
            and each score of the night that was made with the source names it in `input_warnings`.
    """

    min_rows: Annotated[Whole, Field(ge=0)] | None = None
    max_age: LengthText | None = None
    severity: Severity = Severity.ERROR
