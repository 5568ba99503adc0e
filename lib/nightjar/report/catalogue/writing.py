"""Where the catalogue is stored: a page, and the same as JSON, beside the reports of nights."""

from collections.abc import Callable

from nightjar.report.catalogue.contents import read_catalogue
from nightjar.report.catalogue.page import render
from nightjar.report.catalogue.record import to_json
from nightjar.report.index import CATALOGUE
from nightjar.report.page import save
from nightjar.settings.project import Project
from nightjar.tables.warehouse import Warehouse

PAGE, RECORD = f"reports/{CATALOGUE}", "reports/catalogue.json"


def write(warehouse: Warehouse, project: Project, redact: Callable[[str], str] = str) -> str:
    """Write the catalogue of a project; the path of its page.

    Args:
        warehouse: whose tables.
        project: its settings.
        redact: takes secrets out of a text.
    """
    catalogue = read_catalogue(warehouse, project)
    save(warehouse.path(RECORD), redact(to_json(catalogue)))
    path = warehouse.path(PAGE)
    save(path, redact(render(catalogue)))
    return path
