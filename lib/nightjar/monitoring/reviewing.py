"""What people decided about predictions: how many of them, how often against the proposal, and how far people agree."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nightjar.durations import parse_duration
from nightjar.evaluation.agreement import fleiss_kappa
from nightjar.settings.project import Project
from nightjar.tables import arrow, reviews
from nightjar.tables.predictions import is_served
from nightjar.tables.reviews import Action
from nightjar.tables.table import INSTANT
from nightjar.tables.warehouse import Warehouse
from nightjar.timeline import cutoff, later

SUBJECT, ALL = "review", "all"
Figures = Iterator[tuple[str, str, float | None, int, str | None]]
"""Slice, measure, value, what it is over, and why there is none."""


def review_figures(warehouse: Warehouse, project: Project, run_date: date, run_id: str) -> list[dict[str, Any]]:
    """Rows of `performance` about the cases of the last nights, by what people had done at the run date's midnight.

    For each night its cases, the share that is decided, and of the decisions about it the share that overrides a
    proposal. For all of the nights together the same, the share that was decided in time, and of the cases that two
    people decided the share on which they agree, with Fleiss' kappa, as it is not always the same two. They have no
    intervals: cases of one night, and decisions of one person, are not independent.
    """
    settings = project.serving.review
    if not settings.is_on or not arrow.exists(warehouse, reviews.TABLE):
        return []
    first, last = run_date - timedelta(days=settings.nights), run_date - timedelta(days=1)
    stored, now = arrow.schema(warehouse, "scores").names, cutoff(run_date, project.zone)
    of_nights = (pc.field("run_date") >= first) & (pc.field("run_date") <= last)
    where = of_nights & is_served(stored) & reviews.is_case(settings, stored)
    cases = arrow.read(warehouse, "scores", ["prediction_id", "prediction_time", "run_date"], where).to_pylist()
    then = of_nights & (pc.field("recorded_at") <= pa.scalar(now, INSTANT))
    rows = arrow.read(warehouse, reviews.TABLE, [*reviews.COLUMNS], then).to_pylist()
    by_case = reviews.actions_by_case(rows)
    window = f"last {settings.nights} nights"
    figures = [(last, window, *one[1:]) for one in _figures(project, cases, by_case)]
    figures += [(last, f"reviewer {name}", *one[1:]) for name, one in _by_reviewer(by_case)]
    figures += [(last, window, *one[1:]) for one in _agreement(by_case)]
    for night in sorted({case["run_date"] for case in cases}):
        own = [case for case in cases if case["run_date"] == night]
        figures += [(night, *one) for one in _figures(project, own, by_case)]
    return [
        {
            "evaluated_date": night,
            "subject": SUBJECT,
            "slice": of,
            "measure": measure,
            "value": value,
            "rows": count,
            "reason": reason,
            "provisional": True,
            "run_date": run_date,
            "run_id": run_id,
        }
        for night, of, measure, value, count, reason in figures
    ]


def _figures(project: Project, cases: Sequence[Mapping[str, Any]], by_case: Mapping[str, Sequence[Action]]) -> Figures:
    due = parse_duration(project.serving.review.due)
    finals, decisions = list[bool](), list[Action]()
    for case in cases:
        valid = reviews.valid_decisions(by_case.get(case["prediction_id"], ()))
        decisions += valid
        final = reviews.final_decision(valid, reviews.looks_of(valid, 1))
        if final is not None:
            finals.append(final.recorded_at <= later(case["prediction_time"], due, project.zone))
    yield ALL, "cases", float(len(cases)), len(cases), None
    yield ALL, "decided_share", *_share(len(finals), len(cases), "there are no cases")
    yield ALL, "decided_in_time", *_share(sum(finals), len(finals), "no case is decided")
    yield ALL, "override_rate", *_overrides(decisions)


def _by_reviewer(by_case: Mapping[str, Sequence[Action]]) -> Iterator[tuple[str, tuple[Any, ...]]]:
    decisions: dict[str, list[Action]] = {}
    for actions in by_case.values():
        for one in reviews.valid_decisions(actions):
            decisions.setdefault(one.reviewer, []).append(one)
    for name, own in sorted(decisions.items()):
        yield name, (ALL, "decisions", float(len(own)), len(own), None)
        yield name, (ALL, "override_rate", *_overrides(own))


def _overrides(decisions: Sequence[Action]) -> tuple[float | None, int, str | None]:
    proposed = [one for one in decisions if one.proposal is not None]
    return _share(sum(one.overrides for one in proposed), len(proposed), "nothing was decided that has a proposal")


def _agreement(by_case: Mapping[str, Sequence[Action]]) -> Figures:
    """Agreement of the first two people who decided a case."""
    pairs = [valid[:2] for actions in by_case.values() if len(valid := reviews.valid_decisions(actions)) > 1]
    agreed = sum(not reviews.disagree(pair) for pair in pairs)
    yield ALL, "agreement", *_share(agreed, len(pairs), "no case was decided by two people")
    names = sorted({one.decision or "" for pair in pairs for one in pair})
    counts = [[sum(one.decision == name for one in pair) for name in names] for pair in pairs]
    kappa = fleiss_kappa(np.array(counts, np.int64)) if pairs else None
    reason = None if kappa is not None else "no two different decisions about cases that two people decided"
    yield ALL, "kappa", kappa, len(pairs), reason


def _share(count: int, of: int, reason: str) -> tuple[float | None, int, str | None]:
    return (count / of, of, None) if of else (None, 0, reason)
