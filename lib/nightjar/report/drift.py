"""How far the night's rows are from the training data, column by column."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from markupsafe import Markup

from nightjar.errors import LearningError
from nightjar.evaluation.histograms import count
from nightjar.report.charts import bar, distribution
from nightjar.report.reading import Snapshot, defined
from nightjar.report.references import Histogram, training_histograms
from nightjar.report.shapes import Shape, compare, null_share

SOME, MUCH = 0.1, 0.2
"""The conventional marks of the population stability index: below 0.1 little change, from 0.2 on a large one."""
CHANCE = 0.01
"""An index is marked where so great a one comes of unchanged rows in at most so many cases."""
DRAWN = 6
_FULL_BAR = 0.5


@dataclass(frozen=True)
class Drifted:
    """One column's distances.

    Attributes:
        values: measure -> value; null where it is undefined.
        trained: its histogram of the training data; None where none is stored.
    """

    subject: str
    values: dict[str, float | None]
    trained: Histogram | None

    def psi(self) -> float | None:
        """Population stability index."""
        return self.values.get("psi")

    def trained_nulls(self) -> float | None:
        """Share of nulls in the training data."""
        return null_share(self.trained.counts) if self.trained else None

    def level(self) -> str:
        """`much` from 0.2 on, `some` from 0.1 on, `little`, or `none` where there is no index.

        `chance` instead of the first two where unchanged rows, as few and as alike as the night's, could have it too.
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
    columns: tuple[Drifted, ...]

    def of_level(self, level: str) -> list[Drifted]:
        """The columns of one level."""
        return [column for column in self.columns if column.level() == level]

    def bar(self, column: Drifted) -> Markup:
        """The column's index as a bar, full from 0.5 on: one runaway must not flatten the others."""
        return bar(column.psi() or 0.0, _FULL_BAR, (SOME, MUCH), column.level())


@dataclass(frozen=True)
class Picture:
    """One column's shape beside its reference, or why it cannot be drawn."""

    column: Drifted
    shape: Shape | None
    chart: Markup | None
    absence: str


def read_drift(tables: Snapshot) -> Drift | None:
    """The distances of the latest date evaluated by the night's monitoring; None where there are none."""
    columns = ["evaluated_date", "subject", "measure", "value", "rows", "model_version"]
    found = tables.rows("drift", columns, tables.of_night() & (pc.field("slice") == "all"))
    if not found:
        return None
    day = max(row["evaluated_date"] for row in found)
    latest = [row for row in found if row["evaluated_date"] == day]
    versions = {row["model_version"] for row in latest if row["model_version"]}
    trained = {version: training_histograms(tables, version) for version in sorted(versions)}
    drifted = [_drifted([row for row in latest if row["subject"] == name], trained) for name in _subjects(latest)]
    ranked = sorted(drifted, key=lambda one: (one.psi() is None, -(one.psi() or 0.0), one.subject))
    return Drift(day, max((row["rows"] for row in latest if row["rows"] is not None), default=None), tuple(ranked))


def pictures(tables: Snapshot, drift: Drift) -> list[Picture]:
    """The columns with the greatest index, drawn."""
    return [_picture(tables, drift.day, column) for column in drift.columns[:DRAWN] if column.psi() is not None]


def _subjects(rows: list[dict[str, Any]]) -> list[str]:
    return sorted({row["subject"] for row in rows})


def _drifted(rows: list[dict[str, Any]], trained: dict[str, dict[str, Histogram]]) -> Drifted:
    """One column's rows as one, with its histogram of the model it was compared with."""
    subject, version = rows[0]["subject"], rows[0]["model_version"]
    values = {row["measure"]: defined(row["value"]) for row in rows}
    return Drifted(subject, values, trained.get(version, {}).get(subject))


def _picture(tables: Snapshot, day: date, column: Drifted) -> Picture:
    reference, night = column.trained, _night(tables, day, column.subject)
    if reference is None or night is None:
        missing = "its training histogram in the table references" if reference is None else f"its values of {day}"
        return Picture(column, None, None, f"Not drawn: {missing} cannot be found.")
    shape = _shape(reference, night)
    if shape is None:
        return Picture(column, None, None, f"Not drawn: its values of {day} are not of the kind of its training bins.")
    psi = f"{column.psi():.3f}"
    title = f"{column.subject} on {day} (bars) beside the training data (outline), PSI {psi}"
    return Picture(column, shape, distribution(shape, title), "")


def _night(tables: Snapshot, day: date, subject: str) -> "pa.ChunkedArray[Any] | None":
    where = pc.field("run_date") == day
    if subject == "score":
        found = tables.read("scores", [subject], where & (pc.field("role") == "champion"))
    elif subject in tables.columns("features"):
        found = tables.read("features", [subject], where)
    else:
        found = None
    return found[subject] if found is not None and len(found) else None


def _shape(reference: Histogram, night: "pa.ChunkedArray[Any]") -> Shape | None:
    try:
        return compare(reference.bins, reference.counts, count(reference.bins, night))
    except LearningError:
        return None
