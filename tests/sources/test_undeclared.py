"""Columns that a source has and nobody declares: recorded in `intake`, and reported in the first night with them."""

import json
from dataclasses import replace

import fastavro
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import builders
from builders import rows_of
from nightjar.settings.arrival import Arrival
from nightjar.settings.files import File, FileFormat
from nightjar.sources.formats import files, raw
from nightjar.sources.intake import history, undeclared
from nightjar.tables.source_definitions import INTAKE
from sources.worlds import DAYS


def write_csv(path):
    path.write_text("k,more,more, ,\n1,2,3,4,5\n")


def write_json(path):
    path.write_text('{"k": 1, "more": 2}\n{"k": 1, "later": 2}\n')


def write_parquet(path):
    pq.write_table(pa.table({"k": [1], "more": [[2]]}), path)


def write_avro(path):
    fields = [{"name": name, "type": "long"} for name in ("k", "more")]
    with path.open("wb") as file:
        fastavro.writer(file, {"type": "record", "name": "row", "fields": fields}, [{"k": 1, "more": 2}])


@pytest.mark.parametrize("write", [write_csv, write_json, write_parquet, write_avro])
def test_every_format_says_which_columns_a_file_has_beyond_the_declared_ones(spark, landing, write):
    """Those of a folder's name among them; of JSON, those of the objects that were looked at."""
    (landing / "day=2024-03-31").mkdir()
    path = landing / "day=2024-03-31" / "a"
    write(path)
    file = File(str(landing), format=FileFormat(write.__name__.removeprefix("write_")))
    paths = [one.path for one in files.list_files(file, "readings")]
    read = raw.read(spark, file, paths, ["k"], "readings", landing / "cache")
    assert json.loads(undeclared.as_text(read.names[str(path)], ["k"])) == ["more", "day"]
    assert str(read.rows.first()["k"]) == "1"


def test_a_file_without_objects_says_nothing_of_columns(spark, landing):
    """Had it none, the next night would report every usual one as new."""
    path = landing / "a"
    path.write_text("\n \n")
    read = raw.read(
        spark, File(str(landing), format=FileFormat.JSON), [str(path)], ["k"], "readings", landing / "cache"
    )
    assert undeclared.as_text(read.names.get(str(path)), ["k"]) is None
    assert read.rows.count() == 0


def test_a_new_column_is_reported_once_and_a_table_of_before_can_be_read(run, landing, warehouse, monkeypatch, caplog):
    """The first night that records columns has no new ones, and neither has one that no longer declares a column."""

    def night(number, header, **options):
        (landing / f"{number}.csv").write_text(f"{header}\nm{number},2024-03-30 06:00:00,2024-03-30 07:00:00,20,1,2\n")
        source = builders.readings("", file=File(str(landing)), arrival=Arrival(0), **options)
        run({"readings": source}, DAYS[number], DAYS[number - 1] if number else None)

    old = "machine,at,seen,temperature,one,two"
    with monkeypatch.context() as before:
        before.setattr(undeclared, "as_text", lambda *_: None)
        columns = tuple(column for column in INTAKE.columns if column.name != "undeclared")
        before.setattr(history, "INTAKE", replace(INTAKE, columns=columns))
        night(0, old)
    night(1, old)
    night(2, old.replace("two", "three"))
    columns = {name: column for name, column in builders.readings("").columns.items() if name != "seen"}
    night(3, old.replace("two", "four"), columns=columns, known_at=None)
    recorded = [("0.csv", None), ("1.csv", ["one", "two"]), ("2.csv", ["one", "three"])]
    rows = [row for row in rows_of(warehouse, "intake", "item", "undeclared", "run_date") if row[-1] < DAYS[3]]
    assert [(item[-5:], text and json.loads(text)) for item, text, _ in rows] == recorded
    checks = rows_of(warehouse, "quality", "check", "run_date", "message")
    messages = {day: message for check, day, message in checks if check == "new columns"}
    assert messages == {DAYS[2]: "not declared: three", DAYS[3]: "not declared: four"}
    assert [line for line in caplog.messages if "new columns" in line] == [
        f"source readings: new columns, which are not declared: {name}" for name in ("three", "four")
    ]
