"""The index of nights and of projects, and the server that shows them."""

import http.client
import threading
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import pytest

from nightjar.errors import UsageError
from nightjar.report import index
from nightjar.report import night as report
from nightjar.report.calendar import months
from nightjar.report.reading import open_tables
from nightjar.report.serving import Reports
from nightjar.report.trends import trends
from nightjar.tables.warehouse import Warehouse
from report import nights, watching
from report.page import Page

OTHER = "sp_other"


@pytest.fixture(scope="module")
def indexed(tmp_path_factory):
    """A warehouse with a project of four weeks, one page of which is there, and one project without verdicts."""
    warehouse = nights.warehouse_in(tmp_path_factory.mktemp("indexed"))
    nights.store_scores(warehouse, [0.1, 0.4])
    nights.store_performance(warehouse)
    watching.store_verdicts(warehouse, watching.STATES.split())
    watching.store_signals(warehouse, watching.SIGNALS)
    watching.store_seconds(warehouse)
    report.write(warehouse, nights.project(), nights.NIGHT)
    index.write(Warehouse(warehouse.root, OTHER), nights.project())
    return warehouse, Page(Path(warehouse.path("reports/index.html")).read_text(encoding="utf-8"))


def test_each_night_stands_in_the_calendar_and_leads_to_its_page(indexed):
    _, page = indexed
    days = {of["class"] for tag, of in page.tags if of.get("class", "").startswith("day ")}
    assert days == {"day day-none", "day day-ok", "day day-watch", "day day-act", "day day-unknown"}
    assert {of["href"] for tag, of in page.tags if tag == "a" and of.get("class", "").startswith("day")} == {
        "night-2013-10-03.html"
    }
    nights_listed = page.table("Nights of the last")
    assert [row["Verdict"].split(" ")[1].lower() for row in nights_listed] == watching.STATES.split()[::-1]
    assert (nights_listed[0]["Night"], nights_listed[0]["Why"]) == ("2013-10-03", watching.SENTENCE)


def test_the_newest_night_is_judged_at_the_head(indexed):
    _, page = indexed
    assert "Do not rely on the scores of 2013-10-03 before you have acted." in page.text


def test_a_calendar_begins_weeks_on_mondays_and_has_the_newest_month_first():
    shown = months({date(2013, 9, 30): "ok", date(2013, 10, 1): "act"}, [])
    assert [month.name for month in shown] == ["October 2013", "September 2013"]
    assert shown[1].weeks[-1][0].day == date(2013, 9, 30)
    assert shown[0].weeks[0][0].day is None  # it is September's
    assert [day.state for day in shown[0].weeks[0]] == [None, "act", None, None, None, None, None]


def test_trends_are_drawn_of_what_is_stored(indexed):
    warehouse, _ = indexed
    tables = open_tables(warehouse, nights.NIGHT)
    drawn = {trend.caption for trend in trends(tables, nights.project()) if trend.picture}
    assert drawn == {
        "ROC AUC by date, as labels say by now",
        "Signals that something is amiss",
        "Scores of a night",
        "Seconds of a night's steps",
    }


def test_a_damaged_table_of_another_night_leaves_its_trend_out(indexed, tmp_path):
    """Neither the index nor the night's page stops for it."""
    warehouse = nights.warehouse_in(tmp_path)
    nights.store_performance(warehouse)
    watching.store_verdicts(warehouse, ["ok", "ok"])
    for file in Path(warehouse.path("performance")).rglob("*.parquet"):
        file.write_bytes(b"damaged")
    index.write(warehouse, nights.project())
    assert (
        "Not drawn: the table performance cannot be read."
        in Page(Path(warehouse.path("reports/index.html")).read_text(encoding="utf-8")).text
    )


def test_the_overview_names_every_project_that_has_an_index(indexed):
    warehouse, _ = indexed
    page = Page(Path(index.write_overview(warehouse.root)).read_text(encoding="utf-8"))
    assert "▲ ACT 2013-10-03: " + watching.SENTENCE in page.text
    assert nights.project().title in page.text
    assert page.text.count("No night has a verdict yet.") == 1
    assert len(page.lists["strip"]) == 28


@contextmanager
def served(root):
    server = Reports(str(root), 0)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


def ask(server, path, host=None, method="GET"):
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    connection.request(method, path, headers={} if host is None else {"Host": host})
    answer = connection.getresponse()
    return answer.status, answer.getheader("Content-Type"), answer.read()


def test_reports_are_served_to_whoever_has_the_address_and_nothing_else_is(indexed):
    warehouse, _ = indexed
    index.write_overview(warehouse.root)
    page = Path(warehouse.path("reports/night-2013-10-03.html")).read_bytes()
    with served(warehouse.root) as server:
        own = f"/{server.secret}"
        assert server.address == f"http://127.0.0.1:{server.server_port}{own}/"
        assert ask(server, f"{own}/")[:2] == (200, "text/html; charset=utf-8")
        assert ask(server, f"{own}/flights/reports/night-2013-10-03.html") == (200, "text/html; charset=utf-8", page)
        assert ask(server, f"{own}/flights/reports/night-2013-10-03.json")[1] == "application/json; charset=utf-8"
        assert ask(server, f"{own}/flights/reports/night-2013-10-03.html", method="HEAD")[2] == b""
        for path in (
            *("/", "/flights/reports/night-2013-10-03.html", "/x/flights/reports/night-2013-10-03.html"),
            *(f"{own}/flights/reports/night-2013-12-24.html", f"{own}/flights/scores/_delta_log/0.json"),
            *(f"{own}/flights/reports/../scores.html", f"{own}/%2e%2e/secret.html", f"{own}/../index.html"),
            *(f"{own}//etc/passwd.html", f"{own}/flights/reports/.night.html"),
        ):
            assert ask(server, path)[0] == 404, path
        assert ask(server, f"{own}/", host=f"evil.example:{server.server_port}")[0] == 421
        assert ask(server, f"{own}/", method="POST")[0] == 501


def test_a_port_that_is_not_free_is_refused(tmp_path):
    with served(tmp_path) as server, pytest.raises(UsageError, match=r"port: 127\.0\.0\.1:\d+ cannot be listened on"):
        Reports(str(tmp_path), server.server_port)


def test_an_index_of_no_night_says_so(tmp_path):
    warehouse = nights.warehouse_in(tmp_path)
    page = Page(Path(index.write(warehouse, nights.project())).read_text(encoding="utf-8"))
    assert "No night has a verdict or a report yet." in page.text


def test_the_calendar_ends_after_so_many_days(tmp_path):
    warehouse = nights.warehouse_in(tmp_path)
    watching.store_verdicts(warehouse, ["ok"] * (index.DAYS + 5))
    page = Page(Path(index.write(warehouse, nights.project())).read_text(encoding="utf-8"))
    assert len(page.table("Nights of the last")) == index.DAYS
    assert page.table("Nights of the last")[-1]["Night"] == str(nights.NIGHT - timedelta(days=index.DAYS - 1))
