"""The loader that MLflow calls for our artifacts: `mlflow.pyfunc.load_model("models:/<project>@champion")`.

For MLflow's own tools. Models loaded this way are *not verified*: MLflow reads `MLmodel` first, and a forged one could
name another loader. `nightjar.registry.verified` loads models that can be trusted.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from nightjar.evaluation.decisions import choose_classes
from nightjar.models.predictor import Predictor
from nightjar.registry import artifacts


class Scorer:
    """A predictor with the interface of MLflow: a data frame in, a prediction for each row out.

    Attributes:
        predictor: of the artifact.
        costs: of several classes: what mistakes cost, (actual, predicted), as in its manifest.
    """

    def __init__(self, predictor: Predictor, costs: Sequence[Sequence[float]] = ()) -> None:
        self.predictor = predictor
        self.costs = costs

    def predict(
        self, frame: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> npt.NDArray[np.float64] | pd.DataFrame:
        """The score of each row: the probability of True, or the value.

        Of several classes a frame: `predicted`, the class of the least expected cost, `score`, its probability, and
        `probability[CLASS]` of each.

        A column without any value becomes one of nulls, whatever its type: pandas has no null type.

        Raises:
            ModelError: the frame's columns do not fit the model's features.
        """
        del params
        table = pa.Table.from_pandas(frame, preserve_index=False)
        for place, column in enumerate(table.columns):
            if column.null_count == len(column):
                table = table.set_column(place, table.field(place).name, pa.nulls(len(column)))
        scores, classes = self.predictor.predict(table), self.predictor.classes
        if not classes:
            return scores
        chosen = choose_classes(scores, self.costs)
        best = {"predicted": np.array(classes)[chosen], "score": scores[np.arange(len(scores)), chosen]}
        each = {f"probability[{value}]": scores[:, code] for code, value in enumerate(classes)}
        return pd.DataFrame(best | each, index=frame.index)


def _load_pyfunc(data_path: str) -> Scorer:
    artifact = artifacts.load(Path(data_path))
    return Scorer(artifact.open(), artifact.manifest.costs)
