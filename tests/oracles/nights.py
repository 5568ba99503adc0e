"""What a source's table holds after some nights, each of which reads everything there is: slow, and plain to see."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

Key = tuple[Any, ...]


@dataclass(frozen=True)
class Row:
    """A row as it lies at its source: when it states to be known, and its other values."""

    stated: datetime
    values: tuple[Any, ...]


@dataclass(frozen=True)
class Version:
    """A stored version of a fact."""

    key: Key
    stated: datetime
    values: tuple[Any, ...]
    known_at: datetime
    ingested_on: date


def facts(runs: Sequence[tuple[date, Mapping[Key, Row]]], cutoffs: Mapping[date, datetime]) -> list[Version]:
    """The stored versions after runs of different nights, in the order in which they were run.

    A night that is run again replaces what it has stored.

    Args:
        runs: run date, and the rows that there were when it ran first.
        cutoffs: of each run date.
    """
    stored: list[Version] = []
    finished: list[date] = []
    for run_date, rows in runs:
        stored = [one for one in stored if one.ingested_on != run_date]
        previous = max((cutoffs[one] for one in finished if one < run_date), default=None)
        for key, row in rows.items():
            if row.stated > cutoffs[run_date]:
                continue
            others = [one for one in stored if (one.key, one.stated) == (key, row.stated)]
            as_of_night = [one for one in others if one.known_at <= cutoffs[run_date]]
            latest = [max(some, key=lambda one: one.known_at) for some in (others, as_of_night) if some]
            if any(one.values == row.values for one in latest):
                continue
            is_late = previous is not None and row.stated <= previous
            known_at = cutoffs[run_date] if is_late else row.stated
            stored.append(Version(key, row.stated, row.values, known_at, run_date))
        finished.append(run_date)
    return stored
