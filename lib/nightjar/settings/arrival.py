"""Settings of what a source brings to a night at least, and what becomes of a night to which it brings less."""

from dataclasses import dataclass
from enum import Enum

from nightjar.settings.checks import require, require_length


class Severity(Enum):
    """What becomes of a night to which a source brings less than it should."""

    ERROR = "error"
    WARN = "warn"


@dataclass
class Arrival:
    """What a source brings to every night, judged before anything of the night is written.

    Attributes:
        min_rows: fewest facts that become known in a night; 0: a night without any is a night. None: a night without
            any is amiss where each of the nights before it, up to 28, had some.
        max_age: how long before the night's midnight its newest fact may have become known, by its stated `known_at`.
        severity: ERROR: the night stops, and nothing is written. WARN: it goes on; `quality` says what is missing, and
            each score of the night that was made with the source names it in `input_warnings`.
    """

    min_rows: int | None = None
    max_age: str | None = None
    severity: Severity = Severity.ERROR

    def __post_init__(self) -> None:
        """Check that the bounds can be met."""
        require(self.min_rows is None or self.min_rows >= 0, "min_rows", self.min_rows, "at least 0")
        if self.max_age is not None:
            require_length("max_age", self.max_age)
