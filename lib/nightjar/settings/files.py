"""Settings of a raw file: where it lies, what format it has, and how its texts are written."""

import codecs
from collections.abc import Iterator, Sequence
from dataclasses import field
from typing import Annotated, Any

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from nightjar.settings import patterns
from nightjar.settings.checks import Issue, expect, expect_no_twins
from nightjar.settings.choices import Choice
from nightjar.settings.validation import settings

NULL_TEXT = "NA"
_THOUSANDS = (".", ",", "'", "_", " ", "\u00a0", "\u202f", "\u2019")
_NO_SIGNS = ("\\", "\n", "\r", "\0")
"""Of these Python and Spark make different things."""


class FileFormat(Choice):
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"
    AVRO = "avro"


class Change(Choice):
    """What it means that a file which a night has read has other content."""

    ERROR = "error"
    CORRECTION = "correction"


def _require_texts(value: Any) -> Any:
    if isinstance(value, str) or (isinstance(value, list) and all(isinstance(one, str) for one in value)):
        return value
    raise PydanticCustomError("texts", "expected {expected}", {"expected": "a text, or a list of texts"})


Texts = Annotated[str | list[str], BeforeValidator(_require_texts)]


@settings
class Dialect:
    """How CSV files are written, where that is not as RFC 4180 has it, in UTF-8, and with the texts of `Column`.

    Patterns of dates and timestamps are those of Spark and Java, of these parts: `yyyy`, `yy` (2000 to 2099), `MM`,
    `M`, `MMM` (Jan), `dd`, `d`, `HH`, `H`, `hh` and `h` with `a` (AM, PM), `mm`, `ss`, `S` to `SSSSSS`, and the offsets
    `X` (+02), `XX` (+0200), `XXX` (+02:00), each of which may be `Z`. Letters that stand for themselves are in single
    quotes (`yyyyMMdd'T'HHmm`). `MM` has two digits, `M` one or two. Without an offset a timestamp is read as UTC.

    Attributes:
        delimiter: the sign between fields.
        quote: the sign around a field that holds delimiters or line ends; twice within such a field it is itself.
            Empty: none, and every sign stands for itself.
        encoding: such as `cp1252`, `latin-1` or `utf-16`. Other files than those in UTF-8 are rewritten in it, into
            the folder `home`, once for each content.
        names: the columns, in order, of files without a header line. A row with any other number of fields stops the
            night, as in files with a header.
        comment: a sign; lines that begin with it are no rows.
        decimal: the sign before the fraction of a number.
        thousands: a sign between groups of three digits, which a number has all or none of.
        date_formats: patterns of dates, in place of `2024-03-31`.
        timestamp_formats: patterns of timestamps, in place of `2024-03-31 06:00:00` and its like.
    """

    delimiter: str = ","
    quote: str = '"'
    encoding: str = "utf-8"
    names: list[str] = field(default_factory=list)
    comment: str | None = None
    decimal: str = "."
    thousands: str | None = None
    date_formats: list[str] = field(default_factory=list)
    timestamp_formats: list[str] = field(default_factory=list)

    def issues(self) -> Iterator[Issue]:
        """Whether signs are single and different, the encoding is one, and patterns are read in one way."""
        signs = {"delimiter": self.delimiter, "comment": self.comment}
        signs |= {"quote": self.quote} if self.quote else {}
        used = {name: sign for name, sign in signs.items() if sign is not None}
        for name, sign in used.items():
            is_sign = len(sign) == 1 and sign not in _NO_SIGNS and (name == "delimiter" or sign != "\t")
            yield from expect(is_sign, name, sign, "one sign, and no backslash, line end or NUL")
        yield from expect(self.delimiter != " ", "delimiter", " ", "a sign that is no blank")
        different = len(set(used.values())) == len(used)
        yield from expect(
            different, "delimiter", list(used.values()), "different signs as delimiter, quote and comment"
        )
        yield from expect(_is_encoding(self.encoding), "encoding", self.encoding, "one that Python knows, as cp1252")
        yield from sign_issues(self.decimal, self.thousands)
        yield from expect_no_twins("names", dict.fromkeys(self.names))
        repeated = sorted({name for name in self.names if self.names.count(name) > 1})
        yield from expect(not repeated, "names", repeated, "each name once")
        yield from patterns.issues("date_formats", self.date_formats, with_times=False)
        yield from patterns.issues("timestamp_formats", self.timestamp_formats, with_times=True)

    @property
    def is_utf8(self) -> bool:
        """Whether files can be read as they are; a byte-order mark is none of the text."""
        return codecs.lookup(self.encoding).name in ("utf-8", "utf-8-sig")


