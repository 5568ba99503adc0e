"""A project made of what a raw file holds: every decision with its reason, and whether a person must check it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import PurePath

import numpy as np

from nightjar.asof.values import Flags, Ints
from nightjar.errors import UsageError
from nightjar.profiling import clocks as clock_choice
from nightjar.profiling.activity import Facts, facts_of
from nightjar.profiling.clock_columns import NEVER
from nightjar.profiling.clocks import Clocks
from nightjar.profiling.columns import ColumnProfile, FileProfile
from nightjar.profiling.entities import entity_of
from nightjar.profiling.feature_columns import feature_columns_of
from nightjar.profiling.keys import Codes, find_key
from nightjar.profiling.label_proposals import LabelProposal, active_within, propose_label
from nightjar.profiling.names import plain, stored_names
from nightjar.profiling.parsing import flags
from nightjar.profiling.raw_file import RawFile
from nightjar.profiling.remarks import Remark
from nightjar.settings.checks import expect_names
from nightjar.settings.sources import ColumnType

NIGHTS = 3
MOST_SPINE_ROWS = 200_000
"""Rows that are trained on, about; of more a sample is proposed."""
FAR = 365
"""Days without a fact that part a few wrong dates from all others."""


@dataclass(frozen=True)
class Dates:
    """The dates of a project.

    Attributes:
        first: of its facts.
        newest: of its facts.
        quiet: dates between them without one.
        longest_gap: days from one date with a fact to the next one, at most.
        remark: what is odd about them.
    """

    first: date
    newest: date
    quiet: int
    longest_gap: int
    remark: Remark | None

    def first_night(self) -> date:
        """The first of the nights of which the last one knows all facts."""
        return self.newest - timedelta(days=NIGHTS - 2)

    def history_until(self) -> date:
        """The night that trains."""
        return self.first_night() - timedelta(days=1)


@dataclass(frozen=True)
class Proposal:
    """What is written of a project.

    Attributes:
        name: of the project.
        source: name of its source.
        profile: what the file holds.
        names: column of the file -> the name it is stored under.
        clocks: of its facts.
        key: columns that name a fact.
        entity: columns of the spine's key; none: one thing.
        within: days that an entity is active for.
        measures: columns that features are made of.
        unused: others that could be.
        label_proposals: name of a project -> its label. The projects share source and features.
        dates: of all of them.
        spine_rows: of an ACTIVE spine of all dates.
        remarks: what -> why.
    """

    name: str
    source: str
    profile: FileProfile
    names: Mapping[str, str]
    clocks: Clocks
    key: Sequence[str]
    entity: Sequence[str]
    within: int
    measures: Sequence[ColumnProfile]
    unused: Sequence[str]
    label_proposals: Mapping[str, LabelProposal]
    dates: Dates
    spine_rows: int
    remarks: Mapping[str, Remark] = field(default_factory=dict)


def source_name(path: str) -> str:
    """A source's name, after that of its file."""
    return plain(PurePath(path).name.split(".")[0])


def propose(
    raw: RawFile,
    profile: FileProfile,
    name: str,
    labels: Sequence[str] = (),
    *,
    clock: str | None = None,
    known_at: str | None = None,
    zone: str | None = None,
) -> Proposal:
    """Decide on a project.

    Args:
        raw: the file.
        profile: what it holds.
        name: of the project; with several labels, each has one of its own, named <name>_<label>.
        labels: columns that are asked about; none: whether there is a fact again.
        clock: see `clocks.decide`.
        known_at: likewise.
        zone: likewise.

    Raises:
        SourceError: no clock, no key, or too few dates.
        UsageError: a name is no plain identifier, or no such column can be asked about.
    """
    require_name(name)
    unknown = [label for label in labels if label not in profile.columns]
    if unknown:
        raise UsageError(
            f"--label: found {unknown[0]!r}, expected one of the columns {list(profile.columns)}. Nothing was written."
        )
    clocks = clock_choice.decide(raw, profile, clock=clock, known_at=known_at, zone=zone)
    codes = Codes(raw, profile, clocks.moment != NEVER)
    times = [clocks.event.column, *([clocks.known_at_clock.column] if clocks.known_at_clock else [])]
    key = find_key(profile, codes, times)
    entity, of_entity = entity_of(profile, key, clocks, clocks.day[codes.is_fact])
    measures, unused = feature_columns_of(profile, {*key, *entity, *times}, labels)
    entity_facts = EntityFacts(raw, profile, codes, entity, clocks)
    amounts = [one.name for one in measures if one.kind in (ColumnType.LONG, ColumnType.DOUBLE)]
    label_proposals = {name: entity_facts.about(None, amounts)} if not labels else {}
    for label in labels:
        label_proposals[name if len(labels) == 1 else f"{name}_{plain(label)}"] = entity_facts.about(label, amounts)
    return Proposal(
        name=name,
        source=source_name(profile.file.path),
        profile=profile,
        names=stored_names(profile.columns),
        clocks=clocks,
        key=key,
        entity=entity,
        within=entity_facts.within,
        measures=measures,
        unused=unused,
        label_proposals=label_proposals,
        dates=entity_facts.dates,
        spine_rows=entity_facts.facts.spine_rows(entity_facts.within),
        remarks={"entity": of_entity, "key": _of_key(profile, key)},
    )


