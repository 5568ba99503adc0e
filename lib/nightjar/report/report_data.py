"""Everything that the page of a night says, read from the tables."""

from dataclasses import dataclass
from datetime import date

from nightjar.report.alerts import ShownAlert, read_alerts
from nightjar.report.arrivals import SourceArrival, read_arrivals
from nightjar.report.champion import Champion, Refusal, find_champion, find_refusal
from nightjar.report.costs import Costs, costs
from nightjar.report.data_quality import Check, RefusedRows, read_quality, read_refused
from nightjar.report.decision import GateDecision, find_decision
from nightjar.report.decisions import Decisions, read_decisions
from nightjar.report.drift import Drift, read_drift
from nightjar.report.drift_pictures import Picture, pictures
from nightjar.report.experiment import ShownExperiment, read_experiments
from nightjar.report.job_runs import JobRun, read_job_runs
from nightjar.report.measures import ShownMeasures, shown_measures
from nightjar.report.performance import (
    Estimates,
    JudgedDate,
    read_estimates,
    read_figures,
    read_performance,
)
from nightjar.report.reading import PinnedTables
from nightjar.report.reasons import NightReasons, read_reasons
from nightjar.report.retracted import Retracted, read_retraction
from nightjar.report.review_queue import ReviewQueue, read_queue
from nightjar.report.reviews import Reviews, read_reviews
from nightjar.report.scores import Scores, read_scores
from nightjar.report.seconds import JobSeconds, read_seconds
from nightjar.report.signals import Signals, read_signals
from nightjar.report.triggers import ShownTrigger, read_triggers
from nightjar.report.verdict import ShownVerdict, Task, read_verdict, tasks
from nightjar.report.vintages import Vintages, read_vintages
from nightjar.report.watched_slices import WatchedSlices, watched_slices
from nightjar.report.yardsticks import Yardstick, yardsticks
from nightjar.settings.project import Project


@dataclass(frozen=True)
class NightData:
    """The data of each part of the page; None or empty if there are none.

    Attributes:
        verdict: whether the night's scores can be used.
        tasks: what to do.
        signals: what was looked at, and what is amiss.
        rest: why the night has no rows to score, in words; None if it has, or should have, some.
        retraction: why the night is served no more; None: it is.
    """

    verdict: ShownVerdict
    tasks: list[Task]
    signals: Signals | None
    alerts: list[ShownAlert]
    triggers: list[ShownTrigger]
    retraction: Retracted | None
    rest: str | None
    measures: ShownMeasures
    champion: Champion | None
    refusal: Refusal | None
    decision: GateDecision | None
    scores: Scores | None
    judged: list[JudgedDate]
    estimates: Estimates
    yardsticks: dict[date, Yardstick]
    vintages: list[Vintages]
    costs: Costs | None
    slices: WatchedSlices | None
    decisions: Decisions | None
    queue: ReviewQueue | None
    reviews: Reviews | None
    drift: Drift | None
    pictures: list[Picture]
    arrivals: list[SourceArrival]
    quality: list[Check]
    refused: RefusedRows | None
    steps: list[JobRun]
    seconds: dict[str, JobSeconds]
    reasons: NightReasons | None
    experiments: list[ShownExperiment]


def gather(tables: PinnedTables, project: Project) -> NightData:
    """Read the data of the page; the measures of performance are those of the project's task."""
    drift, champion, scores = read_drift(tables), find_champion(tables), read_scores(tables, project.label)
    figures, measures, steps = read_figures(tables), shown_measures(project.label), read_job_runs(tables)
    first = measures.first.name
    judged, estimates = read_performance(figures), read_estimates(figures, tables.run_date, first)
    rest = None if scores and scores.rows else project.spine.absence(tables.run_date)
    signals, triggers = read_signals(tables), read_triggers(tables)
    verdict = read_verdict(tables, steps, signals, project.name, rest)
    return NightData(
        verdict=verdict,
        tasks=tasks(verdict, signals, triggers, project.name, tables.run_date),
        signals=signals,
        alerts=read_alerts(tables),
        triggers=triggers,
        retraction=read_retraction(tables),
        rest=rest,
        measures=measures,
        champion=champion,
        refusal=find_refusal(tables, champion),
        decision=find_decision(tables, project.label.classes),
        scores=scores,
        judged=judged,
        estimates=estimates,
        yardsticks=yardsticks(figures, first),
        vintages=read_vintages(tables, judged, first),
        costs=costs(figures),
        slices=watched_slices(judged, estimates, first),
        decisions=read_decisions(tables, project, judged),
        queue=read_queue(tables, project),
        reviews=read_reviews(tables),
        drift=drift,
        pictures=pictures(tables, drift) if drift else [],
        arrivals=read_arrivals(tables),
        quality=read_quality(tables),
        refused=read_refused(tables),
        steps=steps,
        seconds=read_seconds(tables),
        reasons=read_reasons(tables),
        experiments=read_experiments(tables),
    )
