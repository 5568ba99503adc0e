"""Where on the page a table, a source or a column stands: addresses that survive any name."""

import re

from nightjar.expressions.lineage import Layer, TableColumn
from nightjar.tables.source_definitions import source_table_name

_TABLES = {Layer.FEATURES: "features", Layer.LABELS: "labels", Layer.SCORES: "scores"}


def name_of(*parts: str) -> str:
    """The name of an anchor, unlike that of any other parts.

    Example:
        >>> name_of("features", "route__late_rate_7d"), name_of("a b", "c")
        ('features.route__late_rate_7d', 'a~20b.c')
    """
    return ".".join(re.sub(r"[^\w-]", lambda sign: f"~{ord(sign[0]):x}", part) for part in parts)


def of_table(table: str) -> str:
    """The address of a table."""
    return f"#{name_of('table', table)}"


def of_source(source: str) -> str:
    """The address of a source: its raw data and its datasheet."""
    return f"#{name_of('source', source)}"


def place_of(column: TableColumn) -> str:
    """The name of the anchor of a column in the lineage."""
    if column.layer is Layer.FACTS:
        return name_of(source_table_name(column.place), column.name)
    if column.layer in _TABLES:
        return name_of(_TABLES[column.layer], column.name)
    return name_of("raw", column.place, column.name)


def of_column(column: TableColumn) -> str:
    """The address of a column."""
    return f"#{place_of(column)}"
