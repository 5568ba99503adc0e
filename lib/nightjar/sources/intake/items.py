"""What a night reads of a source: items that no night has read, and rows of earlier items that were not known then."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from nightjar.errors import SourceError


@dataclass(frozen=True)
class Item:
    """One thing that a night reads once: a file, or the new end of one that grows.

    Attributes:
        name: path of the file.
        digest: SHA-256 of its bytes up to `size`.
        size: bytes, to the end of what is read.
        modified: when it was last changed, nanoseconds since 1970.
        begins: first byte that is read.
    """

    name: str
    digest: str
    size: int
    modified: int
    begins: int = 0


@dataclass(frozen=True)
class Entry:
    """One item that a night has read, a row of the table `intake`.

    Attributes:
        item: what was read.
        definition: hash of the settings by which its rows became facts.
        after: earlier nights have read the rows that were known by then; None: none has.
        waiting: rows that become known after the night.
        staged: folder of its rows within the project's warehouse; None: there is none.
        whole: whether all rows that the night has read lie there; else it has those that wait, and a rerun of the night
            reads the item where it lies.
        columns: its columns and types as JSON.
        run_date: the night.
    """

    item: Item
    definition: str
    after: datetime | None
    waiting: int
    staged: str | None
    whole: bool
    columns: str
    run_date: date

    def again(self) -> "Portion":
        """What a rerun of the night reads of the item."""
        return Portion(self.item, self.after, self.staged if self.whole else None, self.columns)


@dataclass(frozen=True)
class Portion:
    """The rows of one item that a night reads: all that are known by its cutoff, or only those known after an instant.

    Attributes:
        item: what is read.
        after: see `Entry`.
        staged: folder of the rows; None: the item is read where it lies.
        columns: see `Entry`; None: not read before.
    """

    item: Item
    after: datetime | None = None
    staged: str | None = None
    columns: str | None = None


Discover = Callable[[Mapping[str, Entry]], Iterable[Item]]
"""Finds the items that no night has read, given the last entry of each name."""


def plan(
    entries: Sequence[Entry],
    nights: Mapping[date, datetime],
    run_date: date,
    definition: str,
    discover: Discover,
    source: str,
) -> list[Portion]:
    """What a night reads.

    A rerun of a night that others have followed reads what it has read. Every other run reads the items that no other
    night has read, and of earlier nights' items the rows that have become known since. An item that is read again,
    because it has changed or the settings have, replaces what waits of it.

    Args:
        entries: those of all nights that count.
        nights: run date of every finished night -> its cutoff.
        run_date: the night.
        definition: hash of the source's settings.
        discover: see `Discover`.
        source: name of the source, for messages.

    Raises:
        SourceError: an item that the night has read is gone, and was not staged.
    """
    own = [entry for entry in entries if entry.run_date == run_date]
    if run_date in nights and max(nights) > run_date:
        return [entry.again() for entry in own]
    others = [entry for entry in entries if entry.run_date != run_date]
    read = {name: parts[max(parts)] for name, parts in parts_of(others).items()}
    staged = {(entry.item, entry.definition): entry for entry in own if entry.after is None}
    new, again = list[Portion](), set[str]()
    for item in discover(read):
        before = staged.get((item, definition))
        new.append(before.again() if before else Portion(item))
        again |= set() if item.begins else {item.name}
    waiting = [
        Portion(entry.item, nights[entry.run_date], entry.staged, entry.columns)
        for name, parts in parts_of(entry for entry in others if entry.run_date < run_date).items()
        for entry in parts.values()
        if entry.waiting and entry.definition == definition and name not in again
    ]
    return [*waiting, *new, *_no_longer_there(own, new, source)]


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


def _no_longer_there(own: Sequence[Entry], new: Sequence[Portion], source: str) -> list[Portion]:
    """What the night itself has read before and what is gone since: its staged rows.

    Raises:
        SourceError: there are none.
    """
    present = {portion.item.name for portion in new}
    gone = [entry for entry in own if entry.after is None and entry.item.name not in present]
    lost = [entry.item.name for entry in gone if not entry.whole]
    if lost:
        raise SourceError(
            f"Source {source}: this night has read {', '.join(lost)}, which is no longer there. Bring it back to run "
            "the night again. Nothing was written."
        )
    return [entry.again() for entry in gone]
