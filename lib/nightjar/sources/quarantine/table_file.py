"""Refused rows as a CSV file that a person can correct in a spreadsheet: RFC 4180, in UTF-8 with a byte-order mark."""

import csv
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nightjar.errors import SourceError, UsageError
from nightjar.sources.formats.failures import require_columns
from nightjar.tables.corrections import RefusedRow
from nightjar.tables.spreadsheets import escape, unescape

HASH, REASONS = "_row_hash", "_reasons"
LONGEST = 1 << 30  # characters of a field


@dataclass(frozen=True)
class CorrectedRow:
    """A row of such a file.

    Attributes:
        line: where it begins.
        row_hash: of the refused row that it stands in for.
        fields: its raw columns, as texts.
    """

    line: int
    row_hash: str
    fields: Mapping[str, str]


def write(path: Path, columns: Sequence[str], rows: Sequence[RefusedRow]) -> None:
    """Write refused rows; what is null is an empty field.

    Raises:
        UsageError: there is a file already, or it cannot be written.
    """
    try:
        with path.open("x", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file)
            writer.writerow([*columns, HASH, REASONS])
            for row in rows:
                texts = [escape(row.texts.get(name) or "") for name in columns]
                writer.writerow([*texts, row.row_hash, escape("; ".join(row.reasons))])
    except OSError as error:
        raise UsageError(
            f"file: {path} cannot be written ({error.strerror}), expected a place for a new file"
        ) from error


def read(path: Path, columns: Sequence[str], source: str) -> list[CorrectedRow]:
    """The rows of a file that was written by `write`, and edited; other columns are left out.

    Args:
        path: of the file.
        columns: raw columns of the source.
        source: its name, for messages.

    Raises:
        SourceError: it is no such file.
    """
    csv.field_size_limit(LONGEST)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = csv.reader(file, strict=True)
            header = next(lines, [])
            require_columns(header, [*columns, HASH], str(path), source)
            rows, begins = [], lines.line_num + 1
            for fields in lines:
                if fields and len(fields) != len(header):
                    raise _unread(source, path, f"line {begins} has {len(fields)} fields, and its header {len(header)}")
                if fields:
                    texts = {name: unescape(fields[header.index(name)]) for name in columns}
                    rows.append(CorrectedRow(begins, fields[header.index(HASH)].strip(), texts))
                begins = lines.line_num + 1
    except (OSError, UnicodeError, csv.Error) as error:
        raise _unread(source, path, str(error)) from error
    return rows


def _unread(source: str, path: Path, why: str) -> SourceError:
    return SourceError(
        f"Source {source}: {path} is not read: {why}. Expected a CSV file in UTF-8 with commas, as action=export "
        "writes it. Nothing was written."
    )


def texts_of(row: CorrectedRow, refused: RefusedRow, missing: Mapping[str, Collection[str]]) -> dict[str, str | None]:
    """The raw columns of a corrected row; an empty field is null unless it was an empty text, and is left as it was.

    Args:
        row: the corrected row.
        refused: the one in whose stead it is.
        missing: column -> fields that are as good as empty.
    """
    fields = {name: "" if field in missing.get(name, ()) else field for name, field in row.fields.items()}
    empty = {name: "" if refused.texts.get(name) == "" else None for name in fields}
    return {name: field or empty[name] for name, field in fields.items()}
