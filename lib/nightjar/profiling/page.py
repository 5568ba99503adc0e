"""The look at a raw file as a page: what each column holds, and what was decided of a project."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath

from markupsafe import Markup

from nightjar.profiling import terminal
from nightjar.profiling.columns import ColumnProfile, FileProfile
from nightjar.report import charts
from nightjar.report.page import fill
from nightjar.settings.files import FileFormat


@dataclass(frozen=True)
class Figure:
    """A column with its picture."""

    column: ColumnProfile
    chart: Markup | None


def render(profile: FileProfile, project: str | None = None, files: Mapping[str, str] | None = None) -> str:
    """The page as text.

    Args:
        profile: what the file holds.
        project: that was made of it; None: none was.
        files: of that project, path -> text.
    """
    return fill(
        "nightjar.profiling",
        "profile.html.j2",
        profile=profile,
        title=PurePath(profile.file.path).name,
        kind="CSV" if profile.file.format is FileFormat.CSV else "Parquet",
        figures=[Figure(column, _chart(column)) for column in profile.columns.values()],
        project=project,
        files=files or {},
        checks=terminal.open_checks(files or {}),
        format_value=terminal.format_value,
    )


def _chart(column: ColumnProfile) -> Markup | None:
    if column.distribution is None:
        return None
    return charts.histogram(column.distribution, f"Share of rows by {column.name}", height=150)
