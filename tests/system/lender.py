"""The simulated lender in small, as the tests of `credit` share it: its files, its history and one night."""

from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from credit.files import write_days, write_truth
from credit.world import World
from simulating_credit import nights_of
from system.commands import run_within

ROOT = Path(__file__).resolve().parents[2]
HISTORY, NIGHT = date(2025, 4, 30), date(2025, 5, 1)
"""Three times half a year: before a fold, between it and the final period, and after that."""
WORLD = World(date(2023, 7, 1), applications=50, unfairness=100)
SEARCH = [
    *("search=credit", "search.split={folds: 1, test_days: 14}", "search.stopping.rungs=[]", "search.final_days=42"),
    *("search.stand_in=null", "~search.candidates.lightgbm", "search.candidates.logistic.space={C: [0.1]}"),
]
PROJECT = [
    *("project.promotion.slices.columns=[]", "project.promotion.calibration_error=null"),
    "project.serving.abstention.error=0.3",
    *("project.feedback.without_outcome=0.8", "project.analysis={search: false, learning_curve: false}"),
    "project.serving.sensitive=[stated_income, income__least_365d, age_band, purpose]",
]
"""Small: gates that so few rows leave to a person are not asked for."""
FILES = ("applications", "incomes", "repayments")


def build(folder: Path, spark) -> None:
    """The history, a training, and one night."""
    write_truth(folder / "truth.parquet", WORLD, NIGHT - timedelta(days=1))
    write_files(folder, NIGHT)
    dates = [f"project.history_until={HISTORY}", f"project.first_night={NIGHT}", "project.nights=1"]
    (folder / "log.txt").write_text(run(folder, spark, "nightly", *SEARCH, "project_dates=true", *dates))


def write_files(folder: Path, until: date) -> None:
    """The files that the lender has before the night of a date: those of days that are missing.

    All days lie in one folder, since opening many files takes longer than reading these.
    """
    written = write_days(folder / "days", WORLD, until - timedelta(days=1), nights_of(f"{folder}/warehouse"))
    landing = folder / "data" / "credit" / f"day={written[-1]}"
    landing.mkdir(parents=True)
    for name in FILES:
        places = [folder / "days" / f"day={day}" / f"{name}.parquet" for day in written]
        pq.write_table(
            pa.concat_tables(pq.read_table(one, partitioning=None) for one in places), landing / f"{name}.parquet"
        )


def run(folder: Path, spark, job: str, *settings: str) -> str:
    """Run a job of the project; what it printed."""
    places = [f"environment.warehouse={folder}/warehouse", f"environment.home={folder}/home"]
    done = run_within(folder, [f"{ROOT}/jobs/{job}.py", "project=credit", *PROJECT, *settings, *places], spark)
    assert done.code == 0, done.err
    return done.out + done.err
