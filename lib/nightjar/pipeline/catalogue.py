"""The catalogue of a project, written beside its reports; `jobs/report.py` calls it."""

from nightjar.report.catalogue import writing
from nightjar.runtime import logs
from nightjar.settings.project import Project
from nightjar.tables.warehouse import Warehouse


def write(warehouse: Warehouse, project: Project) -> str:
    """Write the catalogue, without secrets; the path of its page. No lease is needed, and no run is recorded."""
    return writing.write(warehouse, project, logs.redact)
