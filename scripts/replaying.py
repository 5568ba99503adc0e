"""The program behind scripts/replay."""

import argparse
import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from typing import Any

import nightjar  # noqa: F401  (before any library that starts threads: it says how they wait)

# isort: split
import numpy as np
from rich.console import Console
from rich.table import Table

import replaying_nights
from nightjar.config import compose_job, make_settings
from nightjar.errors import NightjarError
from nightjar.evaluation.criteria import of_metric, standard_of
from nightjar.evaluation.metric_report import Truth, intervals
from nightjar.evaluation.rows import number_or_none
from nightjar.learning.clusters import clusters_of
from nightjar.learning.data.training_set import TrainingSet, read_training_set
from nightjar.learning.replay import ReplayPlan, ReplayResult, replay, require_replayable
from nightjar.learning.search import tune
from nightjar.learning.search.checking import require_learnable
from nightjar.learning.search.ledger import open_ledger
from nightjar.learning.train import SEARCHES
from nightjar.learning.training_plan import make_problem
from nightjar.runtime import logs, ray
from nightjar.settings.jobs import JobName, Train
from nightjar.settings.task import Metric, Task
from nightjar.tables import runs
from nightjar.tables.warehouse import Warehouse
from nightjar.timeline import cutoff, earlier, local_date, parse_run_date

ROOT = Path(__file__).resolve().parents[1]
HOME = ROOT / ".nightjar" / "replay"
console = Console(width=110)


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="scripts/replay", description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to write the figures")
    parser.add_argument("--first", metavar="DATE", help="the first night; default: the project's first_night")
    parser.add_argument("--refit-days", type=int, default=ReplayPlan.refit_days, metavar="N")
    parser.add_argument(
        "--nightly", action="store_true", help="the nightly itself runs each night, with all that it watches"
    )
    parser.add_argument("settings", nargs="*", help="project=flights, search=flights, ...")
    options = parser.parse_args(arguments)
    logs.start()
    started = time.monotonic()
    settings, job_arguments = _settings(options.settings)
    run_date = parse_run_date(settings.run_date or "")
    first = parse_run_date(options.first or settings.project.first_night)
    if options.nightly:
        _run_nights(settings, first, options.settings, options.json)
        return
    # Refused before any work, if it can have no night.
    plan = ReplayPlan(first, _last_settled_at_best(settings, run_date), options.refit_days)
    warehouse = Warehouse(settings.environment.warehouse, settings.project.name)
    if not _is_built(warehouse, run_date):
        _build(settings, job_arguments)
    project, search = settings.project, settings.search
    rows = read_training_set(
        warehouse,
        project,
        run_date,
        group=search.split.group,
        slices=project.slice_columns(),
        task=project.label.task,
        unlabelled=search.self_trains(),
    )
    plan = replace(plan, last=rows.last_settled)
    winner, result = _search_and_replay(rows, settings, plan)
    report = _report(rows, result, settings, plan) | {"winner": winner, "seconds": time.monotonic() - started}
    _show(report)
    if options.json is not None:
        options.json.write_text(json.dumps(report, indent=2) + "\n")


def _run_nights(settings: Train, first: date, overrides: Sequence[str], path: Path | None) -> None:
    environment, project = settings.environment, settings.project
    warehouse = Warehouse(f"{environment.warehouse}/nightly", project.name)
    places = [f"environment.warehouse={warehouse.root}", f"environment.home={environment.home}"]
    outcome = replaying_nights.run(ROOT, project, warehouse, first, [*_with_project(overrides), *places])
    replaying_nights.show(outcome)
    if path is not None:
        path.write_text(json.dumps(outcome, indent=2) + "\n")


def _settings(overrides: Sequence[str]) -> tuple[Train, list[str]]:
    """The settings of a training on the project's last date, and what ingest and build_features are told to fit them.

    The warehouse is the replay's own, and another one after any edit of the project's definitions, label or sources: so
    no table holds what was made by older ones. What an ingest finds changed by an edit would count as known too late.
    """
    project, *others = _with_project(overrides)
    configured = compose_job(ROOT / "conf", JobName.TRAIN, [project, "run_date=2013-01-01"]).config.project
    last = configured.last_date or configured.first_night
    places = [f"environment.warehouse={HOME / 'warehouse'}", f"environment.home={ROOT / '.nightjar'}"]
    arguments = [project, f"run_date={last}", *places, *others]
    settings = make_settings(compose_job(ROOT / "conf", JobName.TRAIN, arguments))
    if not isinstance(settings, Train):
        raise TypeError(f"the settings of a training are of type {type(settings).__name__}")
    warehouse = f"{settings.environment.warehouse}/{hashlib.sha256(repr(settings.project).encode()).hexdigest()[:16]}"
    job_arguments = [*(one for one in arguments if not _is_of_search(one)), f"environment.warehouse={warehouse}"]
    return replace(settings, environment=replace(settings.environment, warehouse=warehouse)), job_arguments


def _with_project(overrides: Sequence[str]) -> list[str]:
    """The overrides, first the one that names the project."""
    project = next((one for one in overrides if one.startswith("project=")), "project=flights")
    return [project, *(one for one in overrides if not one.startswith("project="))]


