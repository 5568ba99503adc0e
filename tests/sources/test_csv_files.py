"""What a CSV file is told to be before Spark reads it, by RFC 4180 and UTF-8."""

import gzip
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nightjar.errors import SourceError
from nightjar.settings.files import Dialect
from nightjar.sources.formats import contents, csv_files
from nightjar.sources.formats.csv_files import CsvFormat, read_format

LONG = b"k,at\n" + b"a,1\n" * 30


@pytest.fixture(params=[5, 16, 1 << 20], autouse=True)
def chunk(request, monkeypatch):
    """Files are read in pieces, and lines do not end where pieces do."""
    monkeypatch.setattr(contents, "CHUNK", request.param)


def looked(folder, content, name="readings.csv", dialect=csv_files.RFC_4180):
    (folder / name).write_bytes(content)
    return read_format(str(folder / name), "readings", dialect)


@pytest.mark.parametrize(
    ("content", "header", "row_end"),
    [
        (b"k,at\na,1\n", ["k", "at"], None),
        (b"\n  \nk,at\na,1", ["k", "at"], None),
        (b",k,at,\r\n0,a,1,\r\n", ["", "k", "at", ""], None),
        (b'\xef\xbb\xbf"k","odd ""name"", x"\ra,1\r', ["k", 'odd "name", x'], None),
        (b'k,at\n"5"" pipe",1\n"C:\\data\\",2\n"5"", pipe",3\n5" pipe,4\n', ["k", "at"], None),
        ('k,at\n"\x0b\x0c\x85\u2028",1\n'.encode(), ["k", "at"], None),
        (b'k,at\n"a\nb",1\n', ["k", "at"], "\n"),
        (b'k,at\r\n"a\nb",1\r\n"a\rb",1', ["k", "at"], "\r\n"),
        (b'"k\nx",at\r\na,1\r\n', ["k\nx", "at"], "\r\n"),
        (b'k,at\n"a\r\n\r\n' + b"x\r\n" * 30 + b'b",1\n', ["k", "at"], "\n"),
        (LONG + b'"a\nb",1\n', ["k", "at"], "\n"),
    ],
)
def test_header_and_line_ends_within_quotes(tmp_path, content, header, row_end):
    assert looked(tmp_path, content) == CsvFormat(header, row_end)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty, expected a header line"),
        (b"\n\n", "is empty, expected a header line"),
        ("k\xf6,at\n".encode("latin-1"), "is not UTF-8: line 1 holds the byte 0xf6"),
        ("k,at\na,1\nK\xf6ln,2\n".encode("latin-1"), "is not UTF-8: line 3 holds the byte 0xf6"),
        ("k,at\na,\xfc".encode("latin-1"), "is not UTF-8: line 2 holds the byte 0xfc"),
        (LONG + b"\xc0\xaf,1\n", "is not UTF-8: line 32 holds the byte 0xc0"),
        ("k,at\na,1\n".encode("utf-16"), "is not UTF-8: line 1 holds the byte 0xff"),
        (b'k,at\na,1\n"a"b,2\n', "',' expected after '\"' in the row of line 3"),
        (b'k,at\n"b\n\nc,1\n', "unexpected end of data in the row of line 2"),
        (LONG + b'"b,1\nc,2\n', "unexpected end of data in the row of line 32"),
        (b'\nk,at\n"a\nb",1\n', "has rows of several lines, and blank lines before its header"),
        (b'k,at\n"a\nb",1\r\nc,2\r\n', "has rows of several lines, and some that end otherwise"),
    ],
)
def test_what_spark_would_misread_is_refused_with_its_line(tmp_path, content, message):
    with pytest.raises(SourceError) as refused:
        looked(tmp_path, content)
    assert f"Source readings: {tmp_path}/readings.csv {message}" in str(refused.value).replace(
        "is not CSV as RFC 4180 has it: ", ""
    )


ROWS = ["a,1\n", '"a",1\n', 'a,""\r\n', '"a,",1\n', '"a\n",1\n', '5",1\n', '"a""",\n', '"a"b\n', ' "a"\n', "\r"]
LINES = st.lists(st.sampled_from(ROWS))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=LINES, last=st.sampled_from(["", "a", '"']))
def test_blocks_that_are_plainly_rows_are_skipped_only_where_that_changes_nothing(tmp_path, lines, last):
    content = "".join(["k,at\n", *lines, last]).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_files._Lines, "_ends_of_plain", lambda *_: set())
        expected = outcome(tmp_path, content)
    assert outcome(tmp_path, content) == expected


def outcome(folder, content):
    try:
        return looked(folder, content)
    except SourceError as error:
        return str(error)


SEMICOLONS = Dialect(delimiter=";", quote="'", comment="#")
BARE = Dialect(delimiter="|", quote="")
NAMED = Dialect(names=["k", "at"])


@pytest.mark.parametrize(
    ("content", "dialect", "header", "row_end"),
    [
        (b"k;'a;''t'\n\"a;1\n", SEMICOLONS, ["k", "a;'t"], None),
        (b"#'\nk;at\n#'x\n'a\n#b';1\n", SEMICOLONS, ["k", "at"], "\n"),
        (b"\xef\xbb\xbf# ;'\r\nk;at\r\n #x;1", SEMICOLONS, ["k", "at"], None),
        (b'k|"at\n"a|1\n', BARE, ["k", '"at'], None),
        (b"a,1\n", NAMED, ["k", "at"], None),
        (b"", NAMED, ["k", "at"], None),
        (b'\n\n"a\nb",1\n', NAMED, ["k", "at"], "\n"),
        ("k\u00a7at\n".encode(), Dialect(delimiter="\u00a7"), ["k", "at"], None),
    ],
)
def test_a_dialect_has_signs_of_its_own(tmp_path, content, dialect, header, row_end):
    assert looked(tmp_path, content, dialect=dialect) == CsvFormat(header, row_end)


@pytest.mark.parametrize(
    ("content", "dialect", "message"),
    [
        (b"#x\n  # y\nk;at\n", SEMICOLONS, "has, before its header, a comment that begins with blanks: line 2"),
        (b"# only\n", SEMICOLONS, "is empty, expected a header line"),
        (b"k;at\n'a'b;1\n", SEMICOLONS, "';' expected after"),
        (b'"a"b,1\n', NAMED, "',' expected after '\"' in the row of line 1"),
    ],
)
def test_what_spark_would_misread_of_a_dialect_is_refused(tmp_path, content, dialect, message):
    with pytest.raises(SourceError, match=re.escape(message)):
        looked(tmp_path, content, dialect=dialect)


def test_a_field_may_be_longer_than_python_reads_by_itself(tmp_path, monkeypatch):
    monkeypatch.setattr(contents, "CHUNK", 1 << 20)
    assert looked(tmp_path, b'k,at\n"' + b"x" * 200_000 + b'",1\n') == CsvFormat(["k", "at"], None)


def test_a_packed_file_is_looked_through_too(tmp_path):
    with pytest.raises(SourceError, match="line 32 holds the byte 0xf6"):
        looked(tmp_path, gzip.compress(LONG + b"K\xf6ln,1\n"), "readings.csv.gz")
