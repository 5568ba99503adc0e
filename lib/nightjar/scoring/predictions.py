"""What a model's scores are in the table `scores`."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from nightjar.evaluation.decisions import choose_classes
from nightjar.registry.manifest import Manifest


def prediction_columns(scores: npt.NDArray[np.float64], manifest: Manifest) -> dict[str, "pa.Array[Any]"]:
    """Column -> values: the score; of several classes the class of the least expected cost, and all probabilities.

    The score of several classes is the probability of the predicted one.

    Args:
        scores: as `Predictor.predict` gives them.
        manifest: has the classes, and what mistakes between them cost.
    """
    if not manifest.classes:
        return {"score": pa.array(scores)}
    size, classes = scores.shape
    chosen, values = choose_classes(scores, manifest.costs), pa.array(manifest.classes, pa.string())
    keys = values.take(np.tile(np.arange(classes), size))
    offsets = pa.array(np.arange(size + 1, dtype=np.int32) * classes)
    return {
        "score": pa.array(scores[np.arange(size), chosen]),
        "predicted": values.take(chosen),
        "probabilities": pa.MapArray.from_arrays(offsets, keys, pa.array(scores.ravel())),
    }
