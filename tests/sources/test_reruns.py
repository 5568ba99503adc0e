"""Reruns, late nights, edits of settings and files that are rewritten lose no row, and bring no old value back."""

import shutil
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pytest

import builders
from builders import READINGS as HEADER
from builders import reading as row
from builders import rows_of
from nightjar.errors import SourceError
from nightjar.settings.arrival import Arrival
from nightjar.settings.files import Change, File
from nightjar.settings.sources import Column, ColumnType

pytestmark = pytest.mark.usefixtures("few")

D1, D2, D3, D4 = (date(2024, 4, day) for day in (1, 2, 3, 4))


def stored(warehouse, *columns):
    return rows_of(warehouse, "source_readings", *(columns or ("machine", "temperature", "ingested_on")))


def machines(warehouse):
    return [one for (one,) in stored(warehouse, "machine")]


@pytest.fixture
def of(night, landing):
    def run(day, previous, run_id=None, path=None, file=None, **source):
        source = {"file": file or File(str(path or landing)), "arrival": Arrival(0)} | source
        night("", day, previous, run_id=run_id or f"of-{day}", **source)

    return run


def test_a_night_of_before_the_table_intake_run_again_keeps_its_facts(night, warehouse):
    text = HEADER + row("m1", "03-31 07:00") + row("m2", "04-01 07:00")
    night(text, run_id="a")
    night(text, D2, D1, run_id="b")
    shutil.rmtree(warehouse.path("intake"))  # as before today
    night(text, D3, D2, run_id="c", arrival=Arrival(0))
    assert machines(warehouse) == ["m1", "m2"]
    night(text, D1, None, run_id="d")
    assert machines(warehouse) == ["m1", "m2"]


def test_a_skipped_night_that_is_run_late_and_then_the_last_one_again(night, warehouse):
    text = HEADER + row("m1", "03-31 07:00") + row("m2", "04-01 07:00") + row("m3", "04-02 07:00")
    night(text, run_id="a", arrival=Arrival(0))
    night(text, D3, D1, run_id="b", arrival=Arrival(0))
    night(text, D2, D1, run_id="c", arrival=Arrival(0))
    night(text, D3, D2, run_id="d", arrival=Arrival(0))
    assert machines(warehouse) == ["m1", "m2", "m3"]


@pytest.mark.parametrize(("form", "changed"), [("dots", Change.CORRECTION), ("scheme", Change.ERROR)])
def test_rows_of_a_folder_wait_however_its_path_is_written(of, landing, warehouse, form, changed):
    path = {"dots": f"{landing.parent}/x/../landing", "scheme": f"file://{landing}"}[form]
    (landing.parent / "x").mkdir()
    (landing / "a.csv").write_text(HEADER + row("m1", "03-31 07:00") + row("m2", "04-01 07:00"))
    (landing / "b.csv").write_text(HEADER + row("m3", "03-31 07:00") + row("m4", "04-01 07:00"))
    of(D1, None, file=File(path, changed=changed))
    of(D2, D1, file=File(path, changed=changed))
    assert machines(warehouse) == ["m1", "m2", "m3", "m4"]


def test_a_broken_row_of_the_future_refuses_the_file_at_once(night, warehouse):
    with pytest.raises(SourceError, match="looks truncated"):
        night(HEADER + row("m1", "03-31 07:00") + "m2,2024-04-05 06:00:00", run_id="a")


def test_a_column_is_added_and_an_old_night_run_again(night, warehouse):
    text = "machine,at,seen,temperature,state\n" + row("m1", "03-31 07:00").strip() + ",on\n"
    night(text, run_id="a", arrival=Arrival(0))
    night(text, D2, D1, run_id="b", arrival=Arrival(0))
    columns = builders.readings("").columns | {"state": Column(ColumnType.STRING)}
    options = {"columns": columns, "keep": ["temperature", "state"], "arrival": Arrival(0)}
    with pytest.raises(SourceError, match=r"the staged rows of .* have no column state"):
        night(text, D1, None, run_id="c", **options)


