"""`nightjar new-project`: from a file to a project that composes, and that is built as it stands."""

import re
import shutil
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

import editor
from builders import rows_of
from nightjar.config import BASE, compose_job, make_settings
from nightjar.errors import UsageError
from nightjar.features.build import build
from nightjar.features.column_checks import require_fit
from nightjar.learning.search.feasibility import require_feasible
from nightjar.profiling import command, project_files
from nightjar.settings.jobs import JobName
from nightjar.sources.ingest import ingest
from nightjar.tables.warehouse import Warehouse
from nightjar.timeline import parse_run_date
from profiling.profiles import write_csv
from report.page import Page

ROOT = Path(__file__).resolve().parents[2]
FIRST, DAYS = date(2024, 3, 1), 40
GATES = {f"gate {name}": "pass" for name in ("unique_key", "freshness")}
GATES |= {f"gate {name}_not_null": "pass" for name in ("value_2", "event_time_2", "null")}
GATES |= {f"gate {name}_between": "pass" for name in ("amount", "null")}
GATES |= {"gate event_time_2_accepted_values": "pass"}
GATES |= {f"gate {name}": "learning" for name in ("volume", "amount_null_share")}
"""The gates that are proposed of `orders`, and what the first load says of them."""


@pytest.fixture
def place(tmp_path):
    """A checkout of nothing but the configuration."""
    shutil.copytree(ROOT / "conf", tmp_path / "checkout" / "conf")
    return tmp_path / "checkout"


def new_project(place, *arguments):
    command.new_project(list(arguments), "new-project", place, "scripts/nightly")


def orders():
    """Forty days of orders at three shops, with what others read as something else; of one nobody knows when."""
    rows = [(shop, FIRST + timedelta(days=n), n) for n in range(DAYS) for shop in ("NO", "on", "1e3")]
    rows.append(rows[7])  # a whole repetition
    columns = {
        "Order No.": [f"{n:03}" for _, _, n in rows],
        "shop": [shop for shop, _, _ in rows],
        "Ordered at": [f"{day.month}/{day.day}/{day.year} {9 + n % 3}:05" for _, day, n in rows],
        "known_at": [f"{(day + timedelta(days=n % 2)):%d.%m.%Y}" for _, day, n in rows],
        "amount €": ["-" if n % 7 == 0 else f"{n % 11}.50" for _, _, n in rows],
        "value": ["yes" if n % 3 == 0 else "NO" for _, _, n in rows],
        "event_time": [f"0{n % 4}" for _, _, n in rows],
        "null": [f"{n / 10}" for _, _, n in rows],
        "": ["x"] * len(rows),
    }
    return {name: [*values, "" if name == "Ordered at" else values[-1]] for name, values in columns.items()}


def settings(place, name):
    options = [f"project={name}", f"search={name}", "project_dates=true"]
    return make_settings(compose_job(place / "conf", JobName.NIGHTLY, options))


def test_a_project_is_built_as_it_is_written_and_no_row_is_refused(place, spark, capsys):
    """Every expression passes the guard, every value is read, and every fact happens when the look says it does."""
    path = write_csv(place / "orders.csv", orders())
    options = ["--label", "value", "--zone", "Europe/Paris", "--known-at", "known_at"]
    new_project(place, "shops", "--data", str(path), *options)
    settings_ = settings(place, "shops")
    assert settings_.project.label.allowed_lateness == "1d"
    project, run_date = settings_.project, parse_run_date(settings_.project.history_until)
    require_feasible(settings_.search, project, run_date)
    warehouse = Warehouse(str(place / "warehouse"), "shops")
    warehouse.check_writable()
    last, check = (
        parse_run_date(project.first_night) + timedelta(days=project.nights),
        partial(require_fit, spark, project),
    )
    outcome = ingest(spark, warehouse, project, last, None, "a", place / "raw", check)
    assert outcome.rows == {"source_orders": 3 * DAYS, "quarantine": 0}
    statuses = rows_of(warehouse, "quality", "check", "status")
    assert {name: status for name, status in statuses if name.startswith("gate ")} == GATES
    columns = ("event_time", "shop", "known_at", "amount", "value_2", "event_time_2")
    stored = {row[:2]: row[2:] for row in rows_of(warehouse, "source_orders", *columns)}
    assert stored[utc("2024-03-01 08:05"), "1e3"] == (utc("2024-03-01 23:00"), None, True, "00")
    assert stored[utc("2024-03-02 09:05"), "NO"] == (utc("2024-03-03 23:00"), 1.5, False, "01")
    built = build(spark, warehouse, project, run_date - timedelta(days=5), run_date, None, "b")
    assert built.rows["features"] == 18  # of six nights and three shops
    for shop, day, facts, last in rows_of(
        warehouse, "features", "shop", "run_date", "shop__facts_7d", "shop__null_last"
    ):
        known = [n for n in range(DAYS) if FIRST + timedelta(days=n + n % 2) < day]
        week = [n for n in known if FIRST + timedelta(days=n) >= day - timedelta(days=7)]
        assert (shop, day, facts, last) == (shop, day, len(week), known[-1] / 10)
    labels = rows_of(warehouse, "labels", "shop", "prediction_time", "label")
    assert {shop for shop, _, _ in labels} == {"NO", "on", "1e3"}
    for _, moment, label in labels:
        day = moment.date() + timedelta(days=1)  # midnight in Paris is late in the evening before in UTC
        assert label is None or label is ((day - FIRST).days % 3 == 0)
    assert sum(label is not None for *_, label in labels) >= 12


