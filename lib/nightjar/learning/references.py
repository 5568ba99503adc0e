"""The reference of drift: histograms of a model's training data, and of its scores of the final period."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from nightjar.evaluation.criteria import Standard
from nightjar.evaluation.decisions import choose_classes
from nightjar.evaluation.distances import design_effect
from nightjar.evaluation.histograms import Bins, Counts, count, fit_bins
from nightjar.evaluation.rows import RowNumbers
from nightjar.learning.data.instants import Days
from nightjar.learning.data.training_set import TrainingSet
from nightjar.tables import arrow, predictions
from nightjar.tables.monitoring_definitions import REFERENCES
from nightjar.tables.warehouse import Warehouse

Histogram = dict[str, Any]
NIGHTS = 60
"""Nights from which the design effect is estimated."""


def histograms(
    rows: TrainingSet,
    fit_rows: RowNumbers,
    final: RowNumbers,
    final_scores: npt.NDArray[np.float64],
    standard: Standard = Standard(),  # noqa: B008  (frozen)
) -> list[Histogram]:
    """Histograms of every feature over the rows that the model is fitted on, and of the score over the final period.

    Of several classes also of the predicted class, and of the probability of each.

    A model's scores of its own training rows are sharper than those of new rows, so they are no fair reference.

    Args:
        rows: all rows, in the order of their dates.
        fit_rows: numbers of those that the model is fitted on, ascending.
        final: numbers of those of the final period, ascending.
        final_scores: the model's scores of the final period's rows, of several classes (rows, classes).
        standard: has the classes, and the costs that decide which one is predicted.
    """
    columns: dict[str, tuple[pa.ChunkedArray[Any], Days]] = {
        column.name: (rows.features[column.name].take(fit_rows), rows.day[fit_rows]) for column in rows.columns
    }
    for name, scores in _watched(final_scores, standard).items():
        columns[name] = pa.chunked_array([pa.array(scores)]), rows.day[final]
    return [_histogram(name, values, days) for name, (values, days) in columns.items()]


def _watched(scores: npt.NDArray[np.float64], standard: Standard) -> dict[str, npt.NDArray[Any]]:
    """What is watched of scores, by its subject."""
    if not standard.classes:
        return {predictions.SCORE: scores}
    chosen = choose_classes(scores, standard.costs)
    names = predictions.watched(standard.classes)
    of_chosen = scores[np.arange(len(scores)), chosen], np.array(standard.classes)[chosen]
    return dict(zip(names, (*of_chosen, *scores.T), strict=True))


def store(warehouse: Warehouse, entries: list[Histogram], version: str, run_id: str) -> int:
    """Append the histograms of a registered version.

    Returns:
        The new version of `references`.
    """
    rows = [{**histogram, "model_version": version, "run_id": run_id} for histogram in entries]
    return arrow.append(warehouse, REFERENCES, rows, run_id)


def _histogram(name: str, values: "pa.ChunkedArray[Any]", days: Days) -> Histogram:
    bins = fit_bins(values)
    return {
        "column": name,
        "night": None,
        "bins": bins.to_json(),
        "counts": count(bins, values).tolist(),
        "design_effect": design_effect(_by_night(bins, values, days)),
    }


def _by_night(bins: Bins, values: "pa.ChunkedArray[Any]", days: Days) -> list[Counts]:
    """The counts of each of the last nights."""
    _, starts = np.unique(days, return_index=True)
    ends = [*starts[1:], len(days)]
    nights = list(zip(starts, ends, strict=True))[-NIGHTS:]
    return [count(bins, values.slice(start, end - start)) for start, end in nights]