def test_an_edit_of_settings_does_not_lose_what_waits_of_a_file_that_is_gone(of, landing, warehouse):
    (landing / "a.csv").write_text(HEADER + row("m1", "03-31 07:00") + row("m2", "04-01 07:00"))
    of(D1, None)
    (landing / "a.csv").unlink()
    of(D2, D1, checks={"cold": "temperature < 80"})
    assert machines(warehouse) == ["m1", "m2"]


def test_an_edit_of_settings_does_not_bring_back_values_that_a_later_file_has_corrected(of, landing, warehouse):
    (landing / "a.csv").write_text(HEADER + row("m1", "03-31 07:00", 20))
    of(D1, None)
    (landing / "b.csv").write_text(HEADER + row("m1", "03-31 07:00", 25))
    of(D2, D1)
    of(D3, D2, checks={"cold": "temperature < 80"})
    assert stored(warehouse) == [("m1", 20.0, D1), ("m1", 25.0, D2)]


def test_a_file_with_a_header_of_two_lines_may_grow(of, landing, warehouse):
    header = 'machine,at,seen,temperature,"note\nin C"\n'
    (landing / "a.csv").write_text(header + row("m1", "03-31 07:00").strip() + ",x\n")
    of(D1, None)
    with (landing / "a.csv").open("a") as file:
        file.write(row("m2", "04-01 07:00").strip() + ",x\n")
    of(D2, D1)
    assert machines(warehouse) == ["m1", "m2"]


def test_a_file_without_its_last_line_end_may_grow(of, landing, warehouse):
    (landing / "a.csv").write_text(HEADER + row("m1", "03-31 07:00").strip())
    of(D1, None)
    with (landing / "a.csv").open("a") as file:
        file.write("\n" + row("m2", "04-01 07:00"))
    of(D2, D1)
    assert machines(warehouse) == ["m1", "m2"]


def moments(day):
    return pa.array([datetime(2024, 3, day, 6, tzinfo=UTC)], pa.timestamp("ns", tz="UTC"))


def test_parquet_with_nanoseconds_is_staged_and_a_night_may_have_nothing_new(night, warehouse):
    table = pa.table(
        {"machine": ["m1"], "at": moments(30), "seen": moments(31), "temperature": pa.array([20.0], pa.float32())}
    )
    night(table, run_id="a")
    assert machines(warehouse) == ["m1"]
    night(table, D2, D1, run_id="b", arrival=Arrival(0))
    night(table, D3, D2, run_id="c", arrival=Arrival(0))
    assert machines(warehouse) == ["m1"]
    night(table, D1, None, run_id="d", arrival=Arrival(0))
    assert machines(warehouse) == ["m1"]


def test_names_of_folders_survive_the_stage(of, landing, warehouse):
    columns = builders.readings("").columns | {"day": Column(ColumnType.DATE)}
    (landing / "day=2024-03-31").mkdir()
    for name in "ab":
        text = HEADER + row(name, "03-31 07:00") + row(f"{name}2", "04-01 07:00")
        (landing / "day=2024-03-31" / f"{name}.csv").write_text(text)
    options = {
        "file": File(str(landing), changed=Change.CORRECTION),
        "columns": columns,
        "keep": ["temperature", "day"],
    }
    of(D1, None, **options)
    of(D2, D1, **options)
    day = date(2024, 3, 31)
    assert stored(warehouse, "machine", "day") == [("a", day), ("a2", day), ("b", day), ("b2", day)]
    assert rows_of(warehouse, "quarantine", "row") == []


