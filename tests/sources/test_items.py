"""What a night reads: new items, and rows of earlier ones that have become known; against a model that reads it all."""

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial

from hypothesis import given, settings
from hypothesis import strategies as st

from nightjar.sources.items import Discovery, Entry, Item, order, plan

FIRST = date(2024, 4, 1)
DAYS = [FIRST + timedelta(days=n) for n in range(8)]
CUTOFFS = {day: datetime(day.year, day.month, day.day, tzinfo=UTC) for day in DAYS}


@dataclass
class Folder:
    """Files of rows, each known from a day on; a file may grow, change or vanish."""

    files: dict[str, list[int]] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    nights: set[date] = field(default_factory=set)
    stored: dict[date, set[tuple]] = field(default_factory=dict)
    unnamed: set[str] = field(default_factory=set)

    def discover(self, read, definition):
        new = [self.new_item(name, rows, read.get(name), definition) for name, rows in self.files.items()]
        return Discovery([item for item in new if item is not None], set(self.files))

    def is_named(self, name):
        return name not in self.unnamed

    def new_item(self, name, rows, before, definition):
        whole = Item(name, str(rows), len(rows), 0)
        if before is None or before.definition != definition:
            return whole
        if before.item.digest == whole.digest:
            return None
        grown = str(rows[: before.item.size]) == before.item.digest
        return Item(name, whole.digest, len(rows), 0, before.item.size) if grown else whole

    def run(self, day, definition="d"):
        """What a night reads: (file, position in it, row)."""
        discover = partial(self.discover, definition=definition)
        portions = plan(self.entries, self.nights, day, definition, discover, self.is_named)
        self.entries = [entry for entry in self.entries if entry.run_date != day]
        seen = []
        for portion in portions:
            item = portion.item
            rows = [(item.name, place, row) for place, row in enumerate(contents(item)) if place >= item.begins]
            after = portion.after and next(one for one, cutoff in CUTOFFS.items() if cutoff == portion.after)
            seen += [row for row in rows if known(row) <= day and (after is None or known(row) > after)]
            waiting = sum(known(row) > day for row in rows)
            self.entries.append(entry_of(item, definition, day, portion.after, waiting))
        self.nights.add(day)
        seen, stored = set(seen), {row for one, rows in self.stored.items() if one != day for row in rows}
        self.stored[day] = seen - stored
        return seen

    def all(self):
        """All rows that are stored: a run replaces its own, and stores what no other has."""
        return sorted(row for rows in self.stored.values() for row in rows)


def entry_of(item, definition, day, after, waiting, *, whole=True):
    return Entry(item, definition, after, CUTOFFS[day], waiting, "staged", 1, whole, "[]", day)


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


def test_what_a_night_has_read_and_is_gone_is_read_where_it_is_staged():
    folder = three_nights()
    del folder.files[f"day-{DAYS[2]}"]
    assert (f"day-{DAYS[2]}", 0, 2) in folder.run(DAYS[2])
    folder.entries = [replace(entry, whole=False) for entry in folder.entries]
    discover = partial(folder.discover, definition="d")
    portions = plan(folder.entries, folder.nights, DAYS[2], "d", discover, folder.is_named)
    assert [one.staged for one in portions if one.item.name == f"day-{DAYS[2]}"] == [None]  # and there it is not


def test_other_settings_read_again_all_that_there_is():
    folder = three_nights()
    seen = folder.run(DAYS[3], "other")
    assert sorted(row for row in seen if row[0] == "a") == [("a", place, place) for place in range(4)]


