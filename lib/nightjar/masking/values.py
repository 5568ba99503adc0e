"""Values and texts without what sensitive columns hold: whatever shows a value of a column asks here."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pyarrow as pa

from nightjar.settings.project import Project

MASK = "(masked)"
"""What people see in place of a value."""


@dataclass(frozen=True)
class Masking:
    """Hides the values of some columns.

    A value that is missing is hidden, too: that it is missing tells something of a row.

    Attributes:
        columns: whose values nobody is to see on pages, in logs and in MLflow; none: everything is shown.
    """

    columns: frozenset[str] = frozenset()

    def hides(self, column: str) -> bool:
        """Whether the values of a column are hidden."""
        return column in self.columns

    def value(self, column: str, value: Any) -> Any:
        """A value of a column as it may be shown.

        Example:
            >>> Masking(frozenset({"income"})).value("income", 31_000)
            '(masked)'
        """
        return MASK if column in self.columns else value

    def row(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The values of a row, column -> value, as they may be shown."""
        return {name: self.value(name, value) for name, value in row.items()}

    def table(self, rows: pa.Table) -> pa.Table:
        """Rows in which a sensitive column is the text `MASK`.

        A column that was renamed, as the name was another's, counts in its stead: `feature income`, `income (column)`.
        """
        renamed = {_PLAIN.sub("", name) for name in rows.column_names if _PLAIN.search(name)}
        for place, name in enumerate(rows.column_names):
            if _PLAIN.sub("", name) in self.columns and name not in renamed:
                rows = rows.set_column(place, name, pa.repeat(pa.scalar(MASK), len(rows)))
        return rows

    def text(self, text: str) -> str:
        """A message in which `column=value`, and `column [of table name] holds values`, do not say the values.

        Whatever puts a value of a column into words for a log writes it so; `in_words` writes the first.

        Example:
            >>> Masking(frozenset({"district"})).text("2 rows at district=Old Town, day=2024-04-02 have no label.")
            '2 rows at district=(masked), day=2024-04-02 have no label.'
        """
        return text if self._statement is None else self._statement.sub(rf"\g<1>\g<2>{MASK}", text)

    @cached_property
    def _statement(self) -> re.Pattern[str] | None:
        if not self.columns:
            return None
        names = "|".join(map(re.escape, sorted(self.columns, key=len, reverse=True)))
        own, unmasked = rf"(?<![\w.])(?:spine\.)?(?:{names})", rf"(?!{re.escape(MASK[:-1])})"
        several = rf"(?:, (?!and |which ){_VALUE})*"
        holds = rf"{own}(?: of table [^\n;:]*?)? holds "
        return re.compile(rf"({own}=){unmasked}{_VALUE}|({holds}){unmasked}{_VALUE}{several}")


NOTHING_HIDDEN = Masking()
_PLAIN = re.compile(r"^feature | \(column\)$")
_QUOTED = r"""'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*\""""
_WORD = r"""-?\d+(?:\.\d+)?(?:e[+-]?\d+)?|\d{4}-\d\d-\d\d[ T][\d:.]+(?:[+-][\d:]+|Z)?|(?![A-Za-z]{1,4}\.\s)[\w:+-]*\w"""
_PLAIN_VALUE = rf"""(?:{_WORD}|null or NaN)(?=[,;)](?:\s|$)|[.:](?:\s|$)| in \d|\n|$)"""
"""A number, an instant, or one word, as `in_words` writes it, up to the sign that ends it. A word that may be an
abbreviation, as in St. Mary, is none before a point."""
_VALUE = rf"""(?:{_QUOTED}|\[[^\]\n]*\]|[\w.]+\([^)\n]*\)|{_PLAIN_VALUE}|[^\n]*?(?=[,;] [\w.]+=|\)(?:\s|$)|\n|$))"""
"""A value in a message: in quotes, in brackets, written as code, or plain. What is none of these nobody of ours has
written, and nobody can tell where it ends: it is hidden up to the next `name=`, or with the rest of its line."""
_HARMLESS = re.compile(r"[\w:+-]+")


def in_words(values: Mapping[str, Any]) -> str:
    """Values of a row for a message, so that `Masking.text` finds where each ends; a text with other signs is quoted.

    Example:
        >>> in_words({"machine": "m2", "district": "St. Mary, Old Town", "load": 3})
        "machine=m2, district='St. Mary, Old Town', load=3"
    """
    return ", ".join(f"{name}={_in_quotes(value)}" for name, value in values.items())


def _in_quotes(value: Any) -> str:
    return repr(value) if isinstance(value, str) and not _HARMLESS.fullmatch(value) else str(value)


def masking_of(project: Project) -> Masking:
    """The masking that a project declares: of `serving.sensitive`, and of what sensitive features are made of.

    A feature of a group hides the column of its source. So names are of the feature table and of sources alike.
    """
    return Masking(frozenset({*project.serving.sensitive, *_columns_behind(project, project.serving.sensitive)}))


def _columns_behind(project: Project, sensitive: Collection[str]) -> set[str]:
    return {
        feature.column
        for name, group in project.features.items()
        for label, feature in group.features.items()
        if not {f"{name}__{one}" for one in feature.names(label)}.isdisjoint(sensitive)
    }
