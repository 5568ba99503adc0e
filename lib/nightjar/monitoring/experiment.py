"""The comparison of a challenger with the champion as of a run date."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from pyspark.sql import SparkSession

from nightjar.evaluation.sequential_power import Plan
from nightjar.monitoring import paired
from nightjar.monitoring.enrolment import Trial
from nightjar.monitoring.experiment_figures import Figure, figures
from nightjar.monitoring.judging import Judged, in_words, judge
from nightjar.registry import roles
from nightjar.registry.events import Version
from nightjar.registry.roles import Holders
from nightjar.settings.project import Project
from nightjar.settings.serving.experiment import Experiment, ExperimentKind
from nightjar.tables import arrow
from nightjar.tables.predictions import ARM, CHALLENGER_ROLE, shadow_role
from nightjar.tables.runs import Outcome
from nightjar.tables.serving_definitions import EXPERIMENTS
from nightjar.tables.warehouse import Warehouse

log = logging.getLogger("nightjar.monitor")


@dataclass(frozen=True)
class Pair:
    """A version that scores beside the champion.

    Attributes:
        role: of its scores.
        since: the run date from which both have had their roles.
    """

    version: Version
    champion: Version
    role: str
    since: date


def measure(
    session: Callable[[], SparkSession], warehouse: Warehouse, project: Project, run_date: date, run_id: str
) -> tuple[Outcome, Judged | None]:
    """Compare who scores beside the champion with it, and store the figures; the challenger is judged by them.

    Where nothing is compared, rows of an earlier run are removed, and no session is asked for.

    Returns:
        What was read and written, and the judgement; None: nobody challenges the champion.

    Raises:
        UsageError: an expression of the experiment does not fit the columns.
        TableError: it cannot be computed for a row, or a table is missing.
    """
    holders, outcome, experiment = roles.holders(warehouse, run_date), Outcome(), project.serving.experiment
    compared: list[tuple[Pair, list[Figure]]] = []
    if experiment is not None and arrow.exists(warehouse, "scores"):
        outcome.inputs = arrow.pin(warehouse, ["scores", "labels", "features"])
        compared = [
            (pair, _figures(session(), warehouse, project, experiment, pair, run_date, outcome.inputs))
            for pair in _pairs(holders, experiment)
        ]
    if compared or arrow.exists(warehouse, EXPERIMENTS.name):
        rows = [_row(pair, one, experiment, run_date, run_id) for pair, own in compared for one in own if experiment]
        outcome.outputs[EXPERIMENTS.name] = arrow.replace(warehouse, EXPERIMENTS, rows, {"run_date": run_date}, run_id)
        outcome.rows[EXPERIMENTS.name] = len(rows)
    if holders.challenge is None:
        return outcome, None
    own = next((own for pair, own in compared if pair.role == CHALLENGER_ROLE), [])
    return outcome, judge(holders.challenge.version, own, is_compared=experiment is not None)


def _pairs(holders: Holders, experiment: Experiment) -> list[Pair]:
    """Who is compared: of a randomised experiment the challenger alone, who serves."""
    champion = holders.champion
    if champion is None:
        return []
    beside = [] if holders.challenge is None else [(holders.challenge.version, CHALLENGER_ROLE)]
    if experiment.kind is ExperimentKind.PAIRED:
        beside += [(version, shadow_role(version.number)) for version in holders.shadows]
    return [Pair(one, champion, role, max(one.holds_from, champion.holds_from)) for one, role in beside]


def _figures(
    spark: SparkSession,
    warehouse: Warehouse,
    project: Project,
    experiment: Experiment,
    pair: Pair,
    run_date: date,
    versions: Mapping[str, int],
) -> list[Figure]:
    if experiment.kind is ExperimentKind.PAIRED:
        rows = paired.Rows(
            warehouse, project, pair.role, pair.version.number, pair.champion.number, pair.since, run_date, versions
        )
        own = [paired.compare(rows, experiment, _decided(warehouse, project, experiment, pair, run_date))]
    elif ARM not in arrow.schema(warehouse, "scores", versions["scores"]).names:
        own = []
    else:
        trial = Trial(spark, warehouse, project, pair.since, run_date, versions)
        own = figures(trial, experiment, Plan.of(experiment, project.serving.canary))
    for one in own:
        verdict = "cannot be computed" if one.verdict is None else one.verdict.value
        log.info(
            "version %s beside the champion, %s: %s, %s",
            *(pair.version.number, one.name, verdict, one.reason or in_words(one)),
        )
    return own


def _decided(
    warehouse: Warehouse, project: Project, experiment: Experiment, pair: Pair, run_date: date
) -> tuple[str, date] | None:
    """The verdict of an earlier run date, which holds as long as it is of this metric, at this level."""
    if not arrow.exists(warehouse, EXPERIMENTS.name):
        return None
    figure = paired.metric_of(experiment, project).value
    of_test = {
        "model_version": pair.version.number,
        "champion_version": pair.champion.number,
        "since": pair.since,
        "kind": experiment.kind.value,
        "figure": figure,
        "level": experiment.level,
    }
    columns = ["run_date", *of_test, "verdict", "decided_on"]
    before = [
        row
        for row in arrow.read(warehouse, EXPERIMENTS.name, columns).sort_by("run_date").to_pylist()
        if row["run_date"] < run_date and row["decided_on"] is not None
        if all(row[name] == value for name, value in of_test.items())
    ]
    return (before[-1]["verdict"], before[-1]["decided_on"]) if before else None


def _row(pair: Pair, one: Figure, experiment: Experiment, run_date: date, run_id: str) -> dict[str, Any]:
    return {
        "model_version": pair.version.number,
        "champion_version": pair.champion.number,
        "kind": experiment.kind.value,
        "figure": one.name,
        "since": pair.since,
        "last_night": one.last_night,
        "champion_entities": one.entities[0],
        "challenger_entities": one.entities[1],
        "waiting": one.waiting,
        "changed": one.changed,
        "champion_mean": one.means[0],
        "challenger_mean": one.means[1],
        "difference": one.difference,
        "low": one.low,
        "high": one.high,
        "level": one.level,
        "deviation": one.deviation,
        "planned_power": one.planned_power,
        "verdict": None if one.verdict is None else one.verdict.value,
        "decided_on": one.decided_on,
        "reason": one.reason,
        "run_date": run_date,
        "run_id": run_id,
    }
