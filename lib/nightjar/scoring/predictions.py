"""What a model's scores are in the table `scores`."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from nightjar.evaluation.decisions import choose_classes
from nightjar.registry.manifest import Manifest
from nightjar.registry.tiers import tiers_of


def prediction_columns(
    scores: npt.NDArray[np.float64], rows: pa.Table, manifest: Manifest, *, with_tier: bool
) -> dict[str, "pa.Array[Any]"]:
    """Column -> values: the score, and the row's tier; of several classes the class of the least expected cost, and all
    probabilities.

    The score of several classes is the probability of the predicted one.

    Args:
        scores: as `Predictor.predict` gives them.
        rows: of the feature table, with the columns by which tiers tell groups apart.
        manifest: has the classes, and what mistakes between them cost, or the thresholds of tiers.
        with_tier: whether the project has tiers.
    """
    if not manifest.classes:
        tier = {"tier": tiers_of(scores, rows, manifest.thresholds)} if with_tier else {}
        return {"score": pa.array(scores), **tier}
    size, classes = scores.shape
    chosen, values = choose_classes(scores, manifest.costs), pa.array(manifest.classes, pa.string())
    keys = values.take(np.tile(np.arange(classes), size))
    offsets = pa.array(np.arange(size + 1, dtype=np.int32) * classes)
    return {
        "score": pa.array(scores[np.arange(size), chosen]),
        "predicted": values.take(chosen),
        "probabilities": pa.MapArray.from_arrays(offsets, keys, pa.array(scores.ravel())),
    }
