"""The loader that MLflow calls for our artifacts: `mlflow.pyfunc.load_model("models:/<project>@champion")`.

For MLflow's own tools. By this way a model is *not verified*: MLflow reads its `MLmodel` first, and a forged one names
another loader. What is to be trusted is loaded by `nightjar.registry.verified`.
"""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from nightjar.models.predictor import Predictor
from nightjar.registry import artifacts


class Scorer:
    """A predictor with the interface of MLflow: a data frame in, one probability per row out."""

    def __init__(self, predictor: Predictor) -> None:
        self.predictor = predictor

    def predict(self, frame: pd.DataFrame, params: dict[str, Any] | None = None) -> npt.NDArray[np.float64]:
        """The predicted probability of each row.

        Raises:
            ModelError: the frame's columns do not fit the model's features.
        """
        del params
        return self.predictor.predict(pa.Table.from_pandas(frame, preserve_index=False))


def _load_pyfunc(data_path: str) -> Scorer:
    return Scorer(artifacts.load(Path(data_path)).open())
