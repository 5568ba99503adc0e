"""How far the night's rows are from the training data, column by column."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from markupsafe import Markup

from nightjar.report import sparklines
from nightjar.report.charts import bar
from nightjar.report.drift_spans import Spans, read_spans
from nightjar.report.formatting import figure
from nightjar.report.histograms import null_share
from nightjar.report.reading import PinnedTables, nan_to_none
from nightjar.report.references import Histogram, training_histograms
from nightjar.report.states import ACT, OK, UNKNOWN, WATCH, place
from nightjar.tables.references import TOGETHER

SOME, MUCH = 0.1, 0.2
"""The conventional marks of the population stability index: below 0.1 little change, from 0.2 on a large one."""
SHOWN, LISTED = 15, 300
"""Columns that stand on the page at once, and those that can be folded out; others are in the table drift."""
OF_ALL = "all columns"
"""The subject of what is measured of all columns together."""
_LEVELS = {ACT: "much", WATCH: "some", UNKNOWN: "some", OK: "little"}
_COLUMNS = ("evaluated_date", "subject", "measure", "value", "rows", "model_version")
_JUDGED = ("studentised", "threshold", "p_value", "state", "reason", "cluster", "importance", "counts")
"""Columns that tables of an earlier Nightjar lack."""


@dataclass(frozen=True)
class ColumnDrift:
    """One column's distances.

    Attributes:
        values: measure -> value; null where it is undefined.
        reference: its histogram of the training data; None if none is stored.
        judged: the figures by which it is judged; empty: no null is stored with the model, or it is not tested.
        history: night -> studentised distance, or PSI where there is none, ascending.
        counts: the night's rows in each bin of the reference; None: not stored.
    """

    subject: str
    values: Mapping[str, float | None]
    reference: Histogram | None
    judged: Mapping[str, Any] = field(default_factory=dict)
    history: Sequence[tuple[date, float | None]] = ()
    counts: Sequence[int] | None = None

    def psi(self) -> float | None:
        """Population stability index."""
        return self.values.get("psi")

    @property
    def state(self) -> str | None:
        """How bad it is; None: it is not judged."""
        return self.judged.get("state")

    @property
    def studentised(self) -> float | None:
        """How far it is beyond what nights of the reference show, in their spread."""
        return nan_to_none(self.judged.get("studentised"))

    @property
    def importance(self) -> float | None:
        """The share of what the model uses that is this column's; None: it is no feature, or not recorded."""
        return nan_to_none(self.judged.get("importance"))

    def weight(self) -> float | None:
        """Drift times importance, of what is no feature the drift alone; None: it is not judged."""
        if self.studentised is None:
            return None
        return max(self.studentised, 0.0) * (1.0 if self.importance is None else self.importance)

    def reference_nulls(self) -> float | None:
        """Share of nulls in the training data."""
        return null_share(self.reference.counts) if self.reference else None

    def level(self) -> str:
        """The state as a level of colour; where it is not judged `little`, or `none` without an index."""
        if self.state is not None:
            return _LEVELS.get(self.state, "none")
        return "none" if self.psi() is None else "little"

    def sparkline(self, last: date) -> Markup:
        """Its distance over the nights before."""
        limit = self.judged.get("threshold")
        latest = next((value for _, value in reversed(self.history) if value is not None), None)
        title = f"{self.subject} over {len(self.history)} nights; the last is {figure(latest)}"
        return sparklines.line(self.history, last, title, limit)


@dataclass(frozen=True)
class Drift:
    """All columns of one evaluated date: by state, then by drift times importance, then by PSI.

    Attributes:
        family: the figures of all columns together; empty: they are not judged.
        spans: the same columns over windows of nights, and from the first version on.
    """

    day: date
    rows: int | None
    columns: tuple[ColumnDrift, ...]
    family: Mapping[str, Any]
    spans: Spans

    @property
    def is_judged(self) -> bool:
        """Whether distances are compared with those of the reference's own nights."""
        return any(column.state is not None for column in self.columns)

    def of_state(self, *states: str) -> list[ColumnDrift]:
        """The columns of some states."""
        return [column for column in self.columns if column.state in states]

    def bar(self, column: ColumnDrift) -> Markup:
        """Drift times importance as a bar; PSI where columns are not judged: full from 0.5 on."""
        if self.is_judged:
            greatest = max((one.weight() or 0.0 for one in self.columns), default=0.0)
            return bar(column.weight() or 0.0, greatest or 1.0, (), column.level())
        return bar(column.psi() or 0.0, 0.5, (SOME, MUCH), column.level())


