"""What later nights are compared with: histograms of a model's training data and of scores it was not trained on."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from nightjar.evaluation.histograms import count, fit_bins
from nightjar.learning.rows import TrainingRows
from nightjar.models.examples import Rows
from nightjar.tables import arrow
from nightjar.tables.definitions import REFERENCES
from nightjar.tables.warehouse import Warehouse

Histogram = dict[str, Any]


def histograms(rows: TrainingRows, known: Rows, final_scores: npt.NDArray[np.float64]) -> list[Histogram]:
    """Histograms of every feature over the rows that the model is fitted on, and of the score over the final period.

    A model's scores of its own training rows are sharper than those of new ones: they would be no fair reference.
    """
    columns: dict[str, pa.ChunkedArray[Any]] = {
        column.name: rows.features[column.name].take(known) for column in rows.columns
    }
    columns["score"] = pa.chunked_array([pa.array(final_scores)])
    made = []
    for name, values in columns.items():
        bins = fit_bins(values)
        made.append({"column": name, "night": None, "bins": bins.to_json(), "counts": count(bins, values).tolist()})
    return made


def store(warehouse: Warehouse, made: list[Histogram], version: str, run_id: str) -> int:
    """Keep the histograms of a registered version.

    Returns:
        The new version of `references`.
    """
    stored = [{**histogram, "model_version": version, "run_id": run_id} for histogram in made]
    return arrow.append(warehouse, REFERENCES, stored, run_id)
