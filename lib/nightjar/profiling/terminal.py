"""What was seen of a raw file, and what was made of it, for the terminal."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from itertools import takewhile
from typing import Any

from rich.markup import escape
from rich.table import Table

from nightjar.profiling.columns import FileProfile
from nightjar.profiling.yaml import CHECK, printable
from nightjar.report.formatting import shorten

LONGEST = 24  # letters of an example


def table(profile: FileProfile) -> Table:
    """A row for each column."""
    grid = Table(title=f"{profile.rows:,} rows of {escape(profile.file.path)}", title_justify="left")
    for head in ("column", "type", "nulls", "different", "least", "median", "greatest", "examples"):
        grid.add_column(head, justify="left" if head in ("column", "type", "examples") else "right", overflow="fold")
    for column in profile.columns.values():
        nulls = f"{column.nulls:,}" if column.nulls else "-"
        values = (column.least, column.quantiles.get(0.5), column.greatest)
        examples = ", ".join(shorten(one, LONGEST) for one in column.examples)
        cells = (column.name, column.kind.word, nulls, f"{column.distinct:,}", *map(format_value, values), examples)
        grid.add_row(*(escape(printable(cell)) for cell in cells))
    return grid


def format_value(value: Any) -> str:
    """A value as people read it; a dash for none."""
    if value is None:
        return "-"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, date):
        return value.isoformat()
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def remarks(profile: FileProfile) -> Iterator[str]:
    """What one may wonder about the columns."""
    for column in profile.columns.values():
        if column.reason:
            yield f"{column.name} is a {column.kind.word}: {column.reason}"
    for name, why in profile.left_out.items():
        yield f"{name!r} is left out: {why}"


@dataclass(frozen=True)
class Check:
    """What a person must check.

    Attributes:
        path: the file.
        line: of the remark in it.
        setting: what was decided, as it stands there.
        words: what the data alone cannot tell.
    """

    path: str
    line: int
    setting: str
    words: str


def open_checks(files: Mapping[str, str]) -> list[Check]:
    """All remarks that are marked so, with the settings below them."""
    checks = list[Check]()
    for path, text in files.items():
        lines = [line.strip() for line in text.splitlines()]
        for number, line in enumerate(lines):
            if line.startswith(f"# {CHECK}"):
                rest = list(takewhile(lambda one: one.startswith("# "), lines[number:]))
                words = " ".join(one.removeprefix("# ") for one in rest).removeprefix(CHECK)
                setting = lines[number + len(rest)].partition("  #")[0].removesuffix(":")
                checks.append(Check(path, number + 1, setting, words))
    return checks
