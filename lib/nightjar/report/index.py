"""The index of a project's nights, and of the projects of a warehouse: calendars of verdicts, and trends."""

import json
import logging
import re
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from nightjar.errors import TableError
from nightjar.masking.values import masking_of
from nightjar.report import page
from nightjar.report.calendar import WEEKDAYS, months
from nightjar.report.reading import PinnedTables, open_tables
from nightjar.report.states import UNKNOWN
from nightjar.report.trends import trends
from nightjar.report.verdict import HEADLINES
from nightjar.settings.project import Project
from nightjar.tables.warehouse import Warehouse

log = logging.getLogger("nightjar.report")
DAYS = 400
"""Days of the calendar, up to the last night."""
CATALOGUE = "catalogue.html"
"""The page beside the index, where there is one."""
_STRIP = 28
_PAGE = re.compile(r"night-(\d{4}-\d\d-\d\d)\.html")


@dataclass(frozen=True)
class ShownNight:
    """A night as a line of the index."""

    day: date
    state: str
    sentence: str
    version: str | None
    has_page: bool


@dataclass(frozen=True)
class ShownProject:
    """A project as a line of the index of a warehouse.

    Attributes:
        nights: verdicts of its last nights, ascending.
        sentence: of the last one, as its page says it.
    """

    name: str
    title: str
    nights: list[tuple[date, str]]
    sentence: str


def write(warehouse: Warehouse, project: Project) -> str:
    """Write `<warehouse>/<project>/reports/index.html`; its path or address. A table that is damaged is said to be so.

    Raises:
        TableError: a table's log cannot be read.
    """
    tables = open_tables(warehouse, date.max, masking_of(project))
    reports = warehouse.path("reports")
    names = page.names(reports)
    pages = [date.fromisoformat(one[1]) for name in names if (one := _PAGE.fullmatch(name))]
    nights = _nights(tables, set(pages))
    last = max((one.day for one in nights), default=None)
    drawn = trends(replace(tables, run_date=last), project) if last is not None else []
    shown = [one for one in nights if last is not None and one.day > last - timedelta(days=DAYS)]
    path = f"{reports}/index.html"
    filled = page.fill(
        "nightjar.report",
        "templates/index.html.j2",
        title=project.title or project.name,
        zone=project.zone,
        has_catalogue=CATALOGUE in names,
        nights=shown,
        months=months({one.day: one.state for one in shown}, [one.day for one in shown if one.has_page]),
        weekdays=WEEKDAYS,
        trends=drawn,
        headlines=HEADLINES,
        days=DAYS,
        versions=tables.versions,
    )
    page.save(path, filled)
    return path


def _nights(tables: PinnedTables, pages: set[date]) -> list[ShownNight]:
    """Nights with a verdict or a page, the newest first; what has a page and no verdict is UNKNOWN."""
    rows: dict[date, dict[str, Any]] = {}
    try:
        for row in tables.rows("verdicts", ["run_date", "verdict", "sentence", "model_version"]):
            rows[row["run_date"]] = row
    except TableError as error:
        log.warning("the index goes without verdicts: %s", error)
    without = {"verdict": UNKNOWN, "sentence": "No verdict is stored.", "model_version": None}
    return [
        ShownNight(day, str(row["verdict"]), str(row["sentence"] or ""), row["model_version"], day in pages)
        for day in sorted({*rows, *pages}, reverse=True)
        for row in [rows.get(day, without)]
    ]


def write_overview(root: str) -> str:
    """Write `<warehouse>/index.html`, of all projects that have reports; its path or address."""
    base = Warehouse(root, "").path("").rstrip("/")
    projects = [_project(Warehouse(root, name)) for name in page.folders(base)]
    path = f"{base}/index.html"
    shown = [one for one in projects if one is not None]
    page.save(path, page.fill("nightjar.report", "templates/overview.html.j2", projects=shown, headlines=HEADLINES))
    return path


def _project(warehouse: Warehouse) -> ShownProject | None:
    """A project by its verdicts and its last night's JSON, which hides what is sensitive in it; None: no reports."""
    names = page.names(warehouse.path("reports"))
    if "index.html" not in names:
        return None
    tables = open_tables(warehouse, date.max)
    verdicts: dict[date, str] = {}
    try:
        recent = tables.read("verdicts", ["run_date", "verdict"])
        verdicts = {} if recent is None else {row["run_date"]: str(row["verdict"]) for row in recent.to_pylist()}
    except TableError as error:
        log.warning("project %s goes without verdicts: %s", warehouse.project, error)
    stored = [name for name in names if re.fullmatch(r"night-.*\.json", name)]
    about = _stored(warehouse.path(f"reports/{stored[-1]}")) if stored else {}
    sentence = str(about.get("verdict", {}).get("sentence", ""))
    last = sorted(verdicts.items())[-_STRIP:]
    return ShownProject(warehouse.project, str(about.get("title", warehouse.project)), last, sentence)


def _stored(path: str) -> dict[str, Any]:
    try:
        content = json.loads(page.read(path))
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}
