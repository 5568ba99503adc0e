"""Which columns name a row: the fewest whose values no two different rows share."""

import itertools
import math
import re
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from nightjar.asof.values import Flags, Ints
from nightjar.errors import SourceError
from nightjar.profiling.columns import ColumnProfile, FileProfile
from nightjar.profiling.parsing import codes_of
from nightjar.profiling.raw_file import RawFile
from nightjar.settings.sources import ColumnType

MOST = 4
"""Columns of a key."""
WIDEST = 12
"""Columns that keys are sought among, those with the most values first: of 12 there are 793 sets."""
SAMPLE = 20_000  # rows in which most sets show that they are no key
SHOWN = 4
_IDENTIFIER = re.compile(
    r"(?i:(^|[_\s-])(id|key|code|no|nr|num|number|uuid|guid|sku|ref)($|[_\s-]))|[a-z](Id|ID|Key|Code|No)$"
)
KEYS = (ColumnType.STRING, ColumnType.LONG, ColumnType.BOOLEAN, ColumnType.DATE, ColumnType.TIMESTAMP)


def names_something(column: ColumnProfile) -> bool:
    """Whether values look like names of things rather than amounts: by the column's name, or because they are texts."""
    return column.kind is ColumnType.STRING or column.is_counter() or _IDENTIFIER.search(column.name) is not None


class Codes:
    """The columns of some rows as whole numbers: equal ones for values that `ingest` reads as equal, from 0.

    Attributes:
        is_fact: which rows of the file are facts.
    """

    def __init__(self, raw: RawFile, profile: FileProfile, is_fact: Flags) -> None:
        self.is_fact, self._raw, self._profile = is_fact, raw, profile
        self._of: dict[str, Ints] = {}

    def of(self, name: str) -> Ints:
        """Those of one column. A null is a value like others."""
        if name not in self._of:
            self._of[name] = self._read(name)
        return self._of[name]

    def rows(self, names: Sequence[str], most: int | None = None) -> Ints:
        """The same of rows: equal numbers for rows that are equal in all of these columns."""
        return _combine(self.of(name)[:most] for name in names)

    def whole_rows(self) -> Ints:
        """The same of rows in all columns; no more than two of them are in memory."""
        return _combine(self._read(name) for name in self._profile.columns)

    def example(self, name: str, row: int) -> str:
        """A value of one of the rows, as it stands in the file."""
        column = self._raw.column(name, self._profile.null_text)
        return str(column[int(np.flatnonzero(self.is_fact)[row])].as_py())

    def _read(self, name: str) -> Ints:
        column = self._raw.column(name, self._profile.null_text)
        return codes_of(column, self._profile.columns[name].kind)[self.is_fact]


def find_key(profile: FileProfile, codes: Codes, clocks: Sequence[str]) -> list[str]:
    """The key: of the sets of the fewest columns the likeliest.

    Rows that are equal in every column are one fact, so no key need tell them apart.

    Args:
        profile: what the file holds.
        codes: of the rows that are facts.
        clocks: columns that say when, first the one without which a row is no fact.

    Raises:
        SourceError: no set of so few columns is one. It shows rows that the best of them does not tell apart.
    """
    candidates = [
        one for one in profile.columns.values() if one.kind in KEYS and (one.name in clocks[:1] or not one.nulls)
    ]
    candidates = sorted(candidates, key=lambda column: -column.distinct)[:WIDEST]
    whole = codes.whole_rows()
    all_rows, few = _different(whole), len(np.unique(whole[:SAMPLE]))
    best, most = list[str](), 0
    for names in _sets(candidates, list(profile.columns), clocks):
        if math.prod(profile.columns[name].distinct for name in names) < all_rows:
            continue
        if _different(codes.rows(names, SAMPLE)) < few:
            continue
        if (count := _different(codes.rows(names))) == all_rows:
            return _minimal_key(names, codes, all_rows)
        best, most = (names, count) if count > most else (best, most)
    raise SourceError(_no_key(profile, codes, best or [one.name for one in candidates[:MOST]], all_rows))


def _sets(candidates: Sequence[ColumnProfile], order: Sequence[str], clocks: Sequence[str]) -> Iterator[list[str]]:
    """Sets of columns in the order in which they are tried: what looks like an amount alone is the last resort."""
    names = [name for name in order if name in {column.name for column in candidates}]
    amounts = {column.name for column in candidates if not names_something(column) and column.name not in clocks}
    last = []
    for size in range(1, MOST + 1):
        sets = [list(one) for one in itertools.combinations(names, size)]
        rank = {tuple(one): (len(amounts & set(one)), size > 1 and not set(clocks) & set(one)) for one in sets}
        for one in sorted(sets, key=lambda one: rank[tuple(one)]):
            if size == 1 and set(one) & amounts:
                last.append(one)
            else:
                yield one
    yield from last


def _minimal_key(names: list[str], codes: Codes, all_rows: int) -> list[str]:
    """A key without what it does not need: an amount that tells all rows apart by itself is tried last."""
    for name in names:
        rest = [other for other in names if other != name]
        if rest and _different(codes.rows(rest)) == all_rows:
            return _minimal_key(rest, codes, all_rows)
    return names


def _combine(columns: Iterable[Ints]) -> Ints:
    rows: Ints | None = None
    for codes in columns:
        pairs = codes if rows is None else rows * (int(codes.max(initial=0)) + 1) + codes
        rows = np.unique(pairs, return_inverse=True)[1]
    return np.empty(0, dtype=np.int64) if rows is None else rows


def _different(rows: Ints) -> int:
    """Of whole numbers from 0 without a gap."""
    return int(rows.max(initial=-1)) + 1


def _no_key(profile: FileProfile, codes: Codes, best: Sequence[str], all_rows: int) -> str:
    """Why there is no key, with rows that the best set of columns does not tell apart."""
    rows = codes.rows(best)
    twice = np.flatnonzero(np.bincount(rows)[rows] > 1)
    same = np.flatnonzero(rows == rows[twice[0]])[:SHOWN]
    differing = [name for name in profile.columns if name not in best and len(set(codes.of(name)[same])) > 1]
    names = [*best, *differing[:SHOWN]]
    shown = "; ".join(", ".join(f"{name}={codes.example(name, int(row))}" for name in names) for row in same)
    alone, such = all_rows - _different(rows), f"such as these: {shown}"
    return (
        f"Source of {profile.file.path}: no {MOST} columns or fewer tell all {all_rows:,} different rows apart. The "
        f"nearest, {', '.join(best)}, leave {alone:,} without a name of their own, {such}. Add a column that names "
        "each row, such as its number or the id that it has where it comes from; or leave out the rows that should not "
        "be there. Nothing was written."
    )
