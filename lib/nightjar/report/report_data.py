"""Everything that the page of a night says, read from the tables."""

from dataclasses import dataclass

from nightjar.report.arrivals import SourceArrival, read_arrivals
from nightjar.report.champion import Champion, Refusal, find_champion, find_refusal
from nightjar.report.data_quality import Check, RefusedRows, read_quality, read_refused
from nightjar.report.decision import GateDecision, find_decision
from nightjar.report.decisions import Decisions, read_decisions
from nightjar.report.drift import Drift, Picture, pictures, read_drift
from nightjar.report.experiment import ShownExperiment, read_experiments
from nightjar.report.job_runs import JobRun, read_job_runs
from nightjar.report.measures import ShownMeasures, shown_measures
from nightjar.report.performance import JudgedDate, read_performance
from nightjar.report.reading import PinnedTables
from nightjar.report.reasons import NightReasons, read_reasons
from nightjar.report.scores import Scores, read_scores
from nightjar.settings.project import Project


@dataclass(frozen=True)
class NightData:
    """The data of each part of the page; None or empty if there are none.

    Attributes:
        rest: why the night has no rows to score, in words; None if it has, or should have, some.
    """

    rest: str | None
    measures: ShownMeasures
    champion: Champion | None
    refusal: Refusal | None
    decision: GateDecision | None
    scores: Scores | None
    judged: list[JudgedDate]
    decisions: Decisions | None
    drift: Drift | None
    pictures: list[Picture]
    arrivals: list[SourceArrival]
    quality: list[Check]
    refused: RefusedRows | None
    steps: list[JobRun]
    reasons: NightReasons | None
    experiments: list[ShownExperiment]


def gather(tables: PinnedTables, project: Project) -> NightData:
    """Read the data of the page; the measures of performance are those of the project's task."""
    drift, champion, scores = read_drift(tables), find_champion(tables), read_scores(tables, project.label)
    judged = read_performance(tables)
    return NightData(
        rest=None if scores and scores.rows else project.spine.absence(tables.run_date),
        measures=shown_measures(project.label),
        champion=champion,
        refusal=find_refusal(tables, champion),
        decision=find_decision(tables, project.label.classes),
        scores=scores,
        judged=judged,
        decisions=read_decisions(tables, project, judged),
        drift=drift,
        pictures=pictures(tables, drift) if drift else [],
        arrivals=read_arrivals(tables),
        quality=read_quality(tables),
        refused=read_refused(tables),
        steps=read_job_runs(tables),
        reasons=read_reasons(tables),
        experiments=read_experiments(tables),
    )
