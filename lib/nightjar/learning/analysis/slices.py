"""Slices of a training: those declared, and those found on the folds' test rows; all are judged on the final period."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nightjar.evaluation.clusters import Clusters
from nightjar.evaluation.intervals import LEVEL
from nightjar.evaluation.metric_report import Truth, figure
from nightjar.evaluation.reliability import expected_calibration_error
from nightjar.evaluation.rows import Floats, RowNumbers
from nightjar.evaluation.slices.comparing import Compared, compare_all
from nightjar.evaluation.slices.conditions import Condition, Slice, texts_of
from nightjar.evaluation.slices.finding import find_slices
from nightjar.learning.data.training_set import TrainingSet
from nightjar.settings.analysis import Analysis
from nightjar.settings.task import Task

LEAST_SHARE = 0.01
"""Of the rows that are searched, a slice has at least so many."""
MOST_VALUES = 50
"""Of a column each of whose values is a slice: the most frequent ones."""


@dataclass(frozen=True, eq=False)
class LossRows:
    """Rows with their losses.

    Attributes:
        columns: those that slices may be of.
        loss: of each row, by a fit that has not seen it.
        clusters: of the rows.
        weight: how many rows each one stands for; None: one each.
        of_rows: how many rows they are a sample of; None: they are all.
    """

    columns: pa.Table
    loss: Floats
    clusters: Clusters
    weight: Floats | None
    of_rows: int | None = None


def declared_slices(settings: Analysis, columns: Sequence[str], rows: pa.Table) -> dict[str, Slice]:
    """Name -> slice: those of the settings, and one of each value of some columns."""
    result = {
        name: Slice(tuple(Condition(one.column, one.low, one.high, tuple(one.values)) for one in conditions))
        for name, conditions in settings.slices.items()
    }
    for column in columns:
        values, numbers = pc.value_counts(texts_of(rows[column])).flatten()
        counted = pa.table({"value": values, "rows": numbers})
        ranked = counted.sort_by([("rows", "descending"), ("value", "ascending")])["value"][:MOST_VALUES]
        of_values = [Slice((Condition(column, values=(value,)),)) for value in ranked.to_pylist()]
        result |= {str(one): one for one in of_values}
    return result


def columns_of(rows: TrainingSet, index: RowNumbers, hidden: Collection[str] = ()) -> pa.Table:
    """The columns by which slices may be told apart: features, and those that the settings name besides.

    Args:
        rows: all rows.
        index: the numbers of those wanted.
        hidden: columns that are left out.
    """
    table = rows.features
    if rows.slices is not None:
        for name, column in zip(rows.slices.column_names, rows.slices.columns, strict=True):
            table = table if name in table.column_names else table.append_column(name, column)
    return table.select([name for name in table.column_names if name not in hidden]).take(index)


def require_slices(settings: Analysis, rows: TrainingSet) -> None:
    """Refuse slices of the settings whose conditions do not fit the types of their columns.

    Raises:
        LearningError: names the slice and the column.
    """
    none = columns_of(rows, np.empty(0, np.intp))
    for one in declared_slices(settings, (), none).values():
        one.of(none)


def analyse_slices(
    searched: LossRows | None,
    final: LossRows,
    baseline: Floats,
    declared: Mapping[str, Slice],
    settings: Analysis,
    truth: Truth,
    scores: Floats,
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The slices, as the evidence holds them, and how they were searched for.

    Declared ones come first; of those found only the ones that the final period confirms.

    Args:
        searched: the folds' test rows, or a sample; None: nothing is searched for.
        final: the final period's rows.
        baseline: the losses of the best baseline there.
        declared: by name.
        settings: of the analysis.
        truth: of the final period's rows.
        scores: the winner's, of these.
    """
    least = 0 if searched is None else max(settings.least_rows, int(np.ceil(LEAST_SHARE * len(searched.loss))))
    names = {one: name for name, one in declared.items()}
    candidates = [] if searched is None else [one for one in _find(searched, least) if one not in names]
    slices = [*declared.values(), *candidates]
    compared = compare_all(
        slices, final.columns, final.loss, final.clusters, final.weight, least_rows=settings.least_rows
    )
    entries = []
    for one, beside in zip(slices, compared, strict=True):
        if one in names or beside.is_worse:
            inside = np.flatnonzero(one.of(final.columns))
            own = _entry(one, beside, final, baseline, inside) | {"name": names.get(one), "is_declared": one in names}
            entries.append(own | {"calibration": _calibration(inside, truth, scores, settings.least_rows)})
    about = {
        "rows": 0 if searched is None else len(searched.loss),
        "of_rows": 0 if searched is None else searched.of_rows or len(searched.loss),
        "columns": 0 if searched is None else searched.columns.num_columns,
        "least_rows": least,
        "candidates": len(candidates),
        "confirmed": sum(not entry["is_declared"] for entry in entries),
        "confidence": 1 - (1 - LEVEL) / max(1, len(slices)),
    }
    reason = _reason(searched, least)
    return entries, about if reason is None else about | {"reason": reason}


def _find(searched: LossRows, least: int) -> list[Slice]:
    return find_slices(searched.columns, searched.loss, searched.clusters, searched.weight, least_rows=least)


def _calibration(inside: RowNumbers, truth: Truth, scores: Floats, least_rows: int) -> dict[str, Any] | None:
    """The calibration error of two classes in a slice, with its 95% interval; None: other tasks, or too few rows."""
    if truth.task is not Task.CLASSIFICATION or len(inside) < least_rows:
        return None
    return asdict(figure(expected_calibration_error, truth.take(inside), scores[inside]))


def _entry(one: Slice, beside: Compared, final: LossRows, baseline: Floats, inside: RowNumbers) -> dict[str, Any]:
    weights = None if final.weight is None else final.weight[inside]
    return {
        **one.to_json(),
        "share": beside.share,
        "error": beside.error,
        "error_of_rest": beside.error_of_rest,
        "baseline_error": None if beside.error is None else float(np.average(baseline[inside], weights=weights)),
        **asdict(beside.difference),
        "is_confirmed": beside.is_worse,
    }


def _reason(searched: LossRows | None, least: int) -> str | None:
    """Why nothing could be found; None: slices were searched for."""
    if searched is None:
        return "no slices were searched for"
    if len(searched.loss) < 2 * least:
        return f"too few rows: {len(searched.loss):,} were scored out of fold, and at least {2 * least:,} are needed"
    return None
