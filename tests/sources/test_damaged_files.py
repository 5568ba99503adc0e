"""A file that is missing, damaged or of another shape stops the ingest before anything is written."""

import gzip
import zipfile
from dataclasses import replace
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import builders
from nightjar.errors import SourceError, UsageError
from nightjar.settings.files import File, FileFormat
from nightjar.sources.ingest import ingest

GOOD = "machine,at,seen,temperature\n" + "".join(
    f"m{n},2024-03-20 06:00:00,2024-03-20 07:00:00,{n}\n" for n in range(9)
)


def write_zip(path: Path, *texts: str) -> bytes:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, text in enumerate(texts):
            archive.writestr(f"{number}.csv", text)
    return path.read_bytes()


def missing(folder):
    (folder / "readings.csv").unlink()


def empty(folder):
    (folder / "readings.csv").write_text("")


def truncated_line(folder):
    (folder / "readings.csv").write_text(GOOD[:-30])


def lacks_column(folder):
    (folder / "readings.csv").write_text(GOOD.replace("temperature", "temp"))


def changed_type(folder):
    (folder / "readings.csv").write_text(GOOD.replace(",2024-03-20 07", ",20 March 7"))


def not_utf8(folder):
    (folder / "readings.csv").write_bytes("machine,at,seen,température\n".encode("latin-1"))


def zipped(folder, content):
    (folder / "readings.csv.zip").write_bytes(content)
    return {"file": File(str(folder / "readings.csv.zip"))}


def truncated_zip(folder):
    return zipped(folder, write_zip(folder / "whole.zip", GOOD * 50)[:-40])


def damaged_zip(folder):
    whole = write_zip(folder / "whole.zip", GOOD * 50)
    return zipped(folder, whole[:60] + b"\xff" * 20 + whole[80:])


def zip_of_two(folder):
    return zipped(folder, write_zip(folder / "whole.zip", GOOD, GOOD))


def no_package(folder):
    return {"file": File("data.csv", package="no_such_package")}


def no_parquet(folder):
    (folder / "readings.parquet").write_text("PAR")
    return {"file": File(str(folder / "readings.parquet"), format=FileFormat.PARQUET)}


def damaged_parquet(folder):
    """Its footer is whole: what is wrong is met when its rows are read."""
    path = folder / "readings.parquet"
    rows = [line.split(",") for line in GOOD.splitlines()]
    pq.write_table(pa.table({name: [row[n] for row in rows[1:]] for n, name in enumerate(rows[0])}), path)
    content = path.read_bytes()
    path.write_bytes(content[:4] + b"\xff" * 40 + content[44:])
    return {"file": File(str(path), format=FileFormat.PARQUET)}


def truncated_gzip(folder):
    (folder / "readings.csv.gz").write_bytes(gzip.compress((GOOD * 2000).encode())[:-2000])
    return {"file": File(str(folder / "readings.csv.gz"))}


def empty_folder(folder):
    (folder / "readings.csv").unlink()
    (folder / "readings.csv").mkdir()


def folder_of_csv(folder):
    (folder / "readings").mkdir()
    (folder / "readings" / "a.csv").write_text(GOOD)
    return {"file": File(str(folder / "readings"), format=FileFormat.PARQUET)}


def parquet_as_csv(folder):
    pq.write_table(pa.table({"machine": ["m1"]}), folder / "readings.csv")


def name_not_utf8(folder):
    path = folder / "readings.parquet"
    pq.write_table(pa.table({"machine": ["m1"], "cafe": [1]}), path, store_schema=False)
    path.write_bytes(path.read_bytes().replace(b"cafe", b"caf\xe9"))
    return {"file": File(str(path), format=FileFormat.PARQUET)}


def nul(folder):
    (folder / "readings.csv").write_text(GOOD.replace("m1,", '"\0""",'))


def wrong_expression(folder):
    return {"derived": {"fahrenheit": "celsius * 9 / 5 + 32"}}


def no_sql(folder):
    return {"checks": {"warm": "temperature >"}}


def wrong_where(folder):
    return {"where": "temprature > 0"}


def fails_on_a_row(folder):
    return {"derived": {"share": "CAST(1 / CAST(temperature AS INT) AS DOUBLE)"}, "keep": ["share"]}


@pytest.mark.parametrize(
    ("damage", "parts"),
    [
        (missing, ["there is no file", "readings.csv"]),
        (empty, ["readings.csv is empty, expected a header line"]),
        (truncated_line, ["1 rows of", "do not have as many fields as its header", "truncated or damaged"]),
        (
            lacks_column,
            ["lacks the column temperature; it has machine, at, seen, temp"],
        ),
        (changed_type, ["9 of 9 new rows are refused", "seen: not a timestamp", "20 March 7:00:00"]),
        (not_utf8, ["readings.csv", "UTF-8"]),
        (truncated_zip, ["readings.csv.zip is not a whole zip archive", "truncated or damaged"]),
        (damaged_zip, ["readings.csv.zip is not a whole zip archive", "truncated or damaged"]),
        (zip_of_two, ["readings.csv.zip holds 2 files, expected one"]),
        (no_package, ["no_such_package", "is not installed"]),
        (no_parquet, ["readings.parquet"]),
        (damaged_parquet, ["readings.parquet cannot be read: ", "looks damaged", "fetch it again"]),
        (truncated_gzip, ["readings.csv.gz cannot be read: ", "Truncated", "fetch it again"]),
        (empty_folder, ["there is no file at ", "arrival.min_rows=0"]),
        (folder_of_csv, ["/readings cannot be read: ", "/readings/a.csv: ", "not a parquet file"]),
        (parquet_as_csv, ["readings.csv is Parquet, expected CSV"]),
        (name_not_utf8, ["readings.parquet has a column whose name is not UTF-8"]),
        (nul, ["readings.csv is no text: line 3 holds the byte 0x00"]),
        (wrong_expression, ["readings.derived.fahrenheit", "'celsius * 9 / 5 + 32'", "does not fit", "temperature"]),
        (no_sql, ["readings.checks.warm", "'temperature >'", "does not fit"]),
        (wrong_where, ["readings.where", "'temprature > 0'", "does not fit"]),
        (fails_on_a_row, ["readings", "DIVIDE_BY_ZERO"]),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_the_error_names_source_and_fault_and_no_table_has_changed(nights, copied, spark, tmp_path, damage, parts):
    """Also the sources before the damaged one, which were read and judged without fault, are left as they were."""
    builders.write_files(tmp_path / "files")
    (tmp_path / "files" / "readings.csv").write_text(GOOD)
    options = damage(tmp_path / "files") or {}
    project = builders.machines(tmp_path / "files")
    readings = replace(project.sources["readings"], **options)
    # Built without its checks: the features of the project do not matter to the ingest.
    broken = replace(project, features={}, sources=project.sources | {"readings": readings})
    before = builders.versions(copied.warehouse)
    with pytest.raises((SourceError, UsageError)) as refused:
        ingest(
            spark,
            copied.warehouse,
            broken,
            date(2024, 4, 3),
            date(2024, 4, 2),
            "run",
            tmp_path / "raw",
            builders.unchecked,
        )
    message = str(refused.value)
    assert "readings" in message
    assert [part for part in parts if part not in message] == []
    assert builders.versions(copied.warehouse) == before
