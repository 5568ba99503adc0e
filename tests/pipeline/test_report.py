"""The job of reports: what it writes without a lease or a run."""

from pathlib import Path

import builders
from nightjar.pipeline import report
from nightjar.pipeline.execution import Context
from nightjar.pipeline.sessions import Sessions
from nightjar.settings.report import Report, ReportAction
from nightjar.tables import arrow
from nightjar.tables.warehouse import Warehouse
from report.page import Page
from review import loans


def test_the_catalogue_and_the_index_lead_to_each_other(tmp_path):
    environment = builders.quick_environment(warehouse=str(tmp_path / "warehouse"), home=str(tmp_path / "home"))
    settings = Report(environment, loans.project(), action=ReportAction.CATALOGUE)
    warehouse = Warehouse(environment.warehouse, "loans")
    warehouse.check_writable()
    loans.store(warehouse, settings.project, cases=10, past=0)
    before = arrow.versions(warehouse, ["scores", "runs"])
    report.run(Context(settings, "config", Sessions(environment, "tests"), warehouse, "revision"))
    assert arrow.versions(warehouse, ["scores", "runs"]) == before
    folder = Path(warehouse.path("reports"))
    assert sorted(one.name for one in folder.iterdir()) == ["catalogue.html", "catalogue.json", "index.html"]
    for name, other in (("index.html", "catalogue.html"), ("catalogue.html", "index.html")):
        page = Page((folder / name).read_text(encoding="utf-8"))
        assert other in [of.get("href") for tag, of in page.tags if tag == "a"]
    page = Page((folder / "catalogue.html").read_text(encoding="utf-8"))
    assert "scores_latest" in page.text
