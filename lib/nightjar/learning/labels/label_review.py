"""Labels for a person to look at: those of the final period that are suspect, and a few drawn at random."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from nightjar.learning.labels.label_noise import suspects
from nightjar.learning.labels.spot_checks import spot_checks
from nightjar.learning.rows import TrainingRows
from nightjar.learning.splits.folding import Fold

MOST_SUSPECTS = 200
OF_EACH = 25
"""Rows of each label in the random list: what it says of a rate is good to a tenth."""


def label_review(rows: TrainingRows, final: Fold, scores: npt.NDArray[np.float64], seed: int) -> Mapping[str, pa.Table]:
    """File name -> rows with their key, label and features; none where the final period has one class only.

    The final period's scores are by a model that was not fitted on it, so a label they contradict is worth a look.

    Args:
        rows: the training rows, of a classification.
        final: the final period.
        scores: of its rows.
        seed: of the random list.
    """
    label = rows.label[final.test]
    if label.all() or not label.any():
        return {}
    found = suspects(label, scores).slice(0, MOST_SUSPECTS)
    period = _shown(rows).take(final.test)
    told = period.take(found["row"])
    for place, name in enumerate(("margin", "probability")):
        told = told.add_column(rows.key.num_columns + place, name, found[name])
    key = rows.key.column_names
    return {"label_suspects.csv": told, "label_spot_checks.csv": spot_checks(period, key, "label", OF_EACH, seed)}


def _shown(rows: TrainingRows) -> pa.Table:
    features = rows.features.drop_columns(
        [name for name in rows.key.column_names if name in rows.features.column_names]
    )
    columns = {name: rows.key[name] for name in rows.key.column_names} | {"label": pa.array(rows.label)}
    return pa.table(columns | {name: features[name] for name in features.column_names})
