"""What is alerted stands in the table and in the log."""

import json
import re
from datetime import date
from pathlib import Path

import pytest

from nightjar.alerts import runbook
from nightjar.alerts.recording import Alert, record
from nightjar.settings.monitoring.alerting import Severity
from nightjar.tables import arrow
from nightjar.tables.warehouse import Warehouse

NIGHT = date(2024, 4, 1)


def test_an_alert_is_recorded_and_logged_and_a_rerun_names_the_same_one(tmp_path, caplog):
    warehouse = Warehouse(str(tmp_path), "machines")
    alert = Alert("fallback", "champion", Severity.CRITICAL, "version 3 scores in place of 4", {"rows": 12})
    assert record(warehouse, [], NIGHT, "run-0") == {}
    assert record(warehouse, [alert], NIGHT, "run-1") == {"alerts": 1}
    record(warehouse, [alert], NIGHT, "run-2")
    first, again = arrow.read(warehouse, "alerts").sort_by("changed_at").to_pylist()
    assert first["alert_id"] == again["alert_id"]
    assert first["run_date"] == NIGHT
    assert (first["state"], first["severity"], json.loads(first["evidence"])) == ("new", "critical", {"rows": 12})
    assert [(one.levelname, one.getMessage()) for one in caplog.records if one.name == "nightjar.alerts"] == [
        ("ERROR", "fallback of champion: version 3 scores in place of 4")
    ] * 2


@pytest.mark.parametrize("kind", [*runbook.PLACES, "covariate"])
def test_where_an_alert_says_to_read_there_is_such_a_heading(kind):
    path, _, anchor = runbook.place(kind).partition("#")
    lines = (Path(__file__).parents[2] / path).read_text(encoding="utf-8").splitlines()
    headings = [line.lstrip("# ") for line in lines if line.startswith("#")]
    assert anchor in [re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings]
