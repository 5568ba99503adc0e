"""How far the night's rows are from the training data, column by column."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from markupsafe import Markup

from nightjar.errors import LearningError
from nightjar.evaluation.histograms import count
from nightjar.report.charts import bar, histogram
from nightjar.report.histograms import Distribution, compare, null_share
from nightjar.report.reading import PinnedTables, nan_to_none
from nightjar.report.references import Histogram, training_histograms
from nightjar.tables.predictions import PREDICTED, PREDICTED_CLASS, PROBABILITIES, SCORE, classes_of, unfold

SOME, MUCH = 0.1, 0.2
"""The conventional marks of the population stability index: below 0.1 little change, from 0.2 on a large one."""
CHANCE = 0.01
"""An index is marked only if its p-value is at most this: unchanged rows would rarely have so great an index."""
DRAWN = 6
_FULL_BAR = 0.5
_OF_SCORES = {SCORE: SCORE, PREDICTED_CLASS: PREDICTED}


@dataclass(frozen=True)
class ColumnDrift:
    """One column's distances.

    Attributes:
        values: measure -> value; null where it is undefined.
        reference: its histogram of the training data; None if none is stored.
    """

    subject: str
    values: dict[str, float | None]
    reference: Histogram | None

    def psi(self) -> float | None:
        """Population stability index."""
        return self.values.get("psi")

    def reference_nulls(self) -> float | None:
        """Share of nulls in the training data."""
        return null_share(self.reference.counts) if self.reference else None

    def level(self) -> str:
        """`much` from 0.2 on, `some` from 0.1 on, `little`, or `none` where there is no index.

        `chance` instead of the first two if as many unchanged rows, equally correlated, could have such an index too.
        """
        psi, by_chance = self.psi(), self.values.get("psi_p_value")
        if psi is None:
            return "none"
        if psi >= SOME and by_chance is not None and by_chance > CHANCE:
            return "chance"
        return "much" if psi >= MUCH else "some" if psi >= SOME else "little"

    def test(self) -> str | None:
        """The name of the test that was made: ks for numbers, chi_squared for levels."""
        return next((name for name in ("ks", "chi_squared") if self.values.get(name) is not None), None)


@dataclass(frozen=True)
class Drift:
    """All columns of one evaluated date, the greatest index first; columns without one last."""

    day: date
    rows: int | None
    columns: tuple[ColumnDrift, ...]

    def of_level(self, level: str) -> list[ColumnDrift]:
        """The columns of one level."""
        return [column for column in self.columns if column.level() == level]

    def bar(self, column: ColumnDrift) -> Markup:
        """The column's index as a bar, full from 0.5 on: one runaway must not flatten the others."""
        return bar(column.psi() or 0.0, _FULL_BAR, (SOME, MUCH), column.level())


@dataclass(frozen=True)
class Picture:
    """One column's distribution beside its reference, or why it cannot be drawn."""

    column: ColumnDrift
    distribution: Distribution | None
    chart: Markup | None
    absence: str


def read_drift(tables: PinnedTables) -> Drift | None:
    """The distances of the latest date evaluated by the night's monitoring; None where there are none."""
    columns = ["evaluated_date", "subject", "measure", "value", "rows", "model_version"]
    rows = tables.rows("drift", columns, tables.of_night() & (pc.field("slice") == "all"))
    if not rows:
        return None
    day = max(row["evaluated_date"] for row in rows)
    latest = [row for row in rows if row["evaluated_date"] == day]
    versions = {row["model_version"] for row in latest if row["model_version"]}
    histograms = {version: training_histograms(tables, version) for version in sorted(versions)}
    columns_drift = [
        _column_drift([row for row in latest if row["subject"] == name], histograms) for name in _subjects(latest)
    ]
    ranked = sorted(columns_drift, key=lambda column: (column.psi() is None, -(column.psi() or 0.0), column.subject))
    return Drift(day, max((row["rows"] for row in latest if row["rows"] is not None), default=None), tuple(ranked))


def pictures(tables: PinnedTables, drift: Drift) -> list[Picture]:
    """Charts of the columns with the greatest index."""
    return [_picture(tables, drift.day, column) for column in drift.columns[:DRAWN] if column.psi() is not None]


def _subjects(rows: list[dict[str, Any]]) -> list[str]:
    return sorted({row["subject"] for row in rows})


def _column_drift(rows: list[dict[str, Any]], histograms: dict[str, dict[str, Histogram]]) -> ColumnDrift:
    """One column's distances, with the histogram of the model that it was compared with."""
    subject, version = rows[0]["subject"], rows[0]["model_version"]
    values = {row["measure"]: nan_to_none(row["value"]) for row in rows}
    return ColumnDrift(subject, values, histograms.get(version, {}).get(subject))


def _picture(tables: PinnedTables, day: date, column: ColumnDrift) -> Picture:
    if tables.masking.hides(column.subject):
        return Picture(column, None, None, "Not drawn: the project declares the column sensitive.")
    reference, night = column.reference, _night(tables, day, column.subject)
    if reference is None or night is None:
        missing = "its training histogram in the table references" if reference is None else f"its values of {day}"
        return Picture(column, None, None, f"Not drawn: {missing} cannot be found.")
    distribution = _distribution(reference, night)
    if distribution is None:
        return Picture(column, None, None, f"Not drawn: its values of {day} are not of the kind of its training bins.")
    psi = f"{column.psi():.3f}"
    title = f"{column.subject} on {day} (bars) beside the training data (outline), PSI {psi}"
    return Picture(column, distribution, histogram(distribution, title), "")


def _night(tables: PinnedTables, day: date, subject: str) -> "pa.ChunkedArray[Any] | None":
    where, classes = pc.field("run_date") == day, classes_of([subject])
    stored = PROBABILITIES if classes else _OF_SCORES.get(subject)
    if stored is None:
        rows = tables.read("features", [subject], where) if subject in tables.columns("features") else None
        return rows[subject] if rows else None
    rows = tables.read("scores", [stored], where & (pc.field("role") == "champion"))
    if not rows:
        return None
    return unfold(rows, classes)[subject] if classes else rows[stored]


def _distribution(reference: Histogram, night: "pa.ChunkedArray[Any]") -> Distribution | None:
    try:
        return compare(reference.bins, reference.counts, count(reference.bins, night))
    except LearningError:
        return None
