"""The program behind scripts/replay."""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from nightjar.config import compose_job, make_settings
from nightjar.evaluation.intervals import block_bootstrap
from nightjar.evaluation.metrics import expected_calibration_error, log_loss, roc_auc
from nightjar.learning.replay import Replayed, Walk, replay
from nightjar.learning.rows import TrainingRows, read
from nightjar.learning.search import tune
from nightjar.learning.search.checking import require_learnable
from nightjar.learning.train import SEARCHES, problem
from nightjar.pipeline.revision import code_revision
from nightjar.runtime import logs, ray
from nightjar.settings.jobs import JobName, Train
from nightjar.tables import arrow
from nightjar.tables.warehouse import Warehouse
from nightjar.timeline import parse_run_date

ROOT = Path(__file__).resolve().parents[1]
HOME = ROOT / ".nightjar" / "replay"
console = Console(width=110)


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="scripts/replay", description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to write the figures")
    parser.add_argument("--first", metavar="DATE", help="the first night; default: the project's first_night")
    parser.add_argument("--refit-days", type=int, default=Walk.refit_days, metavar="N")
    parser.add_argument("settings", nargs="*", help="project=flights, search=flights, ...")
    asked = parser.parse_args(arguments)
    logs.start()
    started = time.monotonic()
    settings = _settings(asked.settings)
    warehouse = Warehouse(settings.environment.warehouse, settings.project.name)
    last_date = parse_run_date(settings.run_date or "")
    _build(warehouse, settings, [one for one in asked.settings if one.startswith("project=")])
    asked_for, unlabelled = settings.search.split.group, settings.search.self_trains()
    rows = read(warehouse, settings.project, last_date, group=asked_for, unlabelled=unlabelled)
    first = parse_run_date(asked.first or settings.project.first_night)
    walk = Walk(first, rows.last_settled, asked.refit_days)
    found, replayed = _replayed(rows, settings, walk)
    told = _told(rows, replayed, walk) | {"winner": found, "seconds": time.monotonic() - started}
    _show(told)
    if asked.json is not None:
        asked.json.write_text(json.dumps(told, indent=2) + "\n")


def _settings(overrides: list[str]) -> Train:
    """The settings of a training on the project's last date, in a warehouse of the replay's own."""
    project = next((one for one in overrides if one.startswith("project=")), "project=flights")
    composed = compose_job(ROOT / "conf", JobName.TRAIN, [project, "run_date=2013-01-01"])
    others = [one for one in overrides if not one.startswith("project=")]
    last = composed.project.last_date or composed.project.first_night
    places = [f"environment.warehouse={HOME / 'warehouse'}", f"environment.home={ROOT / '.nightjar'}"]
    made = make_settings(compose_job(ROOT / "conf", JobName.TRAIN, [project, f"run_date={last}", *places, *others]))
    if not isinstance(made, Train):
        raise TypeError(f"the settings of a training are of type {type(made).__name__}")
    return made


def _build(warehouse: Warehouse, settings: Train, project: list[str]) -> None:
    """Ingest and features of all dates, unless they are there."""
    if arrow.exists(warehouse, "labels"):
        return
    common = [*(project or ["project=flights"]), f"run_date={settings.run_date}"]
    common += [f"environment.warehouse={settings.environment.warehouse}", f"environment.home={ROOT / '.nightjar'}"]
    for job, more in (("ingest", []), ("build_features", [f"since={settings.project.first_date}"])):
        subprocess.run([sys.executable, ROOT / "jobs" / f"{job}.py", *common, *more], check=True, cwd=ROOT)  # noqa: S603


def _replayed(rows: TrainingRows, settings: Train, walk: Walk) -> tuple[str, Replayed]:
    """The winner of a search on what was known before the first night, and its walk."""
    project = settings.project
    require_learnable(settings.search, rows.columns, project.label.task)
    with ray.started(settings.environment):
        asked = problem(rows, project, settings.search, walk.first)
        found = tune.run(asked, settings.search, ROOT / ".nightjar" / SEARCHES, code_revision())
    winner = found.best()
    baselines = [candidate for candidate in found.results if candidate.model.baseline]
    console.print(f"winner before {walk.first}: {winner.name} {winner.model.parameters}")
    return winner.name, replay(rows, winner, baselines, project, settings.search, walk)


def _told(rows: TrainingRows, replayed: Replayed, walk: Walk) -> dict[str, Any]:
    label, day = rows.label[replayed.rows], rows.day[replayed.rows]
    month = day.astype("datetime64[M]")
    return {
        "first": str(walk.first),
        "last": str(walk.last),
        "rows": len(label),
        "refit_days": walk.refit_days,
        "figures": {name: _figures(label, score, day) for name, score in replayed.scores.items()},
        "months": {
            name: {str(one): roc_auc(label[month == one], score[month == one]) for one in np.unique(month)}
            for name, score in replayed.scores.items()
        },
    }


def _figures(label: np.ndarray, score: np.ndarray, day: np.ndarray) -> dict[str, Any]:
    """ROC AUC with its interval over resampled days, and how far probabilities are from rates in 15 equal bins."""
    interval = block_bootstrap(label, score, day, roc_auc, seed=0)
    error = expected_calibration_error(label, score, bins=15)
    return {"roc_auc": asdict(interval), "expected_calibration_error": error, "log_loss": log_loss(label, score)}


def _show(told: Mapping[str, Any]) -> None:
    nights = f"{told['first']} to {told['last']}, {told['rows']:,} rows"
    table = Table(title=f"What would have been served: {nights}; 95% intervals over days", title_justify="left")
    months = list(next(iter(told["months"].values())))
    for column in ("scores", "ROC AUC", "calibration error", "log loss", *(f"AUC {month}" for month in months)):
        table.add_column(column, justify="left" if column == "scores" else "right")
    for name, one in told["figures"].items():
        auc = one["roc_auc"]
        bounds = "" if auc["low"] is None else f" ({auc['low']:.3f} to {auc['high']:.3f})"
        by_month = (f"{value:.3f}" for value in told["months"][name].values())
        error, loss = one["expected_calibration_error"], one["log_loss"]
        table.add_row(name, f"{auc['estimate']:.4f}{bounds}", f"{error:.4f}", f"{loss:.4f}", *by_month)
    console.print(table)
    console.print(f"{told['seconds'] / 60:.1f} minutes")


if __name__ == "__main__":
    main(sys.argv[1:])
