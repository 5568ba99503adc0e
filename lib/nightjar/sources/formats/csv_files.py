"""Check a CSV file before Spark reads it: its header, encoding and quotes.

By RFC 4180 commas separate fields and line ends separate rows; a quoted field may contain both, and a quote doubled.
In other dialects other signs do.
"""

import codecs
import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nightjar.errors import SourceError
from nightjar.settings.files import Dialect
from nightjar.sources.formats.lines import blocks

RFC_4180 = Dialect()
LONGEST = (1 << 31) - 1  # characters of a field; the default of Python's reader is 131,072


@dataclass(frozen=True)
class CsvFormat:
    """How Spark must read a file.

    Attributes:
        header: the names of its columns, unchanged; without a header line those that its dialect gives.
        row_end: the line end of every row; None: each row is one line, with any line end.
        is_plain: whether quotes are only around fields, none of them in one, and each carriage return is of a line end.
    """

    header: list[str]
    row_end: str | None
    is_plain: bool = field(default=False, compare=False)


def read_format(path: str, source: str, dialect: Dialect = RFC_4180, name: str | None = None) -> CsvFormat:
    """Read a file once, compressed or not, and check it; lines without quotes are not parsed.

    Args:
        path: of the file.
        source: name for messages.
        dialect: how it is written. Its encoding is that of UTF-8.
        name: of the file in messages; None: its path.

    Raises:
        SourceError: it is empty and should have a header, is no text in UTF-8 or holds NUL bytes, its quotes are not
            those of RFC 4180, or it has rows of several lines together with blank lines before its header or mixed line
            ends, which Spark misreads.
        OSError: it cannot be opened, or unpacked to its end.
    """
    csv.field_size_limit(LONGEST)  # of the whole process: other threads read files, too
    return _read(_Lines(path, f"Source {source}: {name or path}", dialect), dialect)


def signs(dialect: Dialect) -> dict[str, Any]:
    """The signs of a dialect, as arguments of Python's reader."""
    quoting: dict[str, Any] = {"quotechar": dialect.quote} if dialect.quote else {"quoting": csv.QUOTE_NONE}
    return {"delimiter": dialect.delimiter} | quoting


def is_blank(row: Sequence[str]) -> bool:
    """Whether a row is a line of blanks, and so no header."""
    return len(row) <= 1 and not any(map(str.strip, row))


def _has_plain_quotes(block: bytes, quote: bytes, delimiter: bytes) -> bool:
    """Whether quotes in whole lines are around fields of one line, and none is in one; all signs are one byte long."""
    data = np.frombuffer(block, np.uint8)
    places = np.flatnonzero(data == quote[0])
    if len(places) % 2:
        return False
    first, last = places[::2], places[1::2]
    borders = np.isin(np.arange(256), [*delimiter, *b"\n\r"])
    line_ends = np.flatnonzero(data == ord("\n"))
    if (np.searchsorted(places, line_ends) % 2).any():  # after an odd number of quotes
        return False
    before, after = data[np.maximum(first, 1) - 1], data[last + 1]  # a line end comes last, and has one before it
    return bool(np.all(borders[before] | (first == 0)) and np.all(borders[after]))


def _read(lines: "_Lines", dialect: Dialect) -> CsvFormat:
    reader = csv.reader(lines, strict=True, **signs(dialect))
    rows, header, blank = 0, list(dialect.names), 0
    where = lines.where
    try:
        for row in reader:
            rows += 1
            lines.end_row()
            if not header and not is_blank(row):
                header, blank, lines.of_header = row, rows - 1, False
    except csv.Error as error:
        raise SourceError(
            f"{where} is not CSV as RFC 4180 has it: {error} in the row of line {lines.first}. A quote within quotes "
            "is written as two, and what is in quotes ends with one. If the file is truncated, fetch it again. "
            "Nothing was written."
        ) from error
    if not header:
        raise SourceError(f"{where} is empty, expected a header line. Nothing was written.")
    if reader.line_num == rows:
        return CsvFormat(header, None, lines.is_plain)
    if blank or len(lines.ends) > 1:
        what = "blank lines before its header" if blank else "some that end otherwise than others"
        raise SourceError(
            f"{where} has rows of several lines, and {what}: Spark misreads such a file. Write it anew without. "
            "Nothing was written."
        )
    return CsvFormat(header, next(iter(lines.ends)))


