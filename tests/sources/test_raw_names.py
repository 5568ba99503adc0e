"""Whatever a raw file or its folder is called, that very file is read."""

import re
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from nightjar.errors import SourceError
from nightjar.settings.files import File, FileFormat
from sources.reading import read_raw


def read(spark, path, tmp_path, **options):
    rows = read_raw(spark, File(str(path), **options), ["k"], tmp_path)
    return [row.k for row in rows.collect()]


@pytest.mark.parametrize("name", ["a[1]{b,c}*?", "50%20 #&=", "gr\u00f6\u00dfe \\d"])
def test_signs_that_stand_for_others_elsewhere_stand_for_themselves(spark, tmp_path, name):
    folder = tmp_path / name
    folder.mkdir()
    (tmp_path / "a1b").mkdir()
    (tmp_path / "a1b" / f"{name}.csv").write_text("k\nother\n")
    (folder / f"{name}.csv").write_text("k\nthis\n")
    pq.write_table(pa.table({"k": ["that"]}), folder / f"{name}.parquet")
    assert read(spark, folder / f"{name}.csv", tmp_path) == ["this"]
    assert read(spark, folder / f"{name}.parquet", tmp_path, format=FileFormat.PARQUET) == ["that"]


def test_a_name_that_hadoop_cannot_read_is_told(spark, tmp_path):
    (tmp_path / "10:30.csv").write_text("k\nthis\n")
    with pytest.raises(SourceError, match=r"Source readings: .*10:30\.csv has a colon in its name, .* Rename it"):
        read(spark, tmp_path / "10:30.csv", tmp_path)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("_r.csv", "hidden or unfinished"),
        (".r.csv", "hidden or unfinished"),
        ("r.csv._COPYING_", "hidden or unfinished"),
        ("r.csv.lz4", "LZ4"),
    ],
)
def test_a_file_that_spark_would_leave_out_or_misread_is_told(spark, tmp_path, name, why):
    (tmp_path / name).write_text("k\nthis\n")
    with pytest.raises(SourceError, match=rf"Source readings: .*{re.escape(name)} .*{why}.*Nothing was written"):
        read(spark, tmp_path / name, tmp_path)


@pytest.mark.parametrize("name", ["..", "../../outside.csv", "_hidden.csv", "plain.csv"])
def test_the_name_within_an_archive_leads_nowhere(spark, tmp_path, name):
    with zipfile.ZipFile(tmp_path / "readings.csv.zip", "w") as archive:
        archive.writestr(name, "k\nthis\n")
    assert read(spark, tmp_path / "readings.csv.zip", tmp_path) == ["this"]
    assert {one.name for one in tmp_path.iterdir()} == {"readings.csv.zip", "cache"}