def sign_issues(decimal: str, thousands: str | None) -> Iterator[Issue]:
    """Signs of numbers by which a text could be read as two numbers, or as none."""
    yield from expect(decimal in (".", ","), "decimal", decimal, "a point or a comma")
    is_apart = thousands is None or (thousands in _THOUSANDS and thousands != decimal)
    yield from expect(is_apart, "thousands", thousands, "another sign than decimal, one of . , ' _ and blanks")


def _is_encoding(name: str) -> bool:
    """Whether bytes become texts by it, and not, as by `rot13` or `zlib`, something else."""
    try:
        return "a".encode(name).decode(name) == "a"
    except (LookupError, ValueError):
        return False


@settings
class File:
    """Raw files: one, all of a folder and the folders in it, or those that a pattern names.

    In a pattern `*` and `?` stand for any signs of one name and `[ab]` for one of some (`landing/day=*/part-*.csv.gz`);
    a path that there is stands for itself. Names of folders below, such as `day=2024-03-31`, give all rows in them a
    column `day`, of text, where a source declares it. Files whose names begin with `_` or `.`, or end with
    `._COPYING_`, are left out of folders and patterns, as by Spark. Files may be compressed by gzip, bzip2 or zstd, and
    a zip archive holding one file is read as that file. Files of one source may have their columns in different orders,
    and further ones.

    Attributes:
        package: Python package whose data folder holds the files; the package is located, never imported.
        path: path inside the package, or a local or object-store path when there is no package.
        format: `csv`; `json`, an object on each line; `parquet`; or `avro`.
        null_text: the text that stands for a missing value in CSV, besides the empty text, or a list of them.
        dialect: how CSV is written.
        changed: what a night does where a file that an earlier night has read has other content. `error`: it stops, and
            names the file. `correction`: it reads the file again, and rows that are new or other than before become
            versions known since this night. Lines that were appended to CSV are no change: only they are read. None:
            `correction` where `path` names one file, `error` where it names a folder or a pattern.
    """

    path: str
    package: str | None = None
    format: FileFormat = FileFormat.CSV
    null_text: Texts = NULL_TEXT
    dialect: Dialect = field(default_factory=Dialect)
    changed: Change | None = None

    def issues(self) -> Iterator[Issue]:
        """Whether what only CSV has is said of CSV."""
        is_csv = self.format is FileFormat.CSV
        expected = f"nothing: only CSV has it, and the format is {self.format}"
        yield from expect(is_csv or self.dialect == Dialect(), "dialect", self.dialect, expected)
        has_default = self.null_texts == [NULL_TEXT]
        yield from expect(is_csv or has_default, "null_text", self.null_text, f"{expected}, which has nulls of its own")

    @property
    def place(self) -> str:
        """What messages call it."""
        return self.path

    @property
    def null_texts(self) -> Sequence[str]:
        """All texts that stand for a missing value, besides the empty one."""
        return [self.null_text] if isinstance(self.null_text, str) else self.null_text

    @property
    def missing_texts(self) -> frozenset[str]:
        """All texts that stand for a missing value; only CSV has such."""
        return frozenset({"", *self.null_texts} if self.format is FileFormat.CSV else ())
