"""Labels for a person to look at: those that are suspect, and a few drawn at random."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from nightjar.learning.labels.label_noise import suspects
from nightjar.learning.labels.spot_checks import spot_checks
from nightjar.learning.rows import TrainingRows
from nightjar.models.examples import Rows

LABEL, _ROW = "label", "_row"
MEASURES = ("margin", "probability")
MOST_SUSPECTS = 200
OF_EACH = 25
"""Rows of each label in the random list: what it says of a rate is good to a tenth."""


def label_review(rows: TrainingRows, scores: npt.NDArray[np.float64], seed: int) -> Mapping[str, pa.Table]:
    """File name -> rows with their key, label and features; none where the scored rows are of one class only.

    Args:
        rows: the training rows, of a classification.
        scores: of each row, by a model that was not fitted on it, so that a label they contradict is worth a look; NaN
            where there is none.
        seed: of the random list.
    """
    scored = np.flatnonzero(~np.isnan(scores))
    label = rows.label[scored]
    if label.all() or not label.any():
        return {}
    found = suspects(rows.label, scores).slice(0, MOST_SUSPECTS)
    told = _shown(rows, found["row"].to_numpy())
    for place, name in enumerate(MEASURES):
        told = told.add_column(rows.key.num_columns + place, name, found[name])
    named = rows.key.take(scored).append_column(LABEL, pa.array(label)).append_column(_ROW, pa.array(scored))
    drawn = spot_checks(named, rows.key.column_names, LABEL, OF_EACH, seed)[_ROW].to_numpy()
    return {"label_suspects.csv": told, "label_spot_checks.csv": _shown(rows, drawn)}


def _shown(rows: TrainingRows, which: Rows) -> pa.Table:
    others = [name for name in rows.features.column_names if name not in rows.key.column_names]
    shown, features = rows.key.take(which), rows.features.select(others).take(which)
    columns: dict[str, Any] = {name: shown[name] for name in shown.column_names}
    own = {*columns, LABEL, *MEASURES}
    named = {name if name not in own else f"feature {name}": features[name] for name in others}
    return pa.table(columns | {LABEL: rows.label[which]} | named)