def _is_of_search(override: str) -> bool:
    """Of `search=quick`, `+search.final_days=7`, `+model@search.candidates.one=forest`: no other job has such a key."""
    key = override.partition("=")[0].rpartition("@")[2]
    return key.lstrip("+~").partition(".")[0] == "search"


def _last_settled_at_best(settings: Train, run_date: date) -> date:
    """No date after it has labels that are all settled by the run date's midnight."""
    zone = settings.project.zone
    return local_date(earlier(cutoff(run_date, zone), settings.project.label.horizon_length(), zone), zone)


def _is_built(warehouse: Warehouse, run_date: date) -> bool:
    """Whether features and labels reach the run date. Every build here is from the project's first date on."""
    newest = runs.previous_done(warehouse, JobName.BUILD_FEATURES.value, date.max)
    return newest is not None and newest >= run_date


def _build(settings: Train, arguments: Sequence[str]) -> None:
    """Ingest and features of all dates."""
    for job, more in (("ingest", []), ("build_features", [f"since={settings.project.first_date}"])):
        subprocess.run([sys.executable, ROOT / "jobs" / f"{job}.py", *arguments, *more], check=True, cwd=ROOT)  # noqa: S603


def _search_and_replay(rows: TrainingSet, settings: Train, plan: ReplayPlan) -> tuple[str, ReplayResult]:
    """The winner of a search on what was known before the first night, and its walk."""
    project = settings.project
    weighted, mitigation = rows.weight is not None, project.fairness.mitigation
    require_learnable(settings.search, rows.columns, project.label.task, weighted=weighted, mitigation=mitigation)
    require_replayable(rows, project, settings.search, plan)
    with ray.session(settings.environment):
        problem = make_problem(rows, project, settings.search, plan.first)
        with open_ledger(ROOT / ".nightjar" / SEARCHES, problem.key()) as book:
            result = tune.run(problem, settings.search, book)
    winner = result.best()
    baselines = [candidate for candidate in result.results if candidate.model.baseline]
    console.print(f"winner before {plan.first}: {winner.name} {winner.model.parameters}")
    return winner.name, replay(rows, winner, baselines, project, settings.search, plan)


def _report(rows: TrainingSet, result: ReplayResult, settings: Train, plan: ReplayPlan) -> dict[str, Any]:
    judged = rows.examples(result.rows)
    clusters = clusters_of(rows, result.rows, plan.first, plan.last, settings.project.label, settings.search)
    standard = standard_of(settings.project)
    truth = Truth(settings.project.label.task, judged.label, clusters, weight=judged.weight, standard=standard)
    month = rows.day[result.rows].astype("datetime64[M]")
    return {
        "first": str(plan.first),
        "last": str(plan.last),
        "rows": len(truth.label),
        "refit_days": plan.refit_days,
        "figures": {name: _figures(truth, score) for name, score in result.scores.items()},
        "months": {
            name: {str(one): _auc_where(month == one, truth, score) for one in np.unique(month)}
            for name, score in result.scores.items()
        },
    }


def _figures(truth: Truth, score: np.ndarray) -> dict[str, Any]:
    """ROC AUC with its interval, log loss, and how far probabilities are from rates in 15 bins.

    Of several classes it is the means over classes, and the probabilities of the most probable one.
    """
    figures = intervals(truth, score)
    error = "expected_calibration_error" if truth.task is Task.CLASSIFICATION else "top_label_calibration_error"
    return {
        "roc_auc": asdict(figures["roc_auc"]),
        "expected_calibration_error": figures[error].estimate,
        "log_loss": figures["log_loss"].estimate,
    }


def _auc_where(chosen: np.ndarray, truth: Truth, score: np.ndarray) -> float | None:
    weight = None if truth.weight is None else truth.weight[chosen]
    measure = of_metric(Metric.ROC_AUC, truth.task, truth.standard).measure
    return number_or_none(measure(truth.label[chosen], score[chosen], weight))


def _show(report: Mapping[str, Any]) -> None:
    nights = f"{report['first']} to {report['last']}, {report['rows']:,} rows"
    table = Table(
        title=f"What would have been served: {nights}; 95% intervals over entities and time", title_justify="left"
    )
    months = list(next(iter(report["months"].values())))
    for column in ("scores", "ROC AUC", "calibration error", "log loss", *(f"AUC {month}" for month in months)):
        table.add_column(column, justify="left" if column == "scores" else "right")
    for name, figures in report["figures"].items():
        auc = figures["roc_auc"]
        bounds = "" if auc["low"] is None else f" ({auc['low']:.3f} to {auc['high']:.3f})"
        by_month = (_shown(value, 3) for value in report["months"][name].values())
        others = (_shown(figures[name], 4) for name in ("expected_calibration_error", "log_loss"))
        table.add_row(name, f"{_shown(auc['estimate'], 4)}{bounds}", *others, *by_month)
    console.print(table)
    console.print(f"{report['seconds'] / 60:.1f} minutes")


def _shown(value: float | None, digits: int) -> str:
    return "undefined" if value is None else f"{value:.{digits}f}"


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except NightjarError as error:
        sys.stderr.write(f"scripts/replay: error: {error}\n")
        sys.exit(error.exit_code)
