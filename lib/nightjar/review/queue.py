"""The queue: the served predictions that people are to look at, the most urgent first. A view of tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from nightjar.durations import parse_duration
from nightjar.masking.values import NOTHING_HIDDEN, Masking, masking_of
from nightjar.settings.project import Project
from nightjar.tables import arrow, reviews, scan
from nightjar.tables.predictions import is_served
from nightjar.tables.table import INSTANT
from nightjar.tables.warehouse import Warehouse
from nightjar.timeline import shift

DUE, WORTH = "_due", "_worth"
OPTIONAL: Mapping[str, Any] = {"tier": pa.string(), "abstained": pa.string(), "reasons": pa.null()}
"""Columns of `scores` that a project need not have, and what they are then, all null."""

_COLUMNS: Mapping[str, Any] = {
    "prediction_id": pa.string(),
    "tier": pa.string(),
    "score": pa.float64(),
    "run_date": pa.date32(),
    DUE: INSTANT,
    WORTH: pa.float64(),
}
_EMPTY = pa.schema([pa.field(name, kind) for name, kind in _COLUMNS.items()]).empty_table()


@dataclass(frozen=True, eq=False)
class Queue:
    """Cases in the order of their priority.

    Attributes:
        night: the last one whose predictions are in it; None: nothing was scored yet.
        rows: `prediction_id`, `prediction_time`, the key, score, tier, abstained, reasons, model_version, run_date,
            `DUE` (instant) and `WORTH` (what orders the cases of a tier; null: unknown).
        key: of the spine.
        masking: hides the values of some columns.
    """

    night: date | None
    rows: pa.Table
    key: Sequence[str]
    masking: Masking = NOTHING_HIDDEN
    _places: dict[str, int] = field(default_factory=dict, init=False)

    @cached_property
    def ids(self) -> list[str]:
        """The prediction ids, in order."""
        ids: list[Any] = self.rows["prediction_id"].to_pylist()
        return ids

    @cached_property
    def places(self) -> dict[str, int]:
        """Prediction id -> its place, from 0."""
        return {name: place for place, name in enumerate(self.ids)}

    @cached_property
    def due(self) -> npt.NDArray[np.int64]:
        """When each case is due, in microseconds since 1970."""
        return self.rows[DUE].cast(pa.int64()).to_numpy()

    @cached_property
    def texts(self) -> list[str]:
        """What a search looks at: each case's key and id in small letters, nothing that is hidden."""
        names = [name for name in self.key if not self.masking.hides(name)]
        columns = [self.rows[name].to_pylist() for name in names]
        keys = zip(*columns, strict=True) if columns else ((),) * len(self.rows)
        return [" ".join([*map(str, values), name]).casefold() for values, name in zip(keys, self.ids, strict=True)]

    def row(self, prediction_id: str) -> dict[str, Any] | None:
        """A case; None: it is not in the queue."""
        place = self.places.get(prediction_id)
        return None if place is None else self.rows.slice(place, 1).to_pylist()[0]


def last_night(warehouse: Warehouse, until: date | None = None) -> date | None:
    """The last night with predictions, up to a date; None: there is none."""
    if not arrow.exists(warehouse, "scores"):
        return None
    files = scan.snapshot(warehouse, "scores").files
    nights = [file.partition["run_date"] for file in files if file.rows]
    return max((night for night in nights if until is None or night <= until), default=None)


def read_queue(warehouse: Warehouse, project: Project, night: date | None) -> Queue:
    """The cases of the nights up to one.

    Raises:
        TableError: a table or column is missing, or a file is damaged.
    """
    if night is None:
        return Queue(None, _EMPTY, ())
    settings, key = project.serving.review, list(project.spine.key)
    stored = arrow.schema(warehouse, "scores").names
    columns = ["prediction_id", "prediction_time", *key, "score", "model_version", "run_date"]
    columns += [name for name in OPTIONAL if name in stored]
    first = night - timedelta(days=settings.nights - 1)
    of_nights = (pc.field("run_date") >= first) & (pc.field("run_date") <= night)
    where = of_nights & is_served(stored) & reviews.is_case(settings, stored)
    rows = arrow.read(warehouse, "scores", list(dict.fromkeys(columns)), where)
    for name, kind in OPTIONAL.items():
        if name not in stored:
            absent: Any = pa.nulls(len(rows), kind)
            rows = rows.append_column(name, absent)
    predicted = rows["prediction_time"].cast(pa.int64()).to_numpy()
    due = shift(predicted, parse_duration(settings.due), project.zone)
    rows = rows.append_column(DUE, pa.array(due, pa.int64()).cast(INSTANT))
    rows = rows.append_column(WORTH, pa.array(_worth(warehouse, project, rows), pa.float64(), from_pandas=True))
    return Queue(night, rows.take(_order(rows, settings.tiers)), key, masking_of(project))


def _worth(warehouse: Warehouse, project: Project, rows: pa.Table) -> npt.NDArray[np.float64]:
    """What orders the cases of a tier: the score, times a column where one is named; NaN where that is null."""
    score = rows["score"].to_numpy()
    column = project.serving.review.worth
    if column is None or not len(rows):
        return np.asarray(score, np.float64)
    key = [*project.spine.key, "prediction_time"]
    nights = pc.field("run_date").isin(rows["run_date"].unique())
    features = arrow.read(warehouse, "features", list(dict.fromkeys([*key, column])), nights)
    place = pa.array(np.arange(len(rows)))
    joined = rows.select(key).append_column("_place", place).join(features, key, join_type="left outer")
    values = joined.sort_by("_place")[column].cast(pa.float64(), safe=False).to_numpy()
    return np.asarray(score * values, np.float64)


def _order(rows: pa.Table, tiers: Sequence[str]) -> npt.NDArray[np.intp]:
    """The places of rows by priority: the tiers as declared, then worth, then the prediction id."""
    columns: Any = rows
    ranks: Any = pc.index_in(columns["tier"], pa.array(tiers, pa.string()))
    rank = pc.fill_null(ranks, len(tiers)).to_numpy()
    worth = np.nan_to_num(rows[WORTH].to_numpy(), nan=-np.inf)
    ids = np.asarray(rows["prediction_id"].to_pylist(), dtype=object)
    by_id = np.argsort(ids, kind="stable") if len(ids) else np.array([], np.intp)
    place_of_id = np.empty(len(ids), np.intp)
    place_of_id[by_id] = np.arange(len(ids))
    return np.lexsort((place_of_id, -worth, rank))
