"""Names for what is stored: those of the file where they can stand, else others like them."""

import re
import unicodedata
from collections.abc import Iterable

from nightjar.settings.checks import NAME
from nightjar.settings.column_names import RESERVED
from nightjar.settings.spine import OF_LABELS, WEIGHT

LONGEST = 40  # letters: names of features are made of them
_OF_TABLES = (
    "event_time", "known_at", "stated_known_at", "ingested_on", "retraction", "bucket", "prediction_id", "role",
    "model_version", "score", "input_warnings", "unseen_levels",
)  # fmt: skip
RESERVED_NAMES = frozenset({*RESERVED, *OF_LABELS, WEIGHT, *_OF_TABLES})
"""Columns that some table has by itself."""


def stored_names(columns: Iterable[str]) -> dict[str, str]:
    """Column of the file -> the name it is stored under: plain, no table's own, and no twin of another."""
    names, used = dict[str, str](), {one.casefold() for one in columns} | RESERVED_NAMES
    for column in columns:
        fits = NAME.fullmatch(column) is not None and len(column) <= LONGEST and column.casefold() not in RESERVED_NAMES
        names[column] = column if fits else unused(plain(column), used)
        used.add(names[column].casefold())
    return names


def plain(text: str) -> str:
    """A plain identifier in lower case that is like a text."""
    letters = unicodedata.normalize("NFKD", text.casefold()).encode("ascii", "ignore").decode()
    name = re.sub(r"[^a-z0-9]+", "_", letters).strip("_")[:LONGEST].strip("_")
    return name if name[:1].isalpha() else f"column_{name}".strip("_")


def unused(name: str, used: Iterable[str]) -> str:
    """The name, or where it is used already the same with a number behind."""
    used_names, number, free = {one.casefold() for one in used}, 2, name
    while free.casefold() in used_names:
        free, number = f"{name}_{number}", number + 1
    return free
