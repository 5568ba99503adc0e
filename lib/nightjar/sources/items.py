"""What a night reads of a source: items that no night has read, and rows of earlier items that were not known then."""

import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

OF_CORRECTIONS = "corrections:"
"""Of the name of an item of rows that a person has corrected, followed by the run that took them."""


@dataclass(frozen=True)
class Item:
    """One thing that a night reads once: a file, or the new end of one that grows; new rows of a table; or corrections.

    Attributes:
        name: path of the file; or the table, and which of its rows; or corrections, and of which run.
        digest: SHA-256 of its bytes up to `size`, or of its rows; or what tells a table's versions apart.
        size: bytes, to the end of what is read; or versions; or the greatest value of the watermark, as a number; or
            corrected rows.
        modified: when it was last changed, nanoseconds since 1970; 0: nobody says so.
        begins: first byte, or version, that is read, or the value of the watermark that nights have read up to.
    """

    name: str
    digest: str
    size: int
    modified: int
    begins: int = 0

    @property
    def is_corrected(self) -> bool:
        """Whether it is rows that a person has corrected."""
        return self.name.startswith(OF_CORRECTIONS)


@dataclass(frozen=True)
class Entry:
    """One item that a night has read, a row of the table `intake`.

    Attributes:
        item: what was read.
        definition: hash of the settings by which its rows became facts.
        after: earlier nights have read the rows that were known by then; None: none has.
        until: the night's cutoff.
        waiting: rows that become known after it.
        staged: folder of its rows within the project's warehouse; None: there is none.
        parts: files in that folder.
        whole: whether all rows that the night has read lie there; else it has those that wait, and a rerun of the night
            reads the item where it lies.
        columns: those that were read, as JSON.
        run_date: the night.
        undeclared: its further columns, as JSON; None: they are not recorded.
    """

    item: Item
    definition: str
    after: datetime | None
    until: datetime
    waiting: int
    staged: str | None
    parts: int | None
    whole: bool
    columns: str
    run_date: date
    undeclared: str | None = None

    def again(self) -> "Portion":
        """What a rerun of the night reads of the item."""
        staged, parts = (self.staged, self.parts) if self.whole else (None, None)
        return Portion(self.item, self.after, staged, parts, self.columns, self.undeclared)

    def later(self) -> "Portion":
        """What a later night reads of it: rows that have waited."""
        return Portion(self.item, self.until, self.staged, self.parts, self.columns, self.undeclared)


@dataclass(frozen=True)
class Portion:
    """The rows of one item that a night reads: all that are known by its cutoff, or only those known after an instant.

    Attributes:
        item: what is read.
        after: see `Entry`.
        staged: folder of the rows; None: the item is read where it lies.
        parts: see `Entry`.
        columns: see `Entry`; None: not read before.
        undeclared: see `Entry`.
    """

    item: Item
    after: datetime | None = None
    staged: str | None = None
    parts: int | None = None
    columns: str | None = None
    undeclared: str | None = None

    def in_stage(self, folder: str, parts: int) -> "Portion":
        """The same rows, staged there, unless they are already, or are corrections, which stay where they lie."""
        return self if self.staged or self.item.is_corrected else replace(self, staged=folder, parts=parts)


@dataclass(frozen=True)
class Discovery:
    """What there is of a source: the items that no other night has read, and the names of all."""

    new: Sequence[Item]
    present: Collection[str]


Discover = Callable[[Mapping[str, Entry]], Discovery]
"""Looks at what there is, given the last entry of each name."""


def plan(
    entries: Sequence[Entry],
    nights: Collection[date],
    run_date: date,
    definition: str,
    discover: Discover,
    is_named: Callable[[str], bool],
    *,
    is_repeatable: bool = True,
) -> list[Portion]:
    """What a night reads.

    A rerun of a night that others have followed reads what it has read. Every other run reads the items that no other
    night has read, and of earlier nights' items the rows that have become known since. An item that is read again,
    because it has changed or the settings have, replaces what waits of it. What the settings no longer name is left
    out.

    Of what cannot be read again as it was, a rerun reads what the night has read, and then what is new since.

    Rows that are read twice are stored once, so a run that has read of an item before reads at least as much again.

    Args:
        entries: those of all nights that count.
        nights: run dates of the finished nights.
        run_date: the night.
        definition: hash of the source's settings.
        discover: see `Discover`.
        is_named: whether the settings name an item.
        is_repeatable: whether items can be read again; if not, each has a name of its own, and one that begins at 0 is
            all there is.
    """
    if run_date in nights and max(nights) > run_date:
        return [entry.again() for entry in entries if entry.run_date == run_date]
    entries = [entry for entry in entries if is_named(entry.item.name)]
    own = [entry for entry in entries if entry.run_date == run_date]
    if not is_repeatable:
        last = {name: _last(parts) for name, parts in parts_of(entries).items()}
        new = [Portion(item) for item in discover(last).new]
        again = [entry.again() for entry in own if entry.after is None and entry.definition == definition]
        if not again and any(not portion.item.begins for portion in new):
            return new  # all there is
        return [*_waiting(_since_whole(entries), run_date, [], []), *again, *new]
    others = parts_of(entry for entry in entries if entry.run_date != run_date)
    discovery = discover({name: _last(parts) for name, parts in others.items()})
    before = {(entry.item, entry.definition): entry.again() for entry in own if entry.after is None}
    new = [before.get((item, definition), Portion(item)) for item in discovery.new]
    begins = {item.name: item.begins for item in discovery.new}
    again = [
        entry.again()
        for entry in own
        if entry.after is None
        and begins.get(entry.item.name, entry.item.size) > entry.item.begins
        and not (entry.item.name in discovery.present and _covers(others.get(entry.item.name, {}), entry.item))
    ]
    return [*_waiting(entries, run_date, new, again), *new, *again]