def read_drift(tables: PinnedTables) -> Drift | None:
    """The distances of the latest date evaluated by the night's monitoring; None where there are none."""
    rows = _rows(tables, tables.of_night())
    if not rows:
        return None
    day = max(row["evaluated_date"] for row in rows)
    by_subject: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        if row["evaluated_date"] == day:
            by_subject.setdefault(row["subject"], []).append(row)
    family = _judgement(by_subject.pop(OF_ALL, []))
    by_subject.pop(TOGETHER, None)  # no column: a signal says it
    latest = [row for of_subject in by_subject.values() for row in of_subject]
    versions = {row["model_version"] for row in latest if row["model_version"]}
    histograms = {version: training_histograms(tables, version) for version in sorted(versions)}
    columns = sorted((_column(of_subject, histograms) for of_subject in by_subject.values()), key=_rank)
    rows_of_day = max((row["rows"] for row in latest if row["rows"] is not None), default=None)
    return Drift(day, rows_of_day, _with_history(tables, columns), family, read_spans(tables, day))


def _rank(column: ColumnDrift) -> tuple[Any, ...]:
    weight, psi = column.weight(), column.psi()
    order = (place(column.state), weight is None, -(weight or 0.0)) if column.judged.get("state") else (9, True, 0.0)
    return *order, psi is None, -(psi or 0.0), column.subject


def _rows(tables: PinnedTables, where: pc.Expression, columns: Sequence[str] = _COLUMNS) -> list[dict[str, Any]]:
    """Rows about all rows of single nights, compared with the training data."""
    names = tables.columns("drift")
    for optional in {"window_days", "reference"} & set(names):
        where &= pc.field(optional).is_null()
    there = [name for name in _JUDGED if name in names]
    return tables.rows("drift", [*columns, *there], where & (pc.field("slice") == "all"))


def _column(rows: Sequence[Mapping[str, Any]], histograms: Mapping[str, Mapping[str, Histogram]]) -> ColumnDrift:
    """One column's distances, with the histogram of the model that it was compared with."""
    subject, version = str(rows[0]["subject"]), rows[0]["model_version"]
    values = {row["measure"]: nan_to_none(row["value"]) for row in rows}
    counts = next((row["counts"] for row in rows if row.get("counts")), None)
    return ColumnDrift(subject, values, histograms.get(version, {}).get(subject), _judgement(rows), counts=counts)


def _judgement(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The figures of the measure that is worst, with what is recorded of the column as a whole."""
    judged = [row for row in rows if row.get("state") is not None]
    worst = min(judged, key=lambda row: (place(row["state"]), -(row["studentised"] or 0.0)), default=None)
    of_column = {name: next((row[name] for row in rows if row.get(name) is not None), None) for name in _JUDGED[4:7]}
    own = {} if worst is None else {name: worst[name] for name in (*_JUDGED[:5], "measure", "value")}
    return {name: value for name, value in (of_column | own).items() if value is not None}


def _with_history(tables: PinnedTables, columns: Sequence[ColumnDrift]) -> tuple[ColumnDrift, ...]:
    """The columns, the first of them with their distances of the nights before."""
    drawn = [column.subject for column in columns[:SHOWN]]
    since = tables.run_date - timedelta(days=sparklines.NIGHTS - 1)
    where = (pc.field("run_date") >= since) & (pc.field("run_date") <= tables.run_date)
    where &= pc.field("subject").isin(pa.array(drawn, pa.string())) & (pc.field("measure") == "psi")
    by_night: dict[str, dict[date, float | None]] = {}
    for row in _rows(tables, where, [*_COLUMNS, "run_date"]):
        studentised = nan_to_none(row.get("studentised"))
        value = nan_to_none(row["value"]) if studentised is None else studentised
        by_night.setdefault(row["subject"], {})[row["run_date"]] = value
    return tuple(
        ColumnDrift(
            one.subject,
            one.values,
            one.reference,
            one.judged,
            tuple(sorted(by_night.get(one.subject, {}).items())),
            one.counts,
        )
        for one in columns
    )
