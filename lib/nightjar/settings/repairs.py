"""Settings of repairs: what is read in place of the raw values that stand there."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import field

from nightjar.settings.checks import Issue, expect, expect_zone
from nightjar.settings.choices import Choice
from nightjar.settings.fields import Bound
from nightjar.settings.files import sign_issues
from nightjar.settings.validation import settings

_TYPES: Mapping[str, tuple[str, ...]] = {
    "trim": ("string",),
    "case": ("string",),
    "synonyms": ("string", "long", "double", "boolean", "date", "timestamp"),
    "numbers": ("long", "double"),
    "zone": ("timestamp",),
    "winsorise": ("long", "double"),
}
"""Repair -> the types of columns that it is for, in the order in which repairs are made."""
BLANKS = (
    "\t\n\v\f\r \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
"""What trimming removes: the white space of Unicode."""


class LetterCase(Choice):
    LOWER = "lower"
    UPPER = "upper"


@settings
class Numbers:
    """How the texts of a column write numbers, in place of what the file's dialect says.

    Each text has one reading: groups of thousands are of three digits, and a number has all or none of them. With
    `thousands: ","` the text `10,000` is ten thousand, and `10,5` refuses its row.

    Attributes:
        decimal: the sign before the fraction.
        thousands: a sign between groups of three digits.
    """

    decimal: str = "."
    thousands: str | None = None

    def signs(self) -> str:
        """Those by which a number differs from one that needs no repair."""
        return self.decimal.replace(".", "") + (self.thousands or "")

    def issues(self) -> Iterator[Issue]:
        """Whether the signs are some, and other than those of numbers that need no repair."""
        yield from sign_issues(self.decimal, self.thousands)
        yield from expect(bool(self.signs()), "thousands", self.thousands, "a sign, or a comma as decimal")


@settings
class Winsorising:
    """Bounds of a number. A value beyond one becomes the bound itself.

    Attributes:
        minimum (the column's): what lower values become.
        maximum (the column's): what higher values become.
    """

    minimum: Bound | None = None
    maximum: Bound | None = None

    def issues(self) -> Iterator[Issue]:
        """Whether there is a bound, and they are in order."""
        lower, upper = self.minimum, self.maximum
        yield from expect(lower is not None or upper is not None, "minimum", None, "a minimum or a maximum")
        for name, bound in (("minimum", lower), ("maximum", upper)):
            yield from expect(bound is None or math.isfinite(bound), name, bound, "a finite number")
        if lower is not None and upper is not None:
            yield from expect(lower < upper, "minimum", lower, f"less than maximum={upper}")


@settings
class Repair:
    """Repairs of a column's raw values, made in the order below. Every one is counted in the table `quality`.

    All but `winsorise` are made before a value is checked, so that `required`, bounds and `levels` are asked of
    repaired values; lookups, expressions and facts have them, too. Rows in `quarantine` are as they came. The table
    `repairs` has each value that was changed, before and after, of the rows that a night stores or refuses; what only
    trimming has changed is counted alone.

    Attributes:
        trim: of a `string`: white space at both ends is removed, also no-break and other spaces of Unicode. A text of
            CSV of which nothing or a `null_text` remains is missing.
        case: of a `string`: all letters become `lower` or `upper` ones, by Unicode.
        synonyms: value, as in `Column` -> texts that stand for it. They are compared whole, after `trim` and `case`,
            which they and the value go through as well: with `case: upper` both `usa` and `united states` become the
            value `United States` that has the synonym `USA`. Other types than `string` do not look at blanks around.
        numbers: of a `long` or `double`: how its texts are written.
        zone: of a `timestamp`: the IANA zone whose clocks its plain times show, texts without an offset and plain times
            of Parquet and Avro. Where clocks go back, a time that they show twice is the later one: nothing counts as
            known too early. A time that they leave out refuses its row.
        winsorise: of a `long` or `double`: bounds that outlying values are moved to. The column's own `minimum` and
            `maximum` are asked of values before that, so between both a value is moved, and beyond it is refused. NaN
            and infinities are refused.
    """

    trim: bool = False
    case: LetterCase | None = None
    synonyms: dict[str, list[str]] = field(default_factory=dict)
    numbers: Numbers | None = None
    zone: str | None = None
    winsorise: Winsorising | None = None

    def names(self) -> list[str]:
        """The repairs that are declared, in the order in which they are made."""
        return [name for name in _TYPES if getattr(self, name)]

    def steps(self) -> list[str]:
        """Those that are made before the value is checked."""
        return [name for name in self.names() if name != "winsorise"]

    def cased(self, text: str) -> str:
        """A text as `case` leaves it."""
        if self.case is None:
            return text
        return text.lower() if self.case is LetterCase.LOWER else text.upper()

    def meanings(self) -> dict[str, str]:
        """Text, as `trim` and `case` leave it -> the value that it stands for."""
        return {self.cased(text): value for value, texts in self.synonyms.items() for text in (value, *texts)}

    def issues(self) -> Iterator[Issue]:
        """Whether every synonym stands for one value, and the zone exists."""
        meanings = self.meanings()
        for value, texts in self.synonyms.items():
            yield from expect(bool(texts), "synonyms", value, "texts that stand for it")
            for text in (value, *texts):
                meaning, is_bare = meanings[self.cased(text)], text == text.strip(BLANKS)
                yield from expect(meaning == value, "synonyms", text, f"another text: it stands for {meaning!r} too")
                yield from expect(is_bare, "synonyms", text, "a text without white space at its ends")
        yield from expect_zone("zone", self.zone or "UTC")

    def column_issues(self, kind: str, minimum: float | None, maximum: float | None) -> Iterator[Issue]:
        """Repairs that a column does not take.

        Args:
            kind: its type, as a configuration writes it.
            minimum: its lower bound.
            maximum: its upper bound.
        """
        for name in self.names():
            types = _TYPES[name]
            yield from expect(kind in types, f"repair.{name}", kind, f"a column of type {' or '.join(types)}")
        if self.winsorise is None:
            return
        for name, bound in (("minimum", self.winsorise.minimum), ("maximum", self.winsorise.maximum)):
            at = f"repair.winsorise.{name}"
            whole = kind != "long" or bound is None or (isinstance(bound, int) and -(2**63) <= bound < 2**63)
            yield from expect(whole, at, bound, "a whole number of 64 bits: the column is a long")
            is_reached = bound is None or (
                (minimum is None or bound >= minimum) and (maximum is None or bound <= maximum)
            )
            yield from expect(is_reached, at, bound, "a number within the column's own minimum and maximum")
