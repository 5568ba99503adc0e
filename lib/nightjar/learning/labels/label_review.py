"""Lists of labels for a person to review: suspect ones, and a random sample."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from nightjar.evaluation.rows import RowNumbers
from nightjar.learning.data.training_set import TrainingSet
from nightjar.learning.labels.label_noise import suspects
from nightjar.learning.labels.spot_checks import spot_checks

LABEL, _ROW = "label", "_row"
MEASURES = ("margin", "probability", "suggested")
MOST_SUSPECTS = 200
OF_EACH = 25
"""Rows of each label in the random list: enough to estimate an error rate to about a tenth."""


def label_review(rows: TrainingSet, scores: npt.NDArray[np.float64], seed: int) -> Mapping[str, pa.Table]:
    """File name -> rows with their key, label and features; none where the scored rows are of one class only.

    Args:
        rows: the training rows, of classes.
        scores: the out-of-fold score of each row, of several classes (rows, classes); NaN where there is none.
        seed: of the random list.
    """
    scored = np.flatnonzero(~np.isnan(scores.reshape(len(scores), -1)).any(axis=1))
    label = rows.stored_labels(scored)
    if (label == label[:1]).all():
        return {}
    suspect_rows = suspects(rows.label, scores, rows.classes).slice(0, MOST_SUSPECTS)
    table = _review_columns(rows, suspect_rows["row"].to_numpy())
    for position, name in enumerate(name for name in MEASURES if name in suspect_rows.column_names):
        table = table.add_column(rows.key.num_columns + position, name, suspect_rows[name])
    labelled = rows.key.take(scored).append_column(LABEL, pa.array(label)).append_column(_ROW, pa.array(scored))
    drawn = spot_checks(labelled, rows.key.column_names, LABEL, OF_EACH, seed)[_ROW].to_numpy()
    return {"label_suspects.csv": table, "label_spot_checks.csv": _review_columns(rows, drawn)}


def _review_columns(rows: TrainingSet, which: RowNumbers) -> pa.Table:
    names = [name for name in rows.features.column_names if name not in rows.key.column_names]
    keys, features = rows.key.take(which), rows.features.select(names).take(which)
    columns: dict[str, Any] = {name: keys[name] for name in keys.column_names}
    reserved = {*columns, LABEL, *MEASURES}
    renamed = {name if name not in reserved else f"feature {name}": features[name] for name in names}
    return pa.table(columns | {LABEL: rows.stored_labels(which)} | renamed)
