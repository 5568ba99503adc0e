"""The program behind scripts/simulate_credit."""

import argparse
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from functools import cache, partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from credit.decisions import Night, Nights, no_nights, treatments
from credit.files import read_world, write_days, write_truth
from credit.world import World
from nightjar.config import compose_job
from nightjar.errors import NightjarError
from nightjar.registry import events
from nightjar.settings.jobs import JobName
from nightjar.tables import arrow
from nightjar.tables.predictions import ASSIGNMENT, BY_SCORE, RULE, is_served
from nightjar.tables.warehouse import Warehouse

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "data" / "credit"
PROJECT = "credit"


def main(arguments: list[str]) -> None:
    """Write the days that are missing."""
    project = compose_job(ROOT / "conf", JobName.SCORE, [f"project={PROJECT}", "run_date=2025-01-01"]).config.project
    last = date.fromisoformat(project.first_night) + timedelta(days=project.nights - 1)
    parser = argparse.ArgumentParser(prog="scripts/simulate_credit", description=__doc__)
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the days' folders lie; default: data/credit")
    parser.add_argument("--truth", type=Path, metavar="FILE", help="where to write what the lender cannot know")
    parser.add_argument("--warehouse", default=str(ROOT / "warehouse"), help="of the nights whose scores decide")
    parser.add_argument(
        "--night",
        type=date.fromisoformat,
        metavar="DATE",
        default=last,
        help=f"the days before it are written; default: {last}, the last night of the project's own",
    )
    parser.add_argument("--seed", type=int)
    parser.add_argument("--applications", type=int, help="of a day, on average")
    parser.add_argument("--unfairness", type=float, metavar="POINTS", help="by which scores of women are too low")
    parser.add_argument("--drift-from", type=date.fromisoformat, metavar="DATE", help="a day that is not written yet")
    options = parser.parse_args(arguments)
    asked = {name: getattr(options, name) for name in ("seed", "applications", "unfairness", "drift_from")}
    first = date.fromisoformat(project.first_date)
    stored = read_world(options.folder) or World(first)  # what is not asked for is as in the days that are there
    world = replace(stored, first=first, **{name: value for name, value in asked.items() if value is not None})
    until = options.night - timedelta(days=1)
    days = write_days(options.folder, world, until, nights_of(options.warehouse))
    if options.truth is not None:
        write_truth(options.truth, world, until)
    which = f"{days[0]} to {days[-1]}" if days else "none was missing"
    print(f"{options.folder}: {len(days)} days written, {which}")


def nights_of(warehouse_path: str) -> Nights:
    """The nights whose scores a warehouse has."""
    warehouse = Warehouse(warehouse_path, PROJECT)
    if not arrow.exists(warehouse, "scores"):
        return no_nights
    return _read_night(warehouse)


def _read_night(warehouse: Warehouse) -> Callable[[date], Night | None]:
    served, decides = is_served(arrow.schema(warehouse, "scores").names), cache(partial(_decides, warehouse))

    def read(run_date: date) -> Night | None:
        columns = ["applicant_id", "tier", "model_version", ASSIGNMENT]
        rows = arrow.read(warehouse, "scores", columns, (pc.field("run_date") == run_date) & served)
        rows = rows.filter(pa.array([decides(one) for one in rows["model_version"].to_pylist()], pa.bool_()))
        if not len(rows):
            return None
        is_drawn = [one != BY_SCORE for one in rows[ASSIGNMENT].to_pylist()]
        treatment = treatments(rows["tier"].to_pylist(), is_drawn)
        return Night(rows["applicant_id"].to_numpy(), np.array(treatment))

    return read


def _decides(warehouse: Warehouse, version: str) -> bool:
    """Whether a version's tiers say whom to approve: a baseline that stands in has none."""
    return version == RULE or bool(events.registered(warehouse, version).evidence["thresholds"])


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except NightjarError as error:
        sys.stderr.write(f"scripts/simulate_credit: error: {error}\n")
        sys.exit(error.exit_code)
