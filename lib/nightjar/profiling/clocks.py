"""When the facts of a raw file happened, when they could have been known, and whose days these are."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import available_timezones

import numpy as np

from nightjar.asof.values import Ints
from nightjar.errors import SourceError, UsageError
from nightjar.profiling.clock_columns import NEVER, ClockColumn, clock_column_of
from nightjar.profiling.columns import FileProfile
from nightjar.profiling.names import unused
from nightjar.profiling.raw_file import RawFile
from nightjar.profiling.remarks import Remark

MOST_LATE = 7
MOST_NULLS = 0.2
"""A column with a greater share of nulls is no clock by itself."""
_HAPPENED = re.compile(
    r"(?i)time|date|day|stamp|when|(^|[_\s])(at|ts|on)($|[_\s])|[a-z]At$|start|begin|happen|occur|event"
)
_KNOWN_AT_NAME = re.compile(
    r"(?i)known|receiv|ingest|load|insert|import|record|publish|report|process|arriv|updat|modif|avail"
)
_NOT_YET = re.compile(
    r"(?i)birth|born|dob|expir|valid|until|due|next|plan|schedul|deliver|return|cancel|clos|end|finish|drop"
)
"""What names of columns say: when a fact happened, when it was known, and neither."""


@dataclass(frozen=True)
class Clocks:
    """The two clocks of a source.

    Attributes:
        event: the column that says when a fact happened.
        known_at_clock: the one that says when it could be known; None: the same.
        zone: whose days these are.
        moment: of each row, when it happened: microseconds since 1970, `NEVER` where nobody knows.
        day: the date of that in the zone, as days since 1970.
        lateness: days by which nearly all facts are known after they happen, and a week at most.
        remarks: how `event_time`, `known_at` and `zone` were chosen.
    """

    event: ClockColumn
    known_at_clock: ClockColumn | None
    zone: str
    moment: Ints
    day: Ints
    lateness: int = 0
    remarks: Mapping[str, Remark] = field(default_factory=dict)


def decide(
    raw: RawFile,
    profile: FileProfile,
    *,
    clock: str | None = None,
    known_at: str | None = None,
    zone: str | None = None,
) -> Clocks:
    """The clocks of a file: those that are given, else the likeliest.

    Args:
        raw: the file.
        profile: what it holds.
        clock: the column that says when a fact happened.
        known_at: the one that says when it could be known.
        zone: whose days these are, and the times that have no offset.

    Raises:
        SourceError: no column can be a clock.
        UsageError: one that is given is none, or there is no such zone.
    """
    if zone is not None and zone not in available_timezones():
        raise UsageError(
            f"--zone: found {zone!r}, expected an IANA time zone such as Europe/Paris. Nothing was written."
        )
    moments = (clock_column_of(column, raw, profile.null_text) for column in profile.columns.values())
    candidates = {one.column: one for one in moments if one is not None}
    event = _require_clock("--clock", clock, candidates, profile) if clock else _choose_clock(candidates, profile)
    home, of_zone = (zone, Remark("as given")) if zone else _choose_zone(event, candidates, profile)
    moment, day = event.of(raw.column(event.column, profile.null_text), home)
    others = [name for name in candidates if name != event.column]
    of_event = _explain_event(
        event, profile, [name for name in others if name != known_at], is_requested=clock is not None
    )
    known_at_clock, of_known_at = _choose_known_at(raw, profile, candidates, event, moment, home, known_at)
    late = (
        0
        if known_at_clock is None
        else _lateness(day, known_at_clock.of(raw.column(known_at_clock.column, profile.null_text), home)[1])
    )
    remarks = {"event_time": of_event, "known_at": of_known_at, "zone": of_zone}
    return Clocks(event, known_at_clock, home, moment, day, late, remarks)


def sql(clocks: Clocks, names: Mapping[str, str]) -> tuple[str, str, dict[str, str]]:
    """The columns for `event_time` and `known_at`, and Spark SQL for those of them that are derived.

    Args:
        clocks: as decided.
        names: column of the file -> the name it is stored under.
    """
    derived = dict[str, str]()
    event = _column(clocks.event, clocks.zone, names, derived, is_known_at=False)
    is_over = clocks.known_at_clock is None and clocks.event.is_day
    known_at_clock = clocks.event if is_over else clocks.known_at_clock
    if known_at_clock is None:
        return event, event, derived
    return event, _column(known_at_clock, clocks.zone, names, derived, is_known_at=True), derived


def _column(
    clock: ClockColumn, zone: str, names: Mapping[str, str], derived: dict[str, str], *, is_known_at: bool
) -> str:
    stored = names[clock.column]
    if clock.is_day:
        # Noon lies between the midnights that are predicted at; a day is known when it is over.
        noon, over = (
            f"CAST({clock.sql} AS TIMESTAMP) + INTERVAL 12 HOURS",
            f"CAST(date_add({clock.sql}, 1) AS TIMESTAMP)",
        )
        expression, name = (
            f"to_utc_timestamp({over if is_known_at else noon}, '{zone}')",
            "over" if is_known_at else "noon",
        )
    elif not clock.is_absolute and zone != "UTC":
        expression, name = f"to_utc_timestamp({clock.sql}, '{zone}')", "utc"
    elif clock.is_of_its_own():
        return stored
    else:
        expression, name = clock.sql, "utc"
    column = unused(f"{stored}_{name}", [*names, *names.values()])
    derived[column] = expression
    return column


def _require_clock(option: str, name: str, candidates: Mapping[str, ClockColumn], profile: FileProfile) -> ClockColumn:
    if name in candidates:
        return candidates[name]
    if name not in profile.columns:
        raise UsageError(
            f"{option}: found {name!r}, expected one of the columns {list(profile.columns)}. Nothing was written."
        )
    examples = ", ".join(profile.columns[name].examples)
    raise UsageError(
        f"{option}: the column {name} holds {examples}, which are neither instants nor days ({_forms()}). Nothing was "
        "written."
    )


def _choose_clock(candidates: Mapping[str, ClockColumn], profile: FileProfile) -> ClockColumn:
    whole = [name for name in candidates if profile.columns[name].nulls <= MOST_NULLS * profile.rows]
    if not whole:
        with_nulls = [
            f"{name} ({profile.columns[name].nulls:,} of {profile.rows:,} rows have none)" for name in candidates
        ]
        examples = [f"{name}: {column.examples[0]}" for name, column in profile.columns.items()]
        seen = f"only {', '.join(with_nulls)}" if candidates else f"none of {'; '.join(examples)}"
        advice = " Name one all the same with --clock; rows without it are no facts." if candidates else ""
        raise SourceError(
            f"Source of {profile.file.path}: no column says when its facts happened, {seen}. Expected instants or days "
            f"({_forms()}): without them nobody can tell what was known when, and the file is refused.{advice} If "
            "several columns say it together, such as a day and a time, write them as one. Nothing was written."
        )
    return candidates[min(whole, key=lambda name: _rank(candidates[name], profile))]


def _rank(moment: ClockColumn, profile: FileProfile) -> tuple[bool, bool, bool, bool, int]:
    name = moment.column
    later = _NOT_YET.search(name) is not None or _KNOWN_AT_NAME.search(name) is not None
    has_nulls = profile.columns[name].nulls > 0
    return later, has_nulls, _HAPPENED.search(name) is None, moment.is_day, list(profile.columns).index(name)


def _explain_event(event: ClockColumn, profile: FileProfile, others: list[str], *, is_requested: bool) -> Remark:
    parts = ["as given"] if is_requested else [f"of {event.column}, {'the likeliest' if others else 'the only'} clock"]
    parts += [f"others: {', '.join(others)}"] if others else []
    parts += ["a day counts at its noon, between the midnights that are predicted at"] if event.is_day else []
    parts += [event.doubt] if event.doubt else []
    nulls = profile.columns[event.column].nulls
    parts += [f"rows without it are no facts ({nulls:,} of {profile.rows:,})"] if nulls else []
    return Remark("; ".join(parts), is_open=bool((others and not is_requested) or event.doubt or nulls))


def _choose_known_at(
    raw: RawFile,
    profile: FileProfile,
    candidates: Mapping[str, ClockColumn],
    event: ClockColumn,
    moment: Ints,
    zone: str,
    requested: str | None,
) -> tuple[ClockColumn | None, Remark]:
    """The column that says when a fact could be known, and never says that it was before it happened."""
    if requested:
        return _require_clock("--known-at", requested, candidates, profile), Remark("as given")
    for name in (name for name in candidates if name != event.column and _KNOWN_AT_NAME.search(name)):
        other = candidates[name].of(raw.column(name, profile.null_text), zone)[0]
        both = (moment != NEVER) & (other != NEVER)
        if candidates[name].is_day == event.is_day and both.any() and (other[both] >= moment[both]).all():
            why = f"{name} is named like it, and no row has it before {event.column}"
            return candidates[name], Remark(f"{why}; is it when you could have known the row?", is_open=True)
    if event.is_day:
        return None, Remark("a day's facts are taken to be known when it is over; do yours come later?", is_open=True)
    return None, Remark("facts are taken to be known when they happen; do yours come later?", is_open=True)


def _lateness(happened: Ints, known_at: Ints) -> int:
    """From one date to another, of 99.9% of the facts that have both."""
    both = (happened != NEVER) & (known_at != NEVER)
    late = np.clip(known_at[both] - happened[both], 0, MOST_LATE)
    return int(np.quantile(late, 0.999, method="inverted_cdf")) if len(late) else 0


def _choose_zone(event: ClockColumn, candidates: Mapping[str, ClockColumn], profile: FileProfile) -> tuple[str, Remark]:
    by_column: dict[str, Any] = {name: profile.columns[name].zone for name in (event.column, *candidates)}
    zones = {name: zone for name, zone in by_column.items() if zone}
    if zones and next(iter(zones.values())) != "UTC":
        name, zone = next(iter(zones.items()))
        return zone, Remark(f"whose clocks {name} shows; others may show the same", is_open=True)
    if by_column[event.column] is not None:
        return "UTC", Remark("the file's instants do not say where their days begin: in which zone?", is_open=True)
    return "UTC", Remark("the file says no zone: whose midnights part its days?", is_open=True)


def _forms() -> str:
    return "2024-03-31, 2024-03-31 06:00:00, 2024-03-31T06:00:00+02:00, 03/31/2024, 31.03.2024 06:00, 20240331"
