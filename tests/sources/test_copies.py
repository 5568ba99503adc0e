"""Files that Spark does not read as they are get copies that it does, once for each content."""

import codecs
import gzip
import zipfile

import pytest

from nightjar.errors import SourceError
from nightjar.settings.files import Dialect, File
from nightjar.sources.formats import contents, copies

TEXT = "k,v\nK\u00f6ln \u20ac,1\r\n" + "\u00e9\u00e8,2\n" * 40


@pytest.fixture(params=[3, 1 << 20], autouse=True)
def chunk(request, monkeypatch):
    """Signs do not end where pieces do."""
    monkeypatch.setattr(copies, "CHUNK", request.param)
    monkeypatch.setattr(contents, "CHUNK", request.param)


def copied(path, encoding, cache):
    return copies.readable(str(path), File(str(path), dialect=Dialect(encoding=encoding)), "readings", cache)


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16", "utf-16-le", "utf-32", "iso8859-15"])
def test_another_encoding_is_rewritten_once(tmp_path, encoding):
    (tmp_path / "a.csv").write_bytes(TEXT.encode(encoding))
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(TEXT.encode(encoding)))
    with zipfile.ZipFile(tmp_path / "a.csv.zip", "w") as archive:
        archive.writestr("a.csv", TEXT.encode(encoding))
    cache = tmp_path / "cache"
    paths = [copied(tmp_path / name, encoding, cache) for name in ("a.csv", "a.csv.gz", "a.csv.zip")]
    for path in paths:
        with open(path, encoding="utf-8", newline="") as file:  # noqa: PTH123
            assert file.read() == TEXT
    before = [one.stat().st_mtime_ns for one in sorted(cache.rglob("*"))]
    assert [copied(tmp_path / "a.csv", encoding, cache)] == paths[:1]
    assert [one.stat().st_mtime_ns for one in sorted(cache.rglob("*"))] == before


def test_utf_8_is_read_as_it_is(tmp_path):
    for encoding in ("utf-8", "UTF8", "utf-8-sig"):
        assert copied(tmp_path / "a.csv", encoding, tmp_path / "cache") == str(tmp_path / "a.csv")


@pytest.mark.parametrize(
    ("content", "encoding", "place"),
    [
        (b"k,v\na,1\nb\x81,2\n", "cp1252", "line 3 holds, 9 bytes after the beginning of the file, 0x81"),
        (b"k,v\nK\xf6ln,1\n", "ascii", "line 2 holds, 5 bytes after the beginning of the file, 0xf6"),
        (
            codecs.BOM_UTF16_LE + "k\na\n".encode("utf-16-le") + b"\x00\xdc\n\x00",
            "utf-16",
            "line 3 holds, 10 bytes after",
        ),
        ("k\na".encode("utf-16-le") + b"\n", "utf-16-le", "line 2 holds, 6 bytes"),
    ],
)
def test_bytes_that_the_encoding_does_not_have_are_named_and_nothing_is_left(tmp_path, content, encoding, place):
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(SourceError, match=rf"Source readings: {tmp_path}/a.csv is not {encoding}: {place}"):
        copied(tmp_path / "a.csv", encoding, tmp_path / "cache")
    assert [one.name for one in (tmp_path / "cache").rglob("*.csv")] == []
