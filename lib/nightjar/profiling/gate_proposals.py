"""Gates that a raw file passes as it is, with room for what comes, and what was seen of each."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from nightjar.profiling.columns import ColumnProfile
from nightjar.profiling.proposal import Proposal
from nightjar.profiling.terminal import format_value
from nightjar.settings.gates import GateCheck
from nightjar.settings.sources import ColumnType

MOST = 12
"""Gates of columns: of more nobody would read the warnings."""
ROWS_OF_LEVEL = 20
"""Rows for each different text of a column, on average, for it to be taken for one of a few words."""
ROOM = 0.5
"""What lies beyond the least and the greatest number by so much of their distance is none of the column."""
SOME, MANY = 0.01, 0.5
"""Shares of nulls between which it is worth a warning that there are more, or fewer."""


@dataclass(frozen=True)
class GateProposal:
    """A gate, with severity `warn`.

    Attributes:
        name: of the gate.
        settings: its keys, in words.
        observed: what the file holds.
    """

    name: str
    settings: Mapping[str, Any]
    observed: str


def propose_gates(proposal: Proposal) -> list[GateProposal]:
    """Gates of the source as a whole, then those of its columns, up to `MOST`."""
    of_columns = [gate for column in _columns(proposal) for gate in _of_column(proposal, column)]
    return [*_of_source(proposal), *of_columns[:MOST]]


def _columns(proposal: Proposal) -> list[ColumnProfile]:
    """What features are made of, then all others; without key and clocks, which are required anyway."""
    measures = [column.name for column in proposal.measures]
    clocks = proposal.clocks
    times = {clocks.event.column, *([clocks.known_at_clock.column] if clocks.known_at_clock else [])}
    names = dict.fromkeys([*measures, *proposal.profile.columns])
    return [proposal.profile.columns[name] for name in names if name not in {*proposal.key, *times}]


def _of_source(proposal: Proposal) -> Iterator[GateProposal]:
    dates, rows = proposal.dates, proposal.profile.rows
    key = [proposal.names[name] for name in proposal.key]
    yield GateProposal("unique_key", {"check": GateCheck.UNIQUE.word, "columns": key}, "every fact has its own")
    days = (dates.newest - dates.first).days + 1
    if dates.quiet <= MANY * days:
        yield GateProposal("volume", {"check": GateCheck.VOLUME.word}, f"{rows / (days - dates.quiet):,.0f} rows a day")
    longest = dates.longest_gap
    age = 2 * longest + proposal.clocks.lateness
    observed = "a fact on every date" if longest == 1 else f"never more than {longest} days from one fact to the next"
    yield GateProposal("freshness", {"check": GateCheck.FRESHNESS.word, "max_age": f"{age}d"}, observed)


def _of_column(proposal: Proposal, column: ColumnProfile) -> Iterator[GateProposal]:
    """The gates of one column. Whom facts are about is no word of few: others will come."""
    name = proposal.names[column.name]
    missing = column.nulls + column.not_finite
    if not missing:
        observed = f"all {column.rows:,} rows have a value"
        yield GateProposal(f"{name}_not_null", {"check": GateCheck.NOT_NULL.word, "column": name}, observed)
    elif SOME <= missing / column.rows <= MANY:
        observed = f"{missing / column.rows:.1%} of the rows have no value"
        yield GateProposal(f"{name}_null_share", {"check": GateCheck.NULL_SHARE.word, "column": name}, observed)
    is_word = column.levels and column.name not in proposal.entity
    if is_word and column.rows >= ROWS_OF_LEVEL * column.distinct > ROWS_OF_LEVEL:
        settings: dict[str, Any] = {
            "check": GateCheck.ACCEPTED_VALUES.word,
            "column": name,
            "values": list(column.levels),
        }
        yield GateProposal(f"{name}_accepted_values", settings, f"the {column.distinct} different texts")
    bounds = _bounds(column)
    if bounds is not None:
        settings = {"check": GateCheck.BETWEEN.word, "column": name, "minimum": bounds[0], "maximum": bounds[1]}
        observed = f"{format_value(column.least)} to {format_value(column.greatest)}"
        yield GateProposal(f"{name}_between", settings, observed)


def _bounds(column: ColumnProfile) -> tuple[float, float] | None:
    """Round numbers beyond the least and the greatest, and not below 0 where none is; None where there are no two."""
    is_number = column.kind in (ColumnType.LONG, ColumnType.DOUBLE)
    if not is_number or column.not_finite or column.least is None or column.least == column.greatest:
        return None
    least, greatest = float(column.least), float(column.greatest)
    room = ROOM * (greatest - least)
    if not room or not math.isfinite(greatest + room) or not math.isfinite(least - room):
        return None
    digits = 1 - math.floor(math.log10(room))
    step = 10.0**-digits
    low = round(math.floor((least - room) / step) * step, digits)
    high = round(math.ceil((greatest + room) / step) * step, digits)
    return _plain(max(low, 0.0) if least >= 0 else low), _plain(high)


def _plain(number: float) -> float:
    """A whole number without a point."""
    return int(number) if number.is_integer() else number
