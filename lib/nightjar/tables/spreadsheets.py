"""Texts in CSV files that people open in a spreadsheet."""

import re

_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_NUMBER = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)*(?:[eE][+-]?[0-9]+)?")


def escape(text: str) -> str:
    """A field for a text: with an apostrophe before it where a spreadsheet would take it for a formula.

    One that has apostrophes before such a sign gets one more.

    Example:
        >>> [escape(text) for text in ("=1+1", "'=1+1", "-1.5", "O'Hara")]
        ["'=1+1", "''=1+1", '-1.5', "O'Hara"]
    """
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def unescape(field: str) -> str:
    """The text of a field that `escape` gave."""
    return field[1:] if field.startswith("'") and _FORMULA.match(field) else field
