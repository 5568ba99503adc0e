"""Nights of a folder to which files come, and of a file that grows: what each night reads, and what is staged."""

import os
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

import builders
from builders import READINGS as HEADER
from builders import reading as row
from builders import rows_of, versions
from nightjar.errors import SourceError
from nightjar.settings.arrival import Arrival
from nightjar.settings.datasheet import Datasheet
from nightjar.settings.files import Change, File
from nightjar.sources import ingest
from nightjar.sources.connectors.files import FileConnector
from nightjar.sources.formats import files
from nightjar.sources.intake import reading, staging
from nightjar.sources.items import Entry, Item

D1, D2, D3, D4 = (date(2024, 4, day) for day in (1, 2, 3, 4))
STORED = ("machine", "temperature", "known_at", "ingested_on", "intake")


@pytest.fixture
def folder_night(night, landing):
    def run(day, previous, **options):
        source = {"file": File(str(landing), **options), "arrival": Arrival(0)}
        night("", day, previous, run_id=f"of-{day}", **source)

    return run


def read(warehouse, day):
    """What a night has read: file -> (first byte, rows that wait, whether it is staged)."""
    columns = ("item", "begins", "waiting", "staged", "run_date")
    rows = [one for one in rows_of(warehouse, "intake", *columns) if one[-1] == day and one[0]]
    return {name.rpartition("/")[2]: (begins, waiting, staged is not None) for name, begins, waiting, staged, _ in rows}


def counted(warehouse, day, check="read"):
    return [
        rows
        for name, rows, on in rows_of(warehouse, "quality", "check", "rows", "run_date")
        if (name, on) == (check, day)
    ]


def test_a_folder_s_files_are_read_once_and_rows_that_were_not_known_wait_for_their_night(
    folder_night, landing, warehouse
):
    (landing / "a.csv").write_text(HEADER + row("m1", "03-31 07:00") + row("m2", "04-01 07:00"))
    folder_night(D1, None)
    assert read(warehouse, D1) == {"a.csv": (0, 1, True)}
    (landing / "b.csv").write_text(HEADER + row("m3", "04-01 08:00") + row("m4", "03-31 08:00"))  # m4 comes late
    folder_night(D2, D1)
    assert read(warehouse, D2) == {"a.csv": (0, 0, True), "b.csv": (0, 0, False)}
    assert counted(warehouse, D2) == [3]
    (landing / "a.csv").unlink()
    with (landing / "b.csv").open("a") as file:
        file.write(row("m5", "04-02 07:00"))
    folder_night(D3, D2)
    assert read(warehouse, D3) == {"b.csv": (len(HEADER) + 2 * len(row("m3", "04-01 08:00")), 0, False)}
    expected = [("m1", D1, "a"), ("m2", D2, "a"), ("m3", D2, "b"), ("m4", D2, "b"), ("m5", D3, "b")]
    stored = rows_of(warehouse, "source_readings", *STORED)
    assert [(machine, on, name[-5]) for machine, _, _, on, name in stored] == expected
    known_at = {machine: f"{known:%d %H:%M}" for machine, _, known, _, _ in stored}
    assert known_at == {"m1": "31 07:00", "m2": "01 07:00", "m3": "01 08:00", "m4": "01 22:00", "m5": "02 07:00"}

    folder_night(D4, D3)  # nothing new
    assert read(warehouse, D4) == {}
    before = versions(warehouse)
    with pytest.raises(SourceError, match=r"this night has read .*/landing/a.csv, which is gone since"):
        folder_night(D1, None)
    assert versions(warehouse) == before
    folder_night(D2, D1)  # a.csv is gone, but what waited of it was staged, and b.csv has only grown
    assert rows_of(warehouse, "source_readings", *STORED) == stored


def test_a_file_of_a_folder_that_has_changed_stops_the_night_or_is_a_correction(folder_night, landing, warehouse):
    (landing / "a.csv").write_text(HEADER + row("m1", "03-31 07:00") + row("m2", "03-31 07:00"))
    folder_night(D1, None)
    (landing / "a.csv").write_text(HEADER + row("m1", "03-31 07:00") + row("m2", "03-31 07:00", 25))
    before = versions(warehouse)
    with pytest.raises(SourceError, match=r"a.csv has changed since the night of 2024-04-01 .*file.changed=correction"):
        folder_night(D2, D1)
    assert versions(warehouse) == before
    folder_night(D2, D1, changed=Change.CORRECTION)
    stored = rows_of(warehouse, "source_readings", "machine", "temperature", "ingested_on")
    assert stored == [("m1", 20.0, D1), ("m2", 20.0, D1), ("m2", 25.0, D2)]
    assert counted(warehouse, D2, "already_stored") == [1]