def utc(text):
    return datetime.fromisoformat(f"{text}+00:00")


@pytest.mark.slow
def test_files_are_written_once_and_the_next_commands_are_told(place, capsys):
    """Two labels make two projects of one source. Each composes with its own search."""
    path = write_csv(place / "orders.csv", orders())
    arguments = ["shops", "--data", str(path), "--label", "value", "--label", "amount €"]
    new_project(place, *arguments)
    printed = capsys.readouterr().out
    commands = re.findall(r"scripts/nightly project=(\w+) search=(\w+)$", printed, re.MULTILINE)
    assert commands == [("shops_value", "shops_value"), ("shops_amount", "shops_amount")]
    tasks = {name: settings(place, name).project.label.task.name for name, _ in commands}
    assert tasks == {"shops_value": "CLASSIFICATION", "shops_amount": "REGRESSION"}
    page = Page((place / ".nightjar" / "profiles" / "shops.html").read_text())
    assert [row["Column"] for row in page.table("What is counted")] == [*list(orders())[1:-1]]
    written = [file for file in (place / "conf").rglob("*.yaml") if not (ROOT / file.relative_to(place)).exists()]
    assert [editor.complaints(file) for file in written] == [[]] * 6
    before = {file: file.read_bytes() for file in (place / "conf").rglob("*.yaml")}
    with pytest.raises(UsageError, match=r"orders.yaml, .*there already, and never written over"):
        new_project(place, *arguments)
    assert {file: file.read_bytes() for file in (place / "conf").rglob("*.yaml")} == before


def test_without_a_name_a_file_is_only_looked_at(place, capsys):
    path = write_csv(place / "orders.csv", orders())
    before = sorted(place.rglob("*.yaml"))
    new_project(place, "--data", str(path))
    assert "orders.html" in capsys.readouterr().out
    assert sorted(place.rglob("*.yaml")) == before
    page = Page((place / ".nightjar" / "profiles" / "orders.html").read_text())
    assert not [tag for tag, _ in page.tags if tag in ("script", "link", "img")]
    assert "the empty text and - stand for no value" in page.text


def test_a_folder_of_its_own_gets_the_schemas_and_old_ones_are_renewed(place):
    conf = place / "elsewhere" / "conf"
    (conf / "schemas").mkdir(parents=True)
    (conf / "schemas" / "model.json").write_text("of an older version")
    (conf / "schemas" / "mine.json").write_text("{}")
    project_files.place(conf, {"model/small.yaml": "estimator: tree\n"}, [])
    packaged = {file.name: file.read_bytes() for file in (BASE / "schemas").iterdir()}
    assert len(packaged) > 10
    there = {file.name: file.read_bytes() for file in (conf / "schemas").iterdir()}
    assert there == packaged | {"mine.json": b"{}"}
    assert {file.stat().st_mode & 0o444 for file in (conf / "schemas").iterdir()} == {0o444}


def test_nothing_is_left_where_something_goes_wrong(place):
    files = {"source/x/a.yaml": "a: 1\n", "search/x.yaml": "defaults: [quick]\n"}
    files["project/x.yaml"] = "defaults: [schema, _self_]\nnmae: x\n"
    with pytest.raises(UsageError, match="nmae"):
        project_files.place(place / "conf", files, ["x"])
    (place / "conf" / "project" / "y.yaml").write_text("mine\n")
    with pytest.raises(UsageError, match=r"y.yaml: written by somebody else meanwhile"):
        project_files._write(place / "conf", {"source/x/a.yaml": "a: 1\n", "project/y.yaml": "theirs\n"})
    assert not (place / "conf" / "source" / "x" / "a.yaml").exists()
    assert (place / "conf" / "project" / "y.yaml").read_text() == "mine\n"
