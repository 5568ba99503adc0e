"""Columns that items have and nobody declares: they are recorded, and reported in the first night with them."""

import json
from collections.abc import Collection, Iterable, Sequence
from datetime import date

from nightjar.sources.items import Entry


def as_text(names: Sequence[str] | None, declared: Collection[str]) -> str | None:
    """The columns of an item that are not declared, as JSON; None: nobody knows its columns.

    Args:
        names: of all its columns; one without a name is left out.
        declared: names of the source's columns.
    """
    if names is None:
        return None
    return json.dumps([name for name in dict.fromkeys(names) if name.strip() and name not in declared])


def columns_before(entries: Iterable[Entry], run_date: date) -> frozenset[str] | None:
    """All columns that items have had which nights before have read; None: no night has recorded them.

    Args:
        entries: what nights have read of a source.
        run_date: the night.
    """
    before = [entry for entry in entries if entry.run_date < run_date and entry.undeclared is not None]
    if not before:
        return None
    texts = {text for entry in before for text in (entry.columns, entry.undeclared or "[]")}  # few, and often the same
    return frozenset(name for text in texts for name in json.loads(text))


def new(entries: Iterable[Entry], before: frozenset[str] | None) -> tuple[str, ...]:
    """The undeclared columns of a night's items that those of nights before did not have; of a first load, none.

    Args:
        entries: what the night has read.
        before: see `columns_before`.
    """
    if before is None:
        return ()
    names = [name for entry in entries if entry.undeclared is not None for name in json.loads(entry.undeclared)]
    return tuple(name for name in dict.fromkeys(names) if name not in before)
