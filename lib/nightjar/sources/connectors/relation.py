"""A table or query of PostgreSQL, at one state of the database: its columns, and the SQL by which rows are read."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from nightjar.sources.connectors.postgresql import DATE, TIMESTAMP, Snapshot, literal, quoted
from nightjar.sources.formats.provenance import PLACE

EVERYTHING = "TRUE"
_CUTS = {
    DATE: "low + ((high - low + 1)::bigint * part / {parts})::int",
    TIMESTAMP: "low + (high - low) * (part::float8 / {parts})",
}
_CUT_OF_NUMBERS = "floor(low + (high::numeric - low + 1) * part / {parts})"
"""Where a part of the range of a column begins, in SQL."""


@dataclass(frozen=True)
class Relation:
    """A table or query, and the state of its database.

    Attributes:
        snapshot: the state.
        rows: what stands for it after FROM.
        columns: name and type of each, as in `Snapshot.columns`.
    """

    snapshot: Snapshot
    rows: str
    columns: Sequence[tuple[str, int]]

    def type_of(self, column: str) -> int:
        """The type of a column, one of `java.sql.Types`."""
        return dict(self.columns)[column]

    def greatest(self, column: str) -> str | None:
        """The greatest value of a column, as text."""
        (value,) = self.snapshot.texts(f"SELECT max({quoted(column)})::text FROM {self.rows}")
        return value

    def select(self, columns: Sequence[str], condition: str, divided_by: str | None) -> str:
        """A table of the texts of some columns, and of the column as `_place` by whose range the rows are divided."""
        values = [f"{quoted(name)}::text AS {quoted(name)}" for name in columns]
        values += [] if divided_by is None else [f"{quoted(divided_by)} AS {quoted(PLACE)}"]
        return f"(SELECT {', '.join(values)} FROM {self.rows} WHERE {condition}) AS item"

    def ranges(self, column: str, parts: int, condition: str) -> list[str]:
        """Conditions on `_place`, of which each row meets one: parts of the range of a column, of equal width.

        Args:
            column: whose range it is.
            parts: how many, where there are so many values.
            condition: that rows meet.
        """
        kind = self.type_of(column)
        cut = _CUTS.get(kind, _CUT_OF_NUMBERS).format(parts=parts)
        name, is_finite = quoted(column), f"isfinite({quoted(column)})" if kind in _CUTS else EVERYTHING
        ends = f"SELECT min({name}) AS low, max({name}) AS high FROM {self.rows}"
        parts_of = f"({ends} WHERE ({condition}) AND {is_finite}) AS ends, generate_series(1, {parts - 1}) AS part"
        begins = self.snapshot.texts(f"SELECT ({cut})::text FROM {parts_of} ORDER BY part")
        cuts = [literal(begin) for begin in dict.fromkeys(begins) if begin is not None]
        if not cuts:
            return [EVERYTHING]
        place = quoted(PLACE)
        between = [f"{place} >= {low} AND {place} < {high}" for low, high in pairwise(cuts)]
        return [f"{place} < {cuts[0]} OR {place} IS NULL", *between, f"{place} >= {cuts[-1]}"]


def look(snapshot: Snapshot, rows: str) -> Relation:
    """A table or query, which stands so after FROM, with its columns."""
    return Relation(snapshot, rows, snapshot.columns(f"SELECT * FROM {rows} LIMIT 0"))


def within(column: str, least: str | None, greatest: str) -> str:
    """A condition: a value is between two, both included, or there is none.

    Args:
        column: name.
        least: as SQL; None: there is no bound.
        greatest: as SQL.
    """
    name = quoted(column)
    at_least = "" if least is None else f"{name} >= {least} AND "
    return f"{at_least}{name} <= {greatest} OR {name} IS NULL"
