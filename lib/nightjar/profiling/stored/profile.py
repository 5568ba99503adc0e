"""A look at the stored facts of a source: what each column holds in each period."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from nightjar.asof.values import Ints
from nightjar.errors import TableError
from nightjar.profiling.stored import periods
from nightjar.profiling.stored.columns import ColumnCounter, ColumnHistory, Kind
from nightjar.profiling.stored.facts import StoredFacts, open_facts
from nightjar.profiling.stored.lowest import Sample
from nightjar.profiling.stored.periods import Periods, day_number, day_of
from nightjar.settings.project import Project
from nightjar.tables.warehouse import Warehouse

MOST_PERIODS = 600


@dataclass(frozen=True)
class Range:
    """Which facts are looked at.

    Attributes:
        run_date: those that nights up to this one have stored; None: all.
        since: first local day; None: that of the last periods there are.
        until: last local day; None: that of the newest fact.

    The last period ends with `until`, or else with the eve of the run date, if facts could have happened after the
    newest one: a week without facts at its weekend is whole then.
    """

    run_date: date | None = None
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True)
class SourceProfile:
    """What a source has stored, over time.

    Attributes:
        source: its name.
        zone: whose days are counted.
        table: the name of its Delta table.
        version: the Delta version that was read.
        run_date: only facts that nights up to this one have stored are looked at; None: all.
        periods: by which the facts are counted, by their `event_time`.
        facts: in each of them; each version of a fact counts.
        all_facts: of the table, in and outside of the periods.
        oldest: local day of the oldest of these.
        newest: local day of the newest.
        columns: what each holds, in the order of the table.
        not_stored: columns that the settings name and the table does not have yet.
        not_in_settings: columns of the table that the settings no longer name.
    """

    source: str
    zone: str
    table: str
    version: int
    run_date: date | None
    periods: Periods
    facts: Ints
    all_facts: int
    oldest: date
    newest: date
    columns: tuple[ColumnHistory, ...]
    not_stored: tuple[str, ...]
    not_in_settings: tuple[str, ...]


def profile_source(warehouse: Warehouse, project: Project, source: str, within: Range) -> SourceProfile:
    """Look at the stored facts of a source, in two passes over its table: one over the clock, one over all columns.

    Raises:
        TableError: no facts are stored yet, or the table cannot be read.
        TableError: there are no facts in the range, or it has too many periods.
    """
    stored = open_facts(warehouse, source, project.zone, within.run_date)
    days, facts = stored.days()
    chosen = _choose(source, days, facts, within)
    if within.until is not None:
        chosen = chosen.extend(within.until)
    elif within.run_date is not None:
        chosen = chosen.extend(within.run_date - timedelta(days=1))
    counted, columns = _count(stored, chosen)
    expected, names = project.sources[source].stored_columns(), stored.columns
    return SourceProfile(
        source=source,
        zone=project.zone,
        table=stored.snapshot.table,
        version=stored.snapshot.version,
        run_date=within.run_date,
        periods=chosen,
        facts=counted,
        all_facts=int(facts.sum()),
        oldest=day_of(int(days[0])),
        newest=day_of(int(days[-1])),
        columns=columns,
        not_stored=tuple(name for name in expected if name not in names),
        not_in_settings=tuple(one.name for one in columns if one.name not in (*expected, "known_at")),
    )


def _choose(source: str, days: Ints, facts: Ints, within: Range) -> Periods:
    """The periods of the range that facts lie in."""
    if not len(days):
        of_nights = f" that nights up to {within.run_date} have stored" if within.run_date else ""
        raise TableError(f"Source {source}: there are no facts{of_nights}.")
    if within.since is None and within.until is None:
        return periods.latest(days, facts)
    since = days[0] if within.since is None else day_number(within.since)
    until = days[-1] if within.until is None else day_number(within.until)
    inside = (days >= since) & (days <= until)
    if not inside.any():
        limits = " ".join(f"{name}={day}" for name, day in (("since", within.since), ("until", within.until)) if day)
        raise TableError(
            f"Source {source}: no fact happened in the range {limits}. Its {facts.sum():,} facts happened from "
            f"{day_of(int(days[0]))} to {day_of(int(days[-1]))}: expected a range with some of these days."
        )
    if within.since is None:
        return periods.latest(days[inside], facts[inside])
    chosen = periods.divide(day_of(int(days[inside][0])), day_of(int(days[inside][-1])))
    if len(chosen) > MOST_PERIODS:
        raise TableError(
            f"Source {source}: its facts from {chosen.since} to {chosen.until} are of {len(chosen):,} months, expected "
            f"at most {MOST_PERIODS}: give a later since or an earlier until."
        )
    return chosen


def _count(stored: StoredFacts, chosen: Periods) -> tuple[Ints, tuple[ColumnHistory, ...]]:
    """Facts of each period, and what each column holds there."""
    names = stored.columns
    counters = [ColumnCounter(stored.snapshot.schema.field(name), len(chosen)) for name in names]
    numeric = [counter for counter in counters if counter.kind is Kind.NUMBER]
    facts = np.zeros(len(chosen), np.int64)
    sample = Sample(len(chosen), len(numeric))
    for numbers, columns in stored.batches(chosen, names):
        facts += np.bincount(numbers, minlength=len(chosen))
        values = [counter.add(numbers, column) for counter, column in zip(counters, columns, strict=True)]
        sample.add(numbers, [one for one in values if one is not None])
    places = {id(counter): place for place, counter in enumerate(numeric)}
    return facts, tuple(counter.history(facts, sample, places.get(id(counter), -1)) for counter in counters)
