"""The second project of `conf/`, on the purchases of 400 customers, found again in the raw file by other means."""

from datetime import date
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import pandas as pd
import pytest

from builders import rows_of
from nightjar.config import compose_job, make_settings
from nightjar.features.build import build
from nightjar.features.column_checks import require_fit
from nightjar.learning.search.feasibility import require_feasible
from nightjar.settings.jobs import JobName
from nightjar.sources.ingest import ingest
from nightjar.tables import arrow
from nightjar.tables.warehouse import Warehouse
from nightjar.timeline import parse_run_date

ROOT = Path(__file__).resolve().parents[2]
CUSTOMERS = 400
FIRST, LAST = date(1998, 3, 1), date(1998, 4, 10)


@pytest.fixture(scope="module")
def lines():
    """The header, and the lines of the first customers, as they stand."""
    folder = Path(next(iter(find_spec("lifetimes").submodule_search_locations)))
    lines = (folder / "datasets" / "CDNOW_master.txt").read_bytes().splitlines(keepends=True)
    return [lines[0], *(line for line in lines[1:] if int(line.split()[0]) <= CUSTOMERS)]


@pytest.fixture(scope="module")
def purchases(lines):
    rows = pd.DataFrame([line.split() for line in lines[1:]], columns=["customer", "day", "cds", "dollars"])
    rows["day"] = pd.to_datetime(rows["day"].str.decode("ascii"))
    return rows.astype({"customer": int, "cds": float, "dollars": float}).drop_duplicates()


@pytest.fixture
def settings(lines, tmp_path):
    """The project as it stands, with a smaller file, in which days may pass without a purchase."""
    (tmp_path / "cut.txt").write_bytes(b"".join(lines))
    source = "project.sources.purchases"
    cut = [f"{source}.file.package=null", f"{source}.file.path={tmp_path}/cut.txt"]
    quiet = [f"{source}.arrival.min_rows=0", f"{source}.gates.newest.max_age=7d"]
    chosen = ["project=cdnow", "search=cdnow", "project_dates=true", *cut, *quiet]
    return make_settings(compose_job(ROOT / "conf", JobName.NIGHTLY, chosen))


def test_history_and_a_night_hold_what_the_raw_file_says(settings, purchases, spark, tmp_path):
    project, warehouse = settings.project, Warehouse(str(tmp_path / "warehouse"), "cdnow")
    require_feasible(settings.search, project, parse_run_date(project.history_until))
    warehouse.check_writable()
    check = partial(require_fit, spark, project)
    for night, before, since in ((FIRST, None, date.min), (LAST, FIRST, FIRST)):
        outcome = ingest(spark, warehouse, project, night, before, f"of {night}", tmp_path / "raw", check)
        came = purchases["day"].dt.date.between(since, night, inclusive="left").sum()
        assert outcome.rows == {"source_purchases": came, "quarantine": 0}
    gates = rows_of(warehouse, "quality", "run_date", "check", "status")
    of_last = {name.removeprefix("gate "): status for day, name, status in gates if day == LAST and status is not None}
    # Of 400 customers a day has a purchase or two: the mean of one that was large is unusual indeed.
    passed = dict.fromkeys(["arrived", "newest", "of_the_cohort", "usual_cds", "usual_dollars", "usual_volume"], "pass")
    assert of_last == passed | {"mean_dollars": "warn"}
    build(spark, warehouse, project, FIRST, LAST, None, "built")
    features, labels = (arrow.read(warehouse, name).to_pandas() for name in ("features", "labels"))
    expected = customers(purchases, FIRST)
    assert len(expected) > 50
    stored = features[features["run_date"] == FIRST].set_index("customer").sort_index()
    pd.testing.assert_frame_equal(stored[[*expected]], expected, check_dtype=False, check_index_type=False)
    answers = labels[labels["prediction_time"] == pd.Timestamp(FIRST, tz="UTC")].set_index("customer")["label"]
    again = purchases[purchases["day"].between(*days(FIRST, 0, 30), inclusive="left")]["customer"]
    assert answers.sort_index().to_dict() == dict(zip(expected.index, expected.index.isin(again), strict=True))


def days(night, first, last):
    """The midnights so many days from a night's."""
    return pd.Timestamp(night) + pd.Timedelta(days=first), pd.Timestamp(night) + pd.Timedelta(days=last)


def customers(purchases, night):
    """Some features of the customers of the last 90 days, by customer."""
    lately = purchases[purchases["day"].between(*days(night, -90, 0), inclusive="left")].groupby("customer")
    return pd.DataFrame({
        "customer__purchases_90d": lately["dollars"].count(),
        "customer__days_90d": lately["day"].nunique(),
        "customer__dollars_90d": lately["dollars"].sum(),
        "customer__cds_90d": lately["cds"].sum(),
        "days_since_last": (pd.Timestamp(night) - lately["day"].max()).dt.days - 1,
    })  # fmt: skip
