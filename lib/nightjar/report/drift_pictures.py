"""The columns that moved most, as histograms of the night beside the training data."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from markupsafe import Markup

from nightjar.errors import LearningError
from nightjar.evaluation.histograms import Bins, count
from nightjar.report.charts import histogram
from nightjar.report.drift import ColumnDrift, Drift
from nightjar.report.formatting import figure
from nightjar.report.histograms import Distribution, compare
from nightjar.report.reading import PinnedTables
from nightjar.tables.predictions import PREDICTED, PREDICTED_CLASS, PROBABILITIES, SCORE, classes_of, is_served, unfold

DRAWN = 6
_OF_SCORES = {SCORE: SCORE, PREDICTED_CLASS: PREDICTED}


@dataclass(frozen=True)
class Picture:
    """One column's distribution beside its reference, or why it cannot be drawn."""

    column: ColumnDrift
    distribution: Distribution | None
    chart: Markup | None
    absence: str


def pictures(tables: PinnedTables, drift: Drift) -> list[Picture]:
    """Charts of the columns that come first."""
    return [_picture(tables, drift.day, column) for column in drift.columns[:DRAWN] if column.psi() is not None]


def _picture(tables: PinnedTables, day: date, column: ColumnDrift) -> Picture:
    if tables.masking.hides(column.subject):
        return Picture(column, None, None, "Not drawn: the project declares the column sensitive.")
    if column.reference is None:
        missing = "its training histogram in the table references"
        return Picture(column, None, None, f"Not drawn: {missing} cannot be found.")
    bins = column.reference.bins
    counts = _stored_counts(column, bins)
    if counts is None:
        values = _night(tables, day, column.subject)
        if values is None:
            return Picture(column, None, None, f"Not drawn: its values of {day} cannot be found.")
        counts = _counted(bins, values)
    if counts is None:
        return Picture(column, None, None, f"Not drawn: its values of {day} are not of the kind of its training bins.")
    distribution = compare(bins, column.reference.counts, counts)
    title = f"{column.subject} on {day} (bars) beside the training data (outline), PSI {figure(column.psi())}"
    return Picture(column, distribution, histogram(distribution, title), "")


def _stored_counts(column: ColumnDrift, bins: Bins) -> npt.NDArray[np.int64] | None:
    """The night's rows in each bin, as monitoring has counted them: then no row is read."""
    if column.counts is None or len(column.counts) != bins.size:
        return None
    return np.array(column.counts, np.int64)


def _counted(bins: Bins, values: "pa.ChunkedArray[Any]") -> npt.NDArray[np.int64] | None:
    try:
        return count(bins, values)
    except LearningError:
        return None


def _night(tables: PinnedTables, day: date, subject: str) -> "pa.ChunkedArray[Any] | None":
    """A column's values, for nights whose counts were not stored."""
    where, classes = pc.field("run_date") == day, classes_of([subject])
    stored = PROBABILITIES if classes else _OF_SCORES.get(subject)
    if stored is None:
        rows = tables.read("features", [subject], where) if subject in tables.columns("features") else None
        return rows[subject] if rows else None
    rows = tables.read("scores", [stored], where & is_served(tables.columns("scores")))
    if not rows:
        return None
    return unfold(rows, classes)[subject] if classes else rows[stored]