def test_an_old_night_is_run_again_where_its_file_in_a_named_folder_has_grown(of, landing, warehouse):
    columns = builders.readings("").columns | {"day": Column(ColumnType.DATE)}
    (landing / "day=2024-03-31").mkdir()
    file = landing / "day=2024-03-31" / "a.csv"
    file.write_text(HEADER + row("m1", "03-31 07:00"))
    options = {"columns": columns, "keep": ["temperature", "day"]}
    of(D1, None, **options)
    of(D2, D1, **options)
    file.write_text(HEADER + row("m1", "03-31 07:00") + row("m2", "03-31 07:00"))
    of(D1, None, run_id="again", **options)
    assert machines(warehouse) == ["m1"]


def test_a_correction_that_is_taken_back_and_the_last_night_again(night, warehouse):
    good = HEADER + row("m1", "03-31 07:00", 20) + row("m2", "04-01 07:00", 20)
    night(good, run_id="a", arrival=Arrival(0))
    night(good.replace(",20\n", ",25\n"), D2, D1, run_id="b", arrival=Arrival(0))
    night(good, D2, D1, run_id="c", arrival=Arrival(0))
    assert stored(warehouse) == [("m1", 20.0, D1), ("m2", 20.0, D2)]
    assert rows_of(warehouse, "quarantine", "row") == []


NAMES = [
    "a b",
    "a%20b",
    "\u00e4",
    "a\u0308",
    "a+b",
    "a#b",
    "a&b;c",
    "a'b",
    'a"b',
    "a{b}",
    "a,b",
    "a=b",
    "a\\b",
    "a?b",
    "a\nb",
]


def test_rows_of_files_wait_whatever_their_names(of, landing, warehouse):
    for number, name in enumerate(NAMES):
        text = HEADER + row(f"k{number}", "03-31 07:00") + row(f"w{number}", "04-01 07:00")
        (landing / f"{name}.csv").write_text(text)
    of(D1, None)
    of(D2, D1)
    expected = {f"{kind}{number}" for kind in "kw" for number in range(len(NAMES))}
    lost = expected - set(machines(warehouse))
    assert not lost, [NAMES[int(one[1:])] for one in lost]


def test_rows_wait_across_an_edit_of_the_zone(spark, warehouse, project_of, landing, tmp_path):
    from nightjar.sources.ingest import ingest

    (landing / "a.csv").write_text(HEADER + row("m1", "03-31 07:00") + row("m2", "04-01 01:00"))
    project = project_of(builders.readings(landing, arrival=Arrival(0)))
    ingest(spark, warehouse, project, D1, None, "a", tmp_path / "raw", builders.unchecked)
    project = replace(project, zone="America/New_York")
    ingest(spark, warehouse, project, D2, D1, "b", tmp_path / "raw", builders.unchecked)
    assert machines(warehouse) == ["m1", "m2"]


def test_a_stage_that_lacks_a_part_is_refused(night, warehouse):
    text = HEADER + "".join(row(f"m{n}", f"03-31 07:{n:02}") for n in range(40))
    night(text, run_id="a")
    night(text, D2, D1, run_id="b", arrival=Arrival(0))
    parts = sorted(Path(warehouse.path("staged")).rglob("*.parquet"))
    parts[0].unlink()
    with pytest.raises(SourceError, match="that an earlier run has staged are gone"):
        night(text, D1, None, run_id="c")


def test_rows_that_are_no_facts_are_counted_once(night, warehouse, tmp_path):
    folder = tmp_path / "landing"
    folder.mkdir()
    text = HEADER + row("m1", "03-31 07:00") + row("m2", "04-01 07:00") + row("x", "04-01 07:00")
    (folder / "a.csv").write_text(text)
    options = {"file": File(str(folder)), "where": "machine <> 'x'", "arrival": Arrival(0)}
    night("", D1, None, run_id="a", **options)
    night("", D2, D1, run_id="b", **options)
    counts = [
        {check: rows for check, rows, on in rows_of(warehouse, "quality", "check", "rows", "run_date") if on == day}
        for day in (D1, D2)
    ]
    assert [one["not_yet_known"] for one in counts] == [1, 0]
    assert sum(one["not_a_fact"] for one in counts) == 1
