"""The cases that people are to look at, as of the night: how many are open and overdue, by tier."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nightjar.durations import parse_duration
from nightjar.evaluation.binary import Booleans
from nightjar.report.reading import PinnedTables
from nightjar.settings.project import Project
from nightjar.tables import reviews
from nightjar.tables.predictions import is_served
from nightjar.tables.table import INSTANT
from nightjar.timeline import cutoff, instant, moment, shift


@dataclass(frozen=True)
class OpenCases:
    """The cases of one tier, or of all.

    Attributes:
        tier: None: cases in none, which abstain.
        tonight: new ones of the night itself, which nobody has seen at its midnight.
        before: those of the nights before.
        open: of these those that nobody had decided by the night's midnight.
        overdue: of these those that were due by then.
        first_due: when the first of all that are to be decided is due, or was; None: there is none.
    """

    tier: str | None
    tonight: int
    before: int
    open: int
    overdue: int
    first_due: datetime | None

    @property
    def to_decide(self) -> int:
        """Open ones, and those of the night."""
        return self.tonight + self.open


@dataclass(frozen=True)
class ReviewQueue:
    """What people have before them.

    Attributes:
        nights: before the night whose cases still count.
        all: of all tiers together.
        tiers: the declared ones in their order, others after them.
    """

    nights: int
    all: OpenCases
    tiers: Sequence[OpenCases]


def read_queue(tables: PinnedTables, project: Project) -> ReviewQueue | None:
    """The cases of the night and of the nights before it; None where nobody reviews, or nothing is scored."""
    settings, stored = project.serving.review, tables.columns("scores")
    if not settings.is_on or not stored:
        return None
    since = tables.run_date - timedelta(days=settings.nights)
    where = (pc.field("run_date") >= since) & (pc.field("run_date") <= tables.run_date)
    where &= is_served(stored) & reviews.is_case(settings, stored)
    columns = ["prediction_id", "prediction_time", "run_date", *(["tier"] if "tier" in stored else [])]
    cases = tables.read("scores", columns, where)
    if cases is None:
        return None
    now = cutoff(tables.run_date, project.zone)
    predicted, ids = cases["prediction_time"].cast(pa.int64()).to_numpy(), cases["prediction_id"]
    due = shift(predicted, parse_duration(settings.due), project.zone)
    decided = pc.is_in(ids, pa.array(sorted(_decided(tables, now)), pa.string())).to_numpy()
    is_new = cases["run_date"].to_numpy() == np.datetime64(tables.run_date)
    tier = np.array(cases["tier"].to_pylist() if "tier" in stored else [None] * len(cases), object)

    def count(name: str | None, own: Booleans) -> OpenCases:
        is_open = own & ~decided
        return OpenCases(
            name,
            tonight=int((own & is_new).sum()),
            before=int((own & ~is_new).sum()),
            open=int((is_open & ~is_new).sum()),
            overdue=int((is_open & (due < moment(now))).sum()),
            first_due=instant(int(due[is_open].min())) if is_open.any() else None,
        )

    others = sorted({str(one) for one in tier if one is not None} - {*settings.tiers})
    names = [*settings.tiers, *others, *([None] if any(one is None for one in tier) else [])]
    whole = count(None, np.ones(len(cases), np.bool_))
    return ReviewQueue(settings.nights, whole, [count(name, tier == name) for name in names])


def _decided(tables: PinnedTables, now: datetime) -> set[str]:
    """The cases that have a final decision by an instant."""
    then = pc.field("recorded_at") <= pa.scalar(now, INSTANT)
    rows = tables.read(reviews.TABLE, list(reviews.COLUMNS), then)
    by_case = {} if rows is None else reviews.actions_by_case(rows.to_pylist())
    return {name for name, actions in by_case.items() if reviews.is_decided(actions)}