def test_an_old_night_that_is_run_late_leaves_to_the_next_what_it_could_not_know():
    folder = three_nights()
    folder.files["late"] = [0, 1, 2]
    seen = folder.run(DAYS[0])  # a rerun: it reads what it has read
    assert ("late", 0, 0) not in seen
    folder.nights.remove(DAYS[1])
    folder.entries = [entry for entry in folder.entries if entry.run_date != DAYS[1]]
    seen = folder.run(DAYS[1])  # its first run
    assert sorted(row for row in seen if row[0] == "late") == [("late", 0, 0), ("late", 1, 1)]
    seen = folder.run(DAYS[3])
    assert [row for row in seen if row[0] == "late"] == [("late", 2, 2)]


def test_what_the_settings_no_longer_name_is_read_by_reruns_of_old_nights_alone():
    """A path may have been wrong: the last night, run again, does not keep what lay there."""
    folder = three_nights()
    folder.unnamed, folder.files = {"a", f"day-{DAYS[1]}", f"day-{DAYS[2]}"}, {"right": [0]}
    assert folder.run(DAYS[2]) == {("right", 0, 0)}
    assert folder.run(DAYS[1]) == {("a", 1, 1), (f"day-{DAYS[1]}", 0, 1)}


def test_a_skipped_night_that_is_run_late_and_then_the_last_again_waiting():
    one = Folder({"a": [0, 1, 2, 3]})
    one.run(DAYS[0])
    one.run(DAYS[2])
    one.run(DAYS[1])
    before = one.all()
    one.run(DAYS[2])
    assert one.all() == before


def growing_with_a_skipped_night_run_late():
    one = Folder({"a": [0]})
    one.run(DAYS[0])
    one.files["a"] = [0, 0]
    one.run(DAYS[2])
    one.files["a"] = [0, 0, 0]
    one.run(DAYS[1])
    return one


def test_a_skipped_night_that_is_run_late_and_then_the_last_again_growing():
    one = growing_with_a_skipped_night_run_late()
    one.files["a"] = [0, 0, 0, 0]
    one.run(DAYS[2])
    assert one.all() == [("a", n, 0) for n in range(4)]


def test_a_skipped_night_that_is_run_late_and_then_the_last_again_growing_not_staged():
    one = growing_with_a_skipped_night_run_late()
    one.entries = [replace(entry, whole=False) for entry in one.entries]
    one.run(DAYS[2])
    assert one.all() == [("a", n, 0) for n in range(3)]


def test_waiting_rows_of_a_vanished_file_survive_an_edit_of_settings():
    one = Folder({"a": [0, 3], "b": [0]})
    one.run(DAYS[0])
    del one.files["a"]
    one.run(DAYS[1], "other")
    one.run(DAYS[3], "other")
    assert ("a", 1, 3) in one.all()


def test_a_file_put_back_and_the_last_night_again():
    """What waits of the file as it was, and the file as it was for a night, are not read together."""
    one = Folder({"a": [1, 2]})
    one.run(DAYS[0])
    one.files["a"] = [1, 12]
    one.run(DAYS[1])
    one.files["a"] = [1, 2]
    one.run(DAYS[1])
    assert one.stored[DAYS[1]] == {("a", 0, 1)}, one.stored


def test_a_changed_file_that_is_gone_and_the_last_night_again():
    one = Folder({"a": [1, 1, 2], "z": []})
    one.run(DAYS[0])
    one.files["a"] = [11, 1, 2]  # the first row is corrected, before it is known
    one.run(DAYS[1])
    before = one.all()
    del one.files["a"]
    one.run(DAYS[1])
    assert one.all() == before


def test_a_rerun_by_other_settings_of_a_night_that_others_have_followed():
    one = Folder({"a": [0, 4]})
    one.run(DAYS[0])
    one.files["a"] = [0, 4, 0]
    one.run(DAYS[1])
    one.run(DAYS[2])
    one.run(DAYS[1], "other")
    one.run(DAYS[4], "other")
    assert ("a", 1, 4) in one.all()


ANY_ORDER = st.lists(
    st.one_of(
        st.tuples(st.just("grow"), st.sampled_from("ab"), st.lists(st.integers(0, 7), min_size=1, max_size=2)),
        st.tuples(st.just("night"), st.integers(0, 4), st.just("d")),
    ),
    max_size=10,
)


