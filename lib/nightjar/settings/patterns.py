"""Patterns of dates and timestamps, a part of those that Spark and Java have, as regular expressions."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

from nightjar.settings.checks import Issue, expect

_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_FORMS = {
    # Not the year 0.
    "yyyy": "(?:[0-9]{3}[1-9]|[0-9]{2}[1-9]0|[0-9][1-9]00|[1-9]000)",
    **dict.fromkeys(("yy", "MM", "dd", "HH", "hh", "mm", "ss"), "[0-9]{2}"),
    **dict.fromkeys(("M", "d", "H", "h"), "[0-9]{1,2}"),
    "MMM": f"(?i:{'|'.join(_MONTHS)})",
    "a": "(?i:am|pm)",
    **{"S" * digits: f"[0-9]{{{digits}}}" for digits in range(1, 7)},
    "X": "(?:Z|[+-][0-9]{2})",
    "XX": "(?:Z|[+-][0-9]{4})",
    "XXX": "(?:Z|[+-][0-9]{2}:[0-9]{2})",
}
"""Part -> the texts that it stands for."""
_NUMERIC = tuple(part for part in _FORMS if part != "MMM" and part[0] in "yMdHhmsS")
_DIGITS = {part: (len(part), len(part) if part[0] == "S" else max(len(part), 2)) for part in _NUMERIC}
"""Least and most digits of a number."""
_PART = re.compile(r"'(?P<quoted>(?:[^']|'')*)'|(?P<letters>(?P<letter>[A-Za-z])(?P=letter)*)|(?P<sign>.)", re.DOTALL)
_RESERVED = "[]{}#'"


@dataclass(frozen=True)
class _Part:
    """A part of a pattern: letters that stand for something, or a text that stands for itself."""

    letters: str
    text: str


def form(pattern: str) -> str:
    """The texts that have a pattern, as a regular expression that Java and Python understand alike.

    Raises:
        ValueError: the pattern has a part that is not read.
    """
    return "".join(_FORMS[part.letters] if part.letters else re.escape(part.text) for part in _parts(pattern))


def has_offset(pattern: str) -> bool:
    """Whether texts that have a pattern name their offset from UTC.

    Raises:
        ValueError: the pattern has a part that is not read.
    """
    return any(part.letters.startswith("X") for part in _parts(pattern))


def issues(field: str, patterns: Sequence[str], *, with_times: bool) -> Iterator[Issue]:
    """Patterns that are not read, name no day, or of which two read the same text in two ways."""
    readable = list[str]()
    for pattern in patterns:
        problem = _problem(pattern, with_times=with_times)
        yield from expect(problem is None, field, pattern, problem or "")
        readable += [] if problem else [pattern]
    for one, other in combinations(readable, 2):
        expected = f"another form: some texts could be {one} as well"
        yield from expect(not _overlap(_parts(one), _parts(other)), field, other, expected)


def _problem(pattern: str, *, with_times: bool) -> str | None:
    """What is expected of a pattern, where it is not so."""
    try:
        parts = _parts(pattern)
    except ValueError as error:
        return str(error)
    kinds = [part.letters[0] for part in parts if part.letters]
    times = set(kinds) - {"y", "M", "d"}
    needs = {"m": "Hh", "s": "m", "S": "s", "X": "Hh", "h": "a", "a": "h"}
    lone = [kind for kind in times if kind in needs and not times & set(needs[kind])]
    narrow = {"M", "d", "H", "h"}
    expected = {
        "each part once": len(set(kinds)) == len(kinds),
        "a pattern with year, month and day, as dd/MM/yyyy": {"y", "M", "d"} <= set(kinds),
        "a pattern of a date alone; one with a time belongs to timestamp_formats": with_times or not times,
        "HH:mm:ss, or hh:mm:ss with a for AM and PM, with nothing left out between": not lone
        and not {"H", "h"} <= times,
        "two digits (MM, dd, HH, hh) where no other sign stands between two numbers": not any(
            {before.letters, after.letters} & narrow for before, after in _adjacent(parts)
        ),
    }
    return next((words for words, is_so in expected.items() if not is_so), None)


def _parts(pattern: str) -> list[_Part]:
    parts = list[_Part]()
    for match in _PART.finditer(pattern):
        letters, sign, quoted = match["letters"], match["sign"], match["quoted"]
        if letters:
            if letters not in _FORMS:
                raise ValueError(f"parts that are read, not {letters}: {', '.join(_FORMS)}; other letters in quotes")
            parts.append(_Part(letters, ""))
        elif sign is not None:
            if sign in _RESERVED:
                raise ValueError(f"a pattern without {sign} outside quotes")
            parts.append(_Part("", sign))
        else:
            parts.append(_Part("", quoted.replace("''", "'") or "'"))
    return parts


def _adjacent(parts: Sequence[_Part]) -> Iterator[tuple[_Part, _Part]]:
    """Numbers between which nothing stands."""
    return ((one, other) for one, other in pairwise(parts) if one.letters in _NUMERIC and other.letters in _NUMERIC)


def _overlap(one: Sequence[_Part], other: Sequence[_Part]) -> bool:
    """Whether some text may have both patterns: the same signs, with numbers of the same lengths between them."""
    ours, theirs = _runs(one), _runs(other)
    if [run for run in ours if isinstance(run, str)] != [run for run in theirs if isinstance(run, str)]:
        return False
    if [isinstance(run, str) for run in ours] != [isinstance(run, str) for run in theirs]:
        return False
    lengths = [(a, b) for a, b in zip(ours, theirs, strict=True) if not isinstance(a, str) and not isinstance(b, str)]
    return all(a[0] <= b[1] and b[0] <= a[1] for a, b in lengths)


def _runs(parts: Sequence[_Part]) -> list[str | tuple[int, int]]:
    """A pattern as signs, and least and most digits of the numbers between them."""
    runs = list[str | tuple[int, int]]()
    for part in parts:
        if part.letters not in _NUMERIC:
            runs.append(part.text or f"{part.letters[0]}?")
            continue
        least, most = _DIGITS[part.letters]
        before = runs[-1] if runs else ""
        if isinstance(before, str):
            runs.append((least, most))
        else:
            runs[-1] = (before[0] + least, before[1] + most)
    return runs
