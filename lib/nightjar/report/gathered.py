"""Everything that the page of a night says, read from the tables."""

from dataclasses import dataclass

from nightjar.report.champion import Champion, find_champion
from nightjar.report.drift import Drift, Picture, pictures, read_drift
from nightjar.report.intake import Check, Refused, read_quality, read_refused
from nightjar.report.performance import JudgedDate, read_performance
from nightjar.report.reading import Snapshot
from nightjar.report.scores import Scores, read_scores
from nightjar.report.steps import Step, read_steps


@dataclass(frozen=True)
class Night:
    """What each part of the page shows; None or empty where there is nothing."""

    champion: Champion | None
    scores: Scores | None
    judged: list[JudgedDate]
    drift: Drift | None
    pictures: list[Picture]
    quality: list[Check]
    refused: Refused | None
    steps: list[Step]


def gather(tables: Snapshot) -> Night:
    """Read what the page says."""
    drift = read_drift(tables)
    return Night(
        champion=find_champion(tables),
        scores=read_scores(tables),
        judged=read_performance(tables),
        drift=drift,
        pictures=pictures(tables, drift) if drift else [],
        quality=read_quality(tables),
        refused=read_refused(tables),
        steps=read_steps(tables),
    )
