"""Which files a source names: one, those of a folder, those of a pattern."""

import logging

import pytest

from nightjar.errors import SourceError
from nightjar.settings.files import File
from nightjar.sources.formats.files import base, folder_values, list_files, naming, the_file

NAMES = (
    "day=2024-03-30/part-0.csv.gz",
    "day=2024-03-31/part-0.csv.gz",
    "day=2024-03-31/part-1.csv.gz",
    "day=2024-03-31/part-1.csv.gz._COPYING_",
    "day=2024-03-31/_SUCCESS",
    "day=2024-03-31/.part-1.csv.gz.crc",
    "day=2024-03-31/deeper/_by=x/part-2.csv",
    "_temporary/part-3.csv.gz",
    "notes/part-4.txt",
    "[a]/x.csv",
    "a/x.csv",
)


@pytest.fixture
def landing(tmp_path):
    for name in NAMES:
        (tmp_path / "landing" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "landing" / name).write_text(name)
    (tmp_path / "landing" / "empty").mkdir()
    return tmp_path / "landing"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("", [9, 10, 0, 1, 2, 6, 8]),
        ("day=2024-03-31/", [1, 2, 6]),
        ("day=2024-03-31/part-1.csv.gz", [2]),
        ("day=*/part-*.csv.gz", [0, 1, 2]),
        ("day=2024-03-3?", [0, 1, 2, 6]),
        ("day=*/[!_.]*-1.csv.gz", [2]),
        ("*/*/*", [6]),
        ("[a]", [9]),  # a folder that there is
        ("[a]/*.csv", [9]),
        ("[ab]/x.csv", [10]),
        ("empty", []),
        ("day=2023*/x.csv", []),
    ],
)
def test_a_folder_has_all_below_it_and_a_pattern_what_fits_it(landing, path, expected):
    files = list_files(File(str(landing / path)), "readings")
    names = [one.path.removeprefix(f"{landing}/") for one in files]
    assert sorted(names) == sorted(NAMES[number] for number in expected)
    assert names == sorted(names)
    assert [one.size for one in files] == [len(name) for name in names]
    assert [one.modified for one in files] == [(landing / name).stat().st_mtime_ns for name in names]


def test_a_path_is_absolute_and_what_is_left_out_is_in_the_log(landing, monkeypatch, caplog):
    monkeypatch.chdir(landing)
    caplog.set_level(logging.DEBUG, "nightjar.ingest")
    (file,) = list_files(File("day=2024-03-30"), "readings")
    list_files(File("day=2024-03-31/*"), "readings")
    assert file.path == str(landing / NAMES[0])
    hidden = [f"left out as hidden or unfinished: {landing / NAMES[number]}" for number in (3, 4, 5)]
    assert set(caplog.messages) == set(hidden)


@pytest.mark.parametrize("path", ["none.csv", "none/*.csv", "none"])
def test_a_file_or_folder_that_there_is_not_is_named(landing, path):
    with pytest.raises(SourceError, match=rf"Source readings: there is no (file|folder) {landing}/none"):
        list_files(File(str(landing / path)), "readings")


def test_where_one_file_is_expected_none_and_two_are_refused(landing):
    assert the_file(File(str(landing / "notes" / "*")), "readings") == str(landing / NAMES[8])
    for path, number in (("empty", 0), ("day=2024-03-31/part-*", 2)):
        with pytest.raises(SourceError, match=rf"Source readings: .* are {number} files, expected one"):
            the_file(File(str(landing / path)), "readings")


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("day=*/p=a%2Fb/x.csv", {"day": "2024-03-31", "p": "a/b"}),
        ("day=2024-03-31", {"p": "a/b"}),
        ("", {"day": "2024-03-31", "p": "a/b"}),
        ("day=2024-03-31/p=a%2Fb/x.csv", {}),
    ],
)
def test_folders_below_the_one_that_is_named_say_something_of_the_rows(landing, path, values):
    file = landing / "day=2024-03-31" / "p=a%2Fb" / "x.csv"
    file.parent.mkdir()
    file.touch()
    assert folder_values(base(File(str(landing / path)), "readings"), str(file)) == values
    nothing = f"{landing}/day=__HIVE_DEFAULT_PARTITION__/x=/x.csv"
    assert folder_values(str(landing), nothing) == {"day": None, "x": ""}


@pytest.mark.parametrize(
    ("path", "name", "expected"),
    [
        ("", "gone.csv", True),
        ("a", "a/b/gone.csv", True),
        ("a/x.csv", "a/x.csv", True),
        ("a/x.csv", "a/y.csv", False),
        ("day=*/part-*.csv", "day=2024-04-01/part-9.csv", True),
        ("day=*/part-*.csv", "day=2024-04-01/other.csv", False),
        ("day=*", "day=2024-04-01/any.csv", True),
    ],
)
def test_a_file_is_named_whether_it_is_there_or_not(landing, path, name, expected):
    assert naming(File(str(landing / path)), "readings")(f"{landing}/{name}") is expected
