"""The loader that MLflow calls for our artifacts: `mlflow.pyfunc.load_model("models:/<project>@champion")`.

For MLflow's own tools. Models loaded this way are *not verified*: MLflow reads `MLmodel` first, and a forged one could
name another loader. `nightjar.registry.verified` loads models that can be trusted.
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

        A column without any value becomes one of nulls, whatever its type: pandas has no null type.

        Raises:
            ModelError: the frame's columns do not fit the model's features.
        """
        del params
        table = pa.Table.from_pandas(frame, preserve_index=False)
        for place, column in enumerate(table.columns):
            if column.null_count == len(column):
                table = table.set_column(place, table.field(place).name, pa.nulls(len(column)))
        return self.predictor.predict(table)


def _load_pyfunc(data_path: str) -> Scorer:
    return Scorer(artifacts.load(Path(data_path)).open())
