"""The signal of cases that people should have decided by the night's midnight, and have not."""

from datetime import date, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from nightjar.durations import parse_duration
from nightjar.monitoring.signals import Kind, Signal, State
from nightjar.settings.project import Project
from nightjar.tables import arrow, reviews
from nightjar.tables.predictions import is_served
from nightjar.tables.table import INSTANT
from nightjar.tables.warehouse import Warehouse
from nightjar.timeline import cutoff, later

SUBJECT = "overdue cases"


def look(warehouse: Warehouse, project: Project, run_date: date) -> list[Signal]:
    """One signal where people review: how many served cases of the last nights are overdue at the run date's midnight.

    A case is overdue once `project.serving.review.due` has passed since its prediction time without a final decision.
    """
    settings = project.serving.review
    if not settings.is_on or not arrow.exists(warehouse, "scores"):
        return []
    now, due = cutoff(run_date, project.zone), parse_duration(settings.due)
    stored, first = arrow.schema(warehouse, "scores").names, run_date - timedelta(days=settings.nights)
    where = (pc.field("run_date") >= first) & (pc.field("run_date") < run_date)
    where &= is_served(stored) & reviews.is_case(settings, stored)
    cases = arrow.read(warehouse, "scores", ["prediction_id", "prediction_time"], where).to_pylist()
    decided = _decided(warehouse, run_date, project)
    undecided = [one for one in cases if one["prediction_id"] not in decided]
    late = [one["prediction_time"] for one in undecided if later(one["prediction_time"], due, project.zone) < now]
    if not late:
        return [Signal(Kind.FEEDBACK, SUBJECT, State.OK, "No case that people are to decide is overdue.")]
    oldest = min(late)
    return [
        Signal(
            Kind.FEEDBACK,
            SUBJECT,
            State.WATCH,
            f"{len(late):,} of {len(cases):,} cases of the last {settings.nights} nights are overdue: nobody has "
            f"decided them within {settings.due}; the oldest is of {oldest:%Y-%m-%d %H:%M} UTC.",
            f"python jobs/review.py project={project.name} status=overdue",
            evidence={"overdue": len(late), "cases": len(cases)},
        )
    ]


def _decided(warehouse: Warehouse, run_date: date, project: Project) -> set[str]:
    """The cases that have a final decision by the run date's midnight."""
    if not arrow.exists(warehouse, reviews.TABLE):
        return set()
    then = pc.field("recorded_at") <= pa.scalar(cutoff(run_date, project.zone), INSTANT)
    rows = arrow.read(warehouse, reviews.TABLE, [*reviews.COLUMNS], then).to_pylist()
    return {name for name, actions in reviews.actions_by_case(rows).items() if reviews.is_decided(actions)}
