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
        """A message in which `column=value`, and `column [of table ...] holds value`, do not say the value.

        Whatever puts a value of a column into words for a log writes it so.

        Example:
            >>> Masking(frozenset({"district"})).text("2 rows at district=Old Town, day=2024-04-02 have no label.")
            '2 rows at district=(masked), day=2024-04-02 have no label.'
        """
        return text if self._statement is None else self._statement.sub(rf"\g<1>{MASK}", text)

    @cached_property
    def _statement(self) -> re.Pattern[str] | None:
        if not self.columns:
            return None
        names = "|".join(map(re.escape, sorted(self.columns, key=len, reverse=True)))
        hidden, column = re.escape(MASK[:-1]), rf"(?<![\w.])(?:spine\.)?(?:{names})"
        several = rf"(?<=holds )(?!{hidden}){_VALUE}(?:, {_VALUE})*"
        return re.compile(rf"({column}(?:=| (?:of table [^\n]*?)?holds ))(?:{several}|(?!{hidden}){_VALUE})")


NOTHING_HIDDEN = Masking()
_PLAIN = re.compile(r"^feature | \(column\)$")
_VALUE = r"""(?:'[^'\n]*'|"[^"\n]*"|\[[^\]\n]*\]|[^\n]*?(?=[,;)](?:\s|$)|[.:](?:\s|$)| in |\n|$))"""
"""A value in a message: in quotes, in brackets, or up to the next sign that ends it."""


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