class EntityFacts:
    """The facts by entity and date, of which questions are asked."""

    def __init__(self, raw: RawFile, profile: FileProfile, codes: Codes, entity: Sequence[str], clocks: Clocks) -> None:
        day = clocks.day[codes.is_fact]
        self._raw, self._profile, self._codes, self._day, self._late = raw, profile, codes, day, clocks.lateness
        self._entity = codes.rows(entity) if entity else np.zeros(len(day), dtype=np.int64)
        self.dates, self._inside = _dates(day)
        self.facts = facts_of(self._entity[self._inside], day[self._inside])
        self.within = active_within(self.facts)

    def about(self, label: str | None, amounts: Sequence[str]) -> LabelProposal:
        """The question about a column; None: about what comes again, or else about one of the amounts."""
        days = (self.dates.history_until() - self.dates.first).days - self._late
        column = self._profile.columns[label] if label is not None else None
        return propose_label(column, amounts, self.facts, self._true(column) if column else None, self.within, days)

    def _true(self, column: ColumnProfile) -> Facts | None:
        """On which dates a boolean column is true; None of any other column."""
        if column.kind is not ColumnType.BOOLEAN:
            return None
        is_true = flags(self._raw.column(column.name, self._profile.null_text))[self._codes.is_fact]
        return facts_of(self._entity[is_true & self._inside], self._day[is_true & self._inside])


def require_name(name: str) -> None:
    """Raise UsageError for what can be no project's name."""
    for issue in expect_names("NAME", [name]):
        raise UsageError(f"NAME: found {name!r}, expected {issue.expected}. Nothing was written.")
    if not name.islower() or name == "schema":
        raise UsageError(
            f"NAME: found {name!r}, expected a lower-case identifier, and not schema. Nothing was written."
        )


def _of_key(profile: FileProfile, key: Sequence[str]) -> Remark:
    sizes = " x ".join(f"{profile.columns[name].distinct:,}" for name in key)
    if len(key) == 1:
        return Remark(f"each of the {profile.rows:,} rows has its own")
    return Remark(f"the fewest columns that tell the {profile.rows:,} rows apart ({sizes} values)", is_open=True)


def _dates(day: Ints) -> tuple[Dates, Flags]:
    """The dates of the facts, and which facts are of them: a few that lie a year off are taken for mistakes."""
    usual = np.quantile(day, [0.001, 0.999], method="nearest")
    first = int(day.min()) if usual[0] - day.min() <= FAR else int(usual[0])
    newest = int(day.max()) if day.max() - usual[1] <= FAR else int(usual[1])
    inside = (day >= first) & (day <= newest)
    dates = np.unique(day[inside])
    quiet, longest = newest - first + 1 - len(dates), int(np.diff(dates).max(initial=1))
    off = int((~inside).sum())
    text = f"{off:,} rows lie a year or more before or after all others ({_date(day.min())} to {_date(day.max())})"
    remark = Remark(f"{text}: mistakes?", is_open=True) if off else None
    return Dates(_date(first), _date(newest), quiet, longest, remark), inside


def _date(day: int) -> date:
    return date(1970, 1, 1) + timedelta(days=int(day))
