"""The table `references` by its rows: how subjects and slices are called, and what a version's reference is."""

ALL_COLUMNS, ALL_SCORES = "all columns", "all scores"
"""Subjects that stand for all features, and for all that is watched of scores; no feature is called so."""
TOGETHER = "columns together"
"""The subject of how columns go with each other, where that is watched (`project.monitoring.drift.multivariate`)."""


def length_of(column: str) -> str:
    """The subject that is the number of characters of a column's texts."""
    return f"length({column})"


def column_of_length(subject: str) -> str | None:
    """The column whose lengths are the subject; None: it is another one."""
    return subject[7:-1] if subject.startswith("length(") else None


def slice_of(column: str, level: str) -> str:
    """The name of a slice: the rows with a value in a column."""
    return f"{column}={level}"


def column_of_slice(name: str) -> tuple[str, str]:
    """The column and the value of a slice."""
    column, _, level = name.partition("=")
    return column, level