def test_an_overwritten_file_is_staged_and_a_rerun_of_an_old_night_reads_what_it_held(night, tmp_path, warehouse):
    night(HEADER + row("m1", "03-31 07:00"), run_id="first")
    night(HEADER + row("m1", "03-31 07:00", 25), D2, previous=D1, run_id="second")
    stored = rows_of(warehouse, "source_readings", "machine", "temperature", "known_at")
    night(HEADER + row("m9", "03-31 07:00"), D1, run_id="again")
    assert rows_of(warehouse, "source_readings", "machine", "temperature", "known_at") == stored
    (tmp_path / "warehouse").joinpath("machines/staged").rename(tmp_path / "elsewhere")
    before = versions(warehouse)
    with pytest.raises(SourceError, match=r"staged are gone: .*2024-04-01-first has 0 of"):
        night(HEADER, D1, run_id="again")
    assert versions(warehouse) == before


def test_a_run_that_died_before_its_facts_were_committed_has_read_nothing(night, warehouse, monkeypatch):
    text = HEADER + row("m1", "03-31 07:00")
    with monkeypatch.context() as patched:
        patched.setattr(ingest, "store_facts", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            night(text, run_id="dead")
    assert [run for (run,) in rows_of(warehouse, "intake", "run_id")] == ["dead"]
    night(text, D2, run_id="alive")
    assert rows_of(warehouse, "source_readings", "machine", "ingested_on") == [("m1", D2)]


def test_staged_folders_are_removed_once_no_night_reads_them(warehouse):
    def entry(name, day, waiting):
        item, cutoff = Item(name, name, 1, 0), datetime(day.year, day.month, day.day, tzinfo=UTC)
        return Entry(item, "d", None, cutoff, waiting, f"staged/readings/{name}", 1, True, "[]", day)

    entries = [entry("old", date(2023, 12, 1), 0), entry("waits", date(2023, 12, 1), 1), entry("new", D1, 0)]
    for name, age in (("old", 3), ("waits", 3), ("new", 3), ("of_dead_run", 3), ("of_run_that_goes_on", 0)):
        file = Path(warehouse.path(f"staged/readings/{name}/part.parquet"))
        file.parent.mkdir(parents=True)
        file.write_bytes(b"")
        os.utime(file, (file.stat().st_mtime - age * 86_400,) * 2)
    assert staging.remove_old(warehouse, "readings", entries, D1) == 2
    remaining = {path.name for path in Path(warehouse.path("staged/readings")).iterdir()}
    assert remaining == {"waits", "new", "of_run_that_goes_on"}


def connector(folder):
    return FileConnector(None, File(str(folder)), "readings", ["x"], folder, is_empty_allowed=True)


def entry_of(item):
    """What a night has read."""
    return Entry(item, "d", None, datetime(2024, 4, 1, tzinfo=UTC), 0, None, None, False, "[]", D1)


def test_a_file_that_grows_while_it_is_listed_has_only_grown_on_the_next_night(landing, monkeypatch):
    path, listing = landing / "a.csv", files.list_files
    path.write_text("x\n1\n")

    def grow_after(*arguments):
        listed = listing(*arguments)
        path.write_text(path.read_text() + "2\n")  # the writer goes on
        return listed

    with monkeypatch.context() as patched:
        patched.setattr(files, "list_files", grow_after)
        (item,) = connector(landing).discover("d", {}).new
    connector(landing).require_unchanged(item)  # the night's rerun
    read = {item.name: entry_of(item)}
    (end,) = connector(landing).discover("d", read).new
    assert end.begins == item.size


def test_where_the_file_system_knows_no_times_a_file_of_equal_size_may_have_changed(landing, monkeypatch):
    path, listing = landing / "a.csv", files.list_files
    path.write_text("x\n1\n")
    monkeypatch.setattr(files, "list_files", lambda *given: [replace(one, modified=0) for one in listing(*given)])
    (item,) = connector(landing).discover("d", {}).new
    path.write_text("x\n2\n")
    with pytest.raises(SourceError, match="has changed"):
        connector(landing).discover("d", {item.name: entry_of(item)})


def test_an_edit_of_what_people_are_told_of_a_source_reads_nothing_again(tmp_path):
    source = builders.readings(tmp_path / "readings.csv")
    described = replace(source, datasheet=Datasheet(owner="plant operations"), arrival=Arrival(0))
    assert reading.definition_of(described, "readings") == reading.definition_of(source, "readings")
    assert reading.definition_of(replace(source, where="true"), "readings") != reading.definition_of(source, "readings")
