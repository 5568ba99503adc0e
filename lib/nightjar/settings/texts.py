"""What texts of a type look like, in raw files and in settings; what each means is told by `Column`."""

import math
import re
from collections.abc import Callable, Collection, Iterator
from datetime import UTC, date, datetime, timedelta

from nightjar.settings.checks import Issue, expect
from nightjar.settings.sources import Column, ColumnType, Source

_YEAR = "(?:[0-9]{3}[1-9]|[0-9]{2}[1-9]0|[0-9][1-9]00|[1-9]000)"  # not 0000
_DAY = rf"{_YEAR}-[0-9]{{2}}-[0-9]{{2}}"
_ZONE = r" ?(Z|UTC|[+-][0-9]{2}(:?[0-5][0-9])?)"
_TIME = "[0-9]{2}:[0-9]{2}"
_SECONDS = ":[0-9]{2}([.][0-9]{1,6}0{0,3})?"
FORMS = {
    ColumnType.LONG: "[+-]?[0-9]+",
    ColumnType.BOOLEAN: "(?i:true|false|t|f|yes|no|y|n|1|0)",
    ColumnType.DOUBLE: r"[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?|[+-]?(?i:inf|infinity)|(?i:nan)",
    ColumnType.DATE: _DAY,
    ColumnType.TIMESTAMP: rf"{_DAY}([ T]{_TIME}({_SECONDS}({_ZONE})?)?)?",
}
"""Allowed texts, without blanks around them, for types whose cast by Spark accepts more, such as `12:00` or `1.5d`.

Java, Arrow (RE2) and Python understand them alike: `profiling` proposes types by the same forms."""
PLAIN_TIME = rf"{_DAY}([ T]{_TIME}({_SECONDS})?)?"
"""A timestamp without an offset."""
FINER = rf"{_DAY}[ T]{_TIME}:[0-9]{{2}}[.][0-9]{{6,8}}[1-9]0{{0,2}}({_ZONE})?"
"""A moment finer than a microsecond."""
_EXPECTED = {
    ColumnType.LONG: "a whole number of 64 bits, as in -12",
    ColumnType.BOOLEAN: "true or false",
    ColumnType.DOUBLE: "a number, as in -1.5e3",
    ColumnType.DATE: "a day of the calendar, as in 2024-01-31",
    ColumnType.TIMESTAMP: "an instant with its day, as in 2024-01-31 06:00:00",
}
_MOST_OFFSET = timedelta(hours=18)  # from UTC, as Java has it


def parse(text: str, kind: ColumnType) -> object:
    """The value of a text as a type: whole numbers as int, instants in UTC.

    Raises:
        ValueError: the text has not the form of the type, or is no value, such as the 30th of February.
    """
    if kind is ColumnType.STRING:
        return text
    bare = text.strip(" \t")
    if re.fullmatch(FORMS[kind], bare) is None:
        raise ValueError(f"{text!r} has not the form of a {kind}")
    return _PARSE[kind](bare)


def text_issues(path: str, source: Source) -> Iterator[Issue]:
    """Levels of a column, what a lookup's `missing` gives, and values of synonyms and gates, that are no texts of their
    types; and synonyms that no text of a file can be.

    Args:
        path: key path of the source.
        source: its settings.
    """
    missing_texts = frozenset() if source.file is None else source.file.missing_texts
    for name, column in source.columns.items():
        for level in column.levels:
            yield from _issues_of(f"{path}.columns.{name}.levels", level, column.type)
        yield from _synonym_issues(f"{path}.columns.{name}.repair.synonyms", column, missing_texts)
    types = {name: column.type for name, column in source.columns.items()}
    for name, lookup in source.lookups.items():
        texts_of: dict[object, str] = {}
        for key, texts in lookup.missing.items():
            where, kind = f"{path}.lookups.{name}.missing", types[lookup.key]
            unread = list(_issues_of(f"{where}.{key}", key, kind))
            yield from unread
            twin = key if unread else texts_of.setdefault(parse(key, kind), key)
            yield from expect(twin == key, where, key, f"another key: as a {kind} it equals {twin!r}")
            for new_name, text in texts.items():
                yield from _issues_of(f"{where}.{key}.{new_name}", text, lookup.types[new_name])
        types |= lookup.types
    for name, gate in source.gates.items():
        for part, words in (("values", gate.values), ("population", list(gate.population))):
            for text in words if gate.column in types else []:
                yield from _issues_of(f"{path}.gates.{name}.{part}", text, types[gate.column or ""])


def _synonym_issues(path: str, column: Column, missing_texts: Collection[str]) -> Iterator[Issue]:
    for value, texts in column.repair.synonyms.items():
        yield from _issues_of(path, value, column.type)
        for text in texts:
            expected = "another text: this one stands for a missing value in the file"
            yield from expect(text not in missing_texts, path, text, expected)


def _issues_of(path: str, text: str, kind: ColumnType) -> Iterator[Issue]:
    try:
        parse(text, kind)
    except (ValueError, OverflowError):
        yield Issue(path, text, f"{_EXPECTED[kind]}: the column is a {kind}")


def _long(bare: str) -> int:
    number = int(bare)
    if not -(2**63) <= number < 2**63:
        raise ValueError(f"{bare} does not fit into 64 bits")
    return number


def _double(bare: str) -> float:
    number = float(bare)
    if math.isinf(number) and "n" not in bare.lower():
        raise ValueError(f"{bare} is too large")
    return number


def _instant(bare: str) -> datetime:
    there = datetime.fromisoformat(re.sub(r" (?=[+-])", "", re.sub(" ?(Z|UTC)$", "+00:00", bare)))
    offset = there.utcoffset() or timedelta()
    if abs(offset) > _MOST_OFFSET:
        raise ValueError(f"{bare} is too far from UTC")
    return (there.replace(tzinfo=None) - offset).replace(tzinfo=UTC)


_PARSE: dict[ColumnType, Callable[[str], object]] = {
    ColumnType.LONG: _long,
    ColumnType.DOUBLE: _double,
    ColumnType.BOOLEAN: lambda bare: bare[0] in "tTyY1",
    ColumnType.DATE: date.fromisoformat,
    ColumnType.TIMESTAMP: _instant,
}
