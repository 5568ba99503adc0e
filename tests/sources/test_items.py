"""What a night reads: new items, and rows of earlier ones that have become known; against a model that reads it all."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nightjar.errors import SourceError
from nightjar.sources.intake.items import Entry, Item, plan

FIRST = date(2024, 4, 1)
DAYS = [FIRST + timedelta(days=n) for n in range(8)]
CUTOFFS = {day: datetime(day.year, day.month, day.day, tzinfo=UTC) for day in DAYS}


@dataclass
class Folder:
    """Files of rows, each known from a day on; a file may grow, change or vanish."""

    files: dict[str, list[int]] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    nights: dict[date, datetime] = field(default_factory=dict)

    def discover(self, read, definition):
        for name, rows in self.files.items():
            before = read.get(name)
            item = Item(name, str(rows), len(rows), 0)
            if before is None or before.definition != definition:
                yield item
            elif before.item.digest != item.digest:
                grown = str(rows[: before.item.size]) == before.item.digest
                yield Item(name, item.digest, item.size, 0, before.item.size) if grown else item

    def run(self, day, definition="d"):
        """What a night reads: (file, position in it, row)."""
        discover = partial(self.discover, definition=definition)
        portions = plan(self.entries, self.nights, day, definition, discover, "readings")
        self.entries = [entry for entry in self.entries if entry.run_date != day]
        seen = []
        for portion in portions:
            item = portion.item
            rows = [(item.name, place, row) for place, row in enumerate(contents(item)) if place >= item.begins]
            after = portion.after and next(one for one, cutoff in CUTOFFS.items() if cutoff == portion.after)
            seen += [row for row in rows if known(row) <= day and (after is None or known(row) > after)]
            waiting = sum(known(row) > day for row in rows)
            self.entries.append(Entry(item, definition, portion.after, waiting, "staged", True, "[]", day))
        self.nights[day] = CUTOFFS[day]
        return seen


def contents(item):
    return [int(row) for row in item.digest.strip("[]").split(", ") if row]


def known(row):
    return FIRST + timedelta(days=row[2] % 10)


ROWS = st.lists(st.integers(0, 79), max_size=4)
EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.sampled_from("ab"), ROWS),
        st.tuples(st.just("grow"), st.sampled_from("ab"), ROWS),
        st.tuples(st.just("remove"), st.sampled_from("ab"), st.just([])),
        st.tuples(st.just("night"), st.integers(1, 2), st.just([])),
    ),
    max_size=14,
)


@given(EVENTS)
@settings(max_examples=300, deadline=None)
def test_nights_in_order_read_each_row_once_when_it_is_known(events):
    """As if every night read the last content of all files there ever were, and left out what was read of it before."""
    folder, last, read, day = Folder(), {}, set(), 0
    for what, name, rows in events:
        if what == "put":
            folder.files[name] = rows
        elif what == "grow":
            folder.files[name] = folder.files.get(name, []) + rows
        elif what == "remove":
            folder.files.pop(name, None)
        else:
            day = min(day + name, len(DAYS) - 1)
            if DAYS[day] in folder.nights:
                break
            for one, content in folder.files.items():
                if content[: len(last.get(one, []))] != last.get(one):
                    read = {row for row in read if row[0] != one}  # read again from its start
                last[one] = list(content)
            everything = {(one, place, row) for one, content in last.items() for place, row in enumerate(content)}
            expected = {row for row in everything if known(row) <= DAYS[day]} - read
            seen = folder.run(DAYS[day])
            assert sorted(seen) == sorted(expected)
            read |= expected


def three_nights():
    folder = Folder({"a": [0, 1, 2, 3]})
    for day in DAYS[:3]:
        folder.files[f"day-{day}"] = [DAYS.index(day), 7]
        folder.run(day)
    return folder


def test_a_rerun_of_a_night_that_others_have_followed_reads_what_it_has_read():
    folder = three_nights()
    before = [entry for entry in folder.entries if entry.run_date == DAYS[1]]
    folder.files = {"late": [0]}
    seen = folder.run(DAYS[1])
    assert [entry for entry in folder.entries if entry.run_date == DAYS[1]] == before
    assert sorted(seen) == [("a", 1, 1), (f"day-{DAYS[1]}", 0, 1)]
    seen = folder.run(DAYS[3])
    assert sorted(seen) == [("a", 3, 3), ("late", 0, 0)]


def test_a_rerun_of_the_last_night_reads_what_there_is_now():
    folder = three_nights()
    folder.files |= {"a": [0, 1, 2, 3, 1], "late": [0], f"day-{DAYS[2]}": [2, 2]}
    seen = folder.run(DAYS[2])
    assert sorted(seen) == [
        ("a", 2, 2),
        ("a", 4, 1),
        (f"day-{DAYS[2]}", 0, 2),
        (f"day-{DAYS[2]}", 1, 2),
        ("late", 0, 0),
    ]


def test_what_a_night_has_read_and_is_gone_is_named_unless_it_is_staged():
    folder = three_nights()
    del folder.files[f"day-{DAYS[2]}"]
    seen = folder.run(DAYS[2])
    assert (f"day-{DAYS[2]}", 0, 2) in seen
    folder.entries = [Entry(one.item, "d", one.after, 0, None, False, "[]", one.run_date) for one in folder.entries]
    with pytest.raises(SourceError, match=f"this night has read day-{DAYS[2]}, which is no longer there"):
        folder.run(DAYS[2])


def test_other_settings_read_again_all_that_there_is():
    folder = three_nights()
    seen = folder.run(DAYS[3], "other")
    assert sorted(row for row in seen if row[0] == "a") == [("a", place, place) for place in range(4)]


def test_an_old_night_that_is_run_late_leaves_to_the_next_what_it_could_not_know():
    folder = three_nights()
    folder.files["late"] = [0, 1, 2]
    seen = folder.run(DAYS[0])  # a rerun: it reads what it has read
    assert ("late", 0, 0) not in seen
    del folder.nights[DAYS[1]]
    folder.entries = [entry for entry in folder.entries if entry.run_date != DAYS[1]]
    seen = folder.run(DAYS[1])  # its first run
    assert [row for row in seen if row[0] == "late"] == [("late", 0, 0), ("late", 1, 1)]
    seen = folder.run(DAYS[3])
    assert [row for row in seen if row[0] == "late"] == [("late", 2, 2)]
