"""The look at a raw file as a page: what each column holds, and what was decided of a project."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import PurePath

import numpy as np
import pyarrow as pa
from markupsafe import Markup

from nightjar.evaluation.histograms import Bins, count, fit_bins
from nightjar.profiling import telling
from nightjar.profiling.columns import ColumnProfile, FileProfile
from nightjar.report import charts
from nightjar.report.page import fill
from nightjar.report.shapes import Shape, Slot, compare
from nightjar.settings.sources import ColumnType, FileFormat

MOST_LEVELS = 50
"""A text with more different values is drawn only if a few of them make up much of it."""
MUCH = 0.2
_SLOTS = 20
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Drawn:
    """A column with its picture."""

    column: ColumnProfile
    chart: Markup | None


def render(look: FileProfile, project: str | None = None, files: Mapping[str, str] | None = None) -> str:
    """The page as text.

    Args:
        look: what the file holds.
        project: that was made of it; None: none was.
        files: of that project, path -> text.
    """
    return fill(
        "nightjar.profiling",
        "profile.html.j2",
        look=look,
        title=PurePath(look.file.path).name,
        kind="CSV" if look.file.format is FileFormat.CSV else "Parquet",
        drawn=[Drawn(column, _chart(column)) for column in look.columns.values()],
        project=project,
        files=files or {},
        checks=telling.to_check(files or {}),
        shown=telling.shown,
    )


def shape_of(column: ColumnProfile) -> Shape | None:
    """How the values of a column are spread; None where no picture would show it."""
    values, counts = column.counted.values, column.counted.counts
    if column.distinct == 1:
        return None
    if column.kind in (ColumnType.DATE, ColumnType.TIMESTAMP):
        return _over_time(column)
    if column.kind in (ColumnType.STRING, ColumnType.BOOLEAN):
        rows = sum(rows for _, rows in column.levels)
        if column.distinct > MOST_LEVELS and rows < MUCH * (column.rows - column.nulls):
            return None
        order = np.argsort(-counts, kind="stable")
        bins = Bins("categorical", levels=tuple(str(values[int(place)].as_py()) for place in order))
        return _alone(bins, [0, *counts[order], 0])
    repeated = pa.array(np.repeat(values.cast(pa.float64(), safe=False).to_numpy(), counts))
    bins = fit_bins(repeated)
    return _alone(bins, [0, *count(bins, repeated)[1:]]) if bins.edges else None


def _chart(column: ColumnProfile) -> Markup | None:
    shape = shape_of(column)
    return None if shape is None else charts.distribution(shape, f"Share of rows by {column.name}", height=150)


def _alone(bins: Bins, counts: object) -> Shape:
    """The shape of counts without others beside them."""
    both = compare(bins, np.asarray(counts), np.asarray(counts))
    slots = tuple(replace(slot, reference=None) for slot in both.slots)
    return replace(both, slots=slots, reference_nulls=None)


def _over_time(column: ColumnProfile) -> Shape | None:
    """Twenty spans of equal length from the first to the last, or as many as there are days."""
    if column.least is None:
        return None
    is_day = column.kind is ColumnType.DATE
    values = column.counted.values.cast(pa.int32() if is_day else pa.int64()).to_numpy().astype(np.float64)
    number = min(_SLOTS, int(values.max() - values.min()) + 1)
    rows, edges = np.histogram(
        values, bins=number, range=(values.min(), values.max() + 1), weights=column.counted.counts
    )
    names = [_named(edge, is_day=is_day) for edge in edges]
    every = max(1, number // 4)
    slots = [
        Slot(f"{names[n]} to {names[n + 1]}", names[n][:10] if n % every == 0 else "", None, float(share))
        for n, share in enumerate(rows / rows.sum())
    ]
    return Shape(is_numeric=True, is_centred=False, slots=tuple(slots), reference_nulls=None, night_nulls=0.0)


def _named(moment: float, *, is_day: bool) -> str:
    if is_day:
        return (date(1970, 1, 1) + timedelta(days=int(moment))).isoformat()
    return f"{_EPOCH + timedelta(microseconds=int(moment)):%Y-%m-%d %H:%M}"