@given(ANY_ORDER)
@settings(max_examples=300, deadline=None)
def test_no_order_of_nights_and_reruns_loses_a_row_of_files_that_grow(events):
    one = Folder()
    for what, name, value in events:
        if what == "grow":
            one.files[name] = one.files.get(name, []) + value
            continue
        before = set(one.all())
        one.run(DAYS[name], value)
        assert before <= set(one.all()), before - set(one.all())
        last = max(one.nights)
        if DAYS[name] == last:
            everything = {(f, n, r) for f, rows in one.files.items() for n, r in enumerate(rows)}
            assert {row for row in everything if known(row) <= last} == set(one.all())


@dataclass
class Relation:
    """A table of which nights read what is new: each reading is an item of its own, or all there is."""

    size: int = 0
    entries: list[Entry] = field(default_factory=list)
    nights: set[date] = field(default_factory=set)
    readings: int = 0

    def run(self, day, definition="d", *, whole=False):
        """What a night reads: items, and after which night's cutoff."""

        def discover(read):
            last = max(read.values(), key=lambda entry: (entry.run_date, entry.item.size), default=None)
            begins = last.item.size if last and last.definition == definition and not whole else 0
            self.readings += 1
            return Discovery([Item(f"reading {self.readings}", "", self.size, self.readings, begins)], ())

        portions = plan(self.entries, self.nights, day, definition, discover, lambda _: True, is_repeatable=False)
        self.entries = [entry for entry in self.entries if entry.run_date != day]
        self.entries += [entry_of(one.item, definition, day, one.after, waiting=1) for one in portions]
        self.nights.add(day)
        return [(int(one.item.name[8:]), one.after) for one in portions]


def test_what_cannot_be_read_again_is_read_where_it_is_staged_and_then_what_is_new():
    table = Relation(size=10)
    assert table.run(DAYS[0]) == [(1, None)]
    table.size = 20
    assert table.run(DAYS[1]) == [(1, CUTOFFS[DAYS[0]]), (2, None)]
    table.size = 30
    assert table.run(DAYS[1]) == [(1, CUTOFFS[DAYS[0]]), (2, None), (3, None)]
    assert order(table.entries, is_repeatable=False) == {"reading 1": 0, "reading 2": 1, "reading 3": 2}
    assert table.run(DAYS[2])[:3] == [(one, CUTOFFS[DAYS[1]]) for one in (1, 2, 3)]
    assert table.run(DAYS[0]) == [(1, None)]  # others have followed
    assert table.run(DAYS[3], "other") == [(5, None)]  # settings have changed: all there is
    assert table.run(DAYS[4], "other") == [(5, CUTOFFS[DAYS[3]]), (6, None)]


def test_all_rows_of_a_night_replace_what_waited_and_a_rerun_reads_them_after_its_own():
    table = Relation()
    table.run(DAYS[0], whole=True)
    assert table.run(DAYS[1], whole=True) == [(2, None)]
    assert table.run(DAYS[1], whole=True) == [(2, None), (3, None)]
    assert table.run(DAYS[2], whole=True) == [(4, None)]


def test_an_edited_file_is_in_the_order_of_its_last_content():
    whole = Item("a", "1", 1, 0)
    entries = [entry_of(whole, "d", DAYS[0], None, 0), entry_of(Item("b", "1", 1, 0), "d", DAYS[1], None, 0)]
    assert order(entries) == {"a": 0, "b": 1}
    grown = entry_of(Item("a", "2", 2, 0, begins=1), "d", DAYS[2], None, 0)
    assert order([*entries, grown]) == {"a": 0, "b": 1}
    edited = entry_of(replace(whole, digest="3"), "d", DAYS[2], None, 0)
    assert order([*entries, edited]) == {"a": 1, "b": 0}
