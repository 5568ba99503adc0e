"""Errors over time: the mean loss of each night, and bias, beside the best baseline's; and the most wrong rows."""

from collections.abc import Collection
from typing import Any

import numpy as np
import pyarrow as pa

from nightjar.evaluation.rows import Floats, RowNumbers
from nightjar.learning.data.training_set import TrainingSet

WORST = 20
"""Rows that people are to look at."""


def losses_by_night(
    rows: TrainingSet, final: RowNumbers, scores: Floats, loss: Floats, baseline: Floats
) -> list[dict[str, Any]]:
    """For each night of the final period: rows, the mean losses, and the mean residual (outcome minus score).

    Args:
        rows: all rows.
        final: numbers of those of the final period.
        scores: the winner's of those rows; of several classes there is no residual.
        loss: the winner's.
        baseline: the best baseline's.
    """
    weights = np.ones(len(final)) if rows.weight is None else rows.weight[final]
    nights, number = np.unique(rows.day[final], return_inverse=True)
    sizes = np.bincount(number, weights)
    columns = {"error": loss, "baseline_error": baseline}
    if scores.ndim == 1:
        columns["residual"] = rows.label[final].astype(np.float64) - scores
    means = {name: np.bincount(number, weights * values) / sizes for name, values in columns.items()}
    counts = np.bincount(number)
    return [
        {"night": str(night), "rows": int(counts[place]), **{name: float(mean[place]) for name, mean in means.items()}}
        for place, night in enumerate(nights)
        if sizes[place]
    ]


def worst_rows(
    rows: TrainingSet, final: RowNumbers, scores: Floats, loss: Floats, baseline: Floats, hidden: set[str]
) -> pa.Table:
    """The rows of the final period with the greatest losses, with their keys, outcomes, scores and features.

    A key or feature that has the name of a computed column, such as `loss`, is `loss (column)`.

    Args:
        rows: all rows.
        final: numbers of those of the final period.
        scores: the winner's of those rows, of several classes (rows, classes).
        loss: the winner's.
        baseline: the best baseline's.
        hidden: columns that are left out, such as those of protected groups.
    """
    worst = np.argsort(-loss, kind="stable")[:WORST]
    numbers = final[worst]
    of_scores = (
        {"score": scores}
        if scores.ndim == 1
        else dict(zip(map("score[{}]".format, rows.classes), scores.T, strict=True))
    )
    computed = {
        "outcome": pa.array(rows.stored_labels(numbers)),
        **{name: pa.array(values[worst]) for name, values in of_scores.items()},
        "loss": pa.array(loss[worst]),
        "loss_of_baseline": pa.array(baseline[worst]),
    }
    keys = _columns(rows.key.take(numbers), hidden, computed)
    features = _columns(rows.features.take(numbers), hidden | set(rows.key.column_names), computed)
    return pa.table({**keys, **computed, **features})


def _columns(table: pa.Table, hidden: set[str], computed: Collection[str]) -> dict[str, Any]:
    shown = (name for name in table.column_names if name not in hidden)
    return {f"{name} (column)" if name in computed else name: table[name] for name in shown}