def _waiting(
    entries: Sequence[Entry], run_date: date, new: Sequence[Portion], again: Sequence[Portion]
) -> list[Portion]:
    """Rows that wait of items of earlier nights, but not of what is read from its start."""
    replaced = {portion.item.name: portion.item.size for portion in again if not portion.item.begins}
    replaced |= {portion.item.name: sys.maxsize for portion in new if not portion.item.begins}
    own = {_part(entry): entry for entry in entries if entry.run_date == run_date and entry.after is not None}
    waiting = []
    for parts in parts_of(entry for entry in entries if entry.run_date < run_date).values():
        for entry in parts.values():
            before = own.pop(_part(entry), None)
            if before is not None and before.item == entry.item and before.after and before.after < entry.until:
                waiting.append(before.again())
            elif entry.waiting:
                waiting.append(entry.later())
    waiting += [entry.again() for entry in own.values()]
    return [portion for portion in waiting if portion.item.begins >= replaced.get(portion.item.name, 0)]


def _since_whole(entries: Sequence[Entry]) -> list[Entry]:
    """The entries from the last one on that has read all there was, which replaces what waited before."""
    whole = [entry for entry in entries if entry.after is None and not entry.item.begins]
    if not whole:
        return list(entries)
    last = max(whole, key=lambda entry: (entry.run_date, entry.item.modified))
    return [
        entry for entry in entries if entry.item == last.item or (entry.run_date >= last.run_date and entry.item.begins)
    ]


def parts_of(entries: Iterable[Entry]) -> dict[str, dict[int, Entry]]:
    """Name of each item -> where a part of it begins -> the part's last entry.

    A file that grows has several parts; one that was read again from its start has only this one.
    """
    parts: dict[str, dict[int, Entry]] = {}
    for entry in sorted(entries, key=lambda entry: (entry.run_date, entry.item.begins)):
        of_name = parts.setdefault(entry.item.name, {})
        if entry.after is None and not entry.item.begins:
            of_name.clear()
        of_name[entry.item.begins] = entry
    return parts


def order(entries: Iterable[Entry], *, is_repeatable: bool = True) -> dict[str, int]:
    """Name of each item -> its place in the order in which nights have read items last, were there no reruns.

    What people have corrected comes after what their night has read. Of what cannot be read again, a night and its
    reruns may have read several items, one after the other.
    """
    by_name: dict[str, list[Entry]] = {}
    for entry in sorted(entries, key=lambda entry: entry.run_date):
        if entry.after is None:
            by_name.setdefault(entry.item.name, []).append(entry)
    last: dict[str, tuple[date, bool, int]] = {}
    for name, read in by_name.items():
        whole = [entry for entry in read if not entry.item.begins] or read
        first = next(entry for entry in whole if entry.item.digest == whole[-1].item.digest)
        moment = 0 if is_repeatable else first.item.modified
        last[name] = (first.run_date, first.item.is_corrected, moment)
    places = {one: place for place, one in enumerate(sorted(set(last.values())))}
    return {name: places[one] for name, one in last.items()}


def _part(entry: Entry) -> tuple[str, int]:
    return entry.item.name, entry.item.begins


def _last(parts: Mapping[int, Entry]) -> Entry:
    """The entry of the last part; without a definition where the parts were read by several."""
    last = parts[max(parts)]
    return last if len({entry.definition for entry in parts.values()}) == 1 else replace(last, definition="")


def _covers(parts: Mapping[int, Entry], item: Item) -> bool:
    """Whether other nights have read the bytes with which an item begins."""
    return any(begins <= item.begins < max(entry.item.size, 1) for begins, entry in parts.items())