class _Lines:
    """The lines that a CSV reader needs: all up to the header, then those of quoted rows. All are checked to be UTF-8.

    Attributes:
        where: source and file, for messages.
        number: of the last line.
        first: number of the line in which the last row begins.
        ends: the line ends of rows.
        of_header: whether the header is still to come.
        is_plain: see `CsvFormat`; of the blocks so far.
    """

    def __init__(self, path: str, where: str, dialect: Dialect) -> None:
        self.path, self.where, self.number, self.first, self.ends = path, where, 0, 0, set[str]()
        self.of_header, self.starts, self.is_plain = not dialect.names, True, True
        self.quote, self.comment = dialect.quote.encode(), (dialect.comment or "").encode()
        self.delimiter = dialect.delimiter.encode()
        self.end = ""

    def end_row(self) -> None:
        """Note that the last line ends a row."""
        self.starts = True
        self.ends |= {self.end} - {""}

    def __iter__(self) -> Iterator[str]:
        for block in blocks(self.path):
            self._require_text(block)
            ends = self._ends_of_plain(block)
            self.is_plain &= bool(ends or (block[-1:] not in (b"\n", b"\r") and self._ends_of_plain(block + b"\n")))
            if ends and not self.of_header and self.starts and not self.comment:
                lines = int(np.count_nonzero(np.frombuffer(block, np.uint8) == ord("\n")))
                self.number, self.ends = self.number + lines, self.ends | ends
                continue
            for number, line in enumerate(block.splitlines(keepends=True), self.number + 1):
                self.number, self.end = number, _end(line)
                text = line.removeprefix(codecs.BOM_UTF8) if number == 1 else line
                if self.starts and self._is_comment(text):
                    self.end_row()
                    continue
                if not self.of_header and (not self.quote or self.quote not in line):
                    if self.starts:
                        self.end_row()
                    continue
                if self.starts:
                    self.first, self.starts = number, False
                yield text.decode()

    def _ends_of_plain(self, block: bytes) -> set[str]:
        """The line ends of a block in which each line is plainly a row: quotes only around fields, none of them in one.

        Empty where a block may hold another one, or no line end, so that its lines are to be looked at one by one.
        """
        returns = block.count(b"\r") if b"\r" in block else 0  # to look for one that is not there takes no time
        is_of_bytes = len(self.delimiter) == 1 and len(self.quote) <= 1
        if not is_of_bytes or block[-1:] != b"\n" or (returns and returns != block.count(b"\r\n")):
            return set()
        if self.quote and self.quote in block and not _has_plain_quotes(block, self.quote, self.delimiter):
            return set()
        if not returns:
            return {"\n"}
        return {"\r\n"} if returns == block.count(b"\n") else {"\n", "\r\n"}

    def _is_comment(self, line: bytes) -> bool:
        """Whether Spark takes a line for a comment."""
        if not self.comment or not line.lstrip().startswith(self.comment):
            return False
        if self.of_header and not line.startswith(self.comment):
            raise SourceError(
                f"{self.where} has, before its header, a comment that begins with blanks: line {self.number}. Begin it "
                f"with {self.comment.decode()} itself. Nothing was written."
            )
        return line.startswith(self.comment)

    def _require_text(self, block: bytes) -> None:
        """Refuse bytes that are no text, with their line."""
        if self.number == 0 and block.startswith(b"PAR1"):
            raise SourceError(
                f"{self.where} is Parquet, expected CSV. If that is meant: file.format: parquet. Nothing was written."
            )
        try:
            block.decode()
        except UnicodeDecodeError as error:
            raise SourceError(
                f"{self.where} is not UTF-8: line {self._line(block, error.start)} holds the byte "
                f"0x{block[error.start]:02x}, which is no letter there. Declare what it is (file.dialect.encoding: "
                "latin-1), or write it as UTF-8. Nothing was written."
            ) from error
        if 0 in block:
            raise SourceError(
                f"{self.where} is no text: line {self._line(block, block.index(0))} holds the byte 0x00, which Spark "
                "misreads beside quotes. Write it without, or declare what it is (file.dialect.encoding: utf-16). "
                "Nothing was written."
            )

    def _line(self, block: bytes, place: int) -> int:
        """The number of the line that holds a byte of the next block."""
        return self.number + len((block[:place] + b".").splitlines())


def _end(line: bytes) -> str:
    if line[-2:] == b"\r\n":
        return "\r\n"
    return {b"\n": "\n", b"\r": "\r"}.get(line[-1:], "")
