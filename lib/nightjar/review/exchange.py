"""Cases as a CSV file that a person fills in with decisions: RFC 4180, in UTF-8 with a byte-order mark."""

import csv
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

from nightjar.errors import ReviewError, UsageError
from nightjar.review.desk import LONGEST_REASON, Act
from nightjar.tables.reviews import DECIDE
from nightjar.tables.spreadsheets import escape, unescape

ID, DECISION, REASON = "prediction_id", "decision", "reason"
FILLED_IN = (DECISION, REASON)
MOST_PROBLEMS = 20
"""Problems of a file that a message names."""


def write(path: Path, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write cases, `ID` first, with two empty columns at the end: `DECISION` and `REASON`.

    Raises:
        UsageError: there is a file already, or it cannot be written.
    """
    try:
        with path.open("x", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file)
            writer.writerow([ID, *heads, *FILLED_IN])
            writer.writerows([*map(escape, row), "", ""] for row in rows)
    except OSError as error:
        why = f"cannot be written ({error.strerror}), expected a place for a new file"
        raise UsageError(f"file: {path} {why}") from error


def read(path: Path, decisions: Collection[str]) -> list[Act]:
    """The decisions of a file that `write` wrote and a person filled in; a case without one is left out.

    Raises:
        ReviewError: it is no such file, or names what is no decision; says all of it, by lines.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = csv.DictReader(file, strict=True)
            missing = [name for name in (ID, *FILLED_IN) if name not in (lines.fieldnames or ())]
            if missing:
                raise _unread(path, f"it has no column {', '.join(missing)}")
            rows = [(lines.line_num, row) for row in lines]
    except (OSError, UnicodeError, csv.Error) as error:
        raise _unread(path, str(error)) from error
    texts = [(line, {name: unescape((row.get(name) or "").strip()) for name in (ID, *FILLED_IN)}) for line, row in rows]
    problems = list(_problems(texts, decisions))
    if problems:
        more = [f"and {len(problems) - MOST_PROBLEMS:,} more"] if len(problems) > MOST_PROBLEMS else []
        raise _unread(path, "; ".join([*problems[:MOST_PROBLEMS], *more]))
    return [Act(row[ID].casefold(), DECIDE, row[DECISION], row[REASON] or None) for _, row in texts if row[DECISION]]


def _problems(rows: Iterable[tuple[int, dict[str, str]]], decisions: Collection[str]) -> Iterator[str]:
    first: dict[str, int] = {}
    for line, row in rows:
        name, decision = row[ID].casefold(), row[DECISION]
        if not decision:
            continue
        if decision not in decisions:
            yield f"line {line}: decision {decision!r}, expected one of {', '.join(decisions)}, or nothing"
        if first.setdefault(name, line) != line:
            yield f"line {line}: line {first[name]} is about the same case"
        if len(row[REASON]) > LONGEST_REASON:
            yield f"line {line}: a reason of {len(row[REASON]):,} characters, expected {LONGEST_REASON:,} at most"


def _unread(path: Path, why: str) -> ReviewError:
    return ReviewError(
        f"{path} is not imported: {why}. Expected a CSV file in UTF-8 with commas, as action=export writes it. "
        "Nothing was written."
    )
