"""Training rows with everything that real ones have: nulls, an empty column, rare and missing categories."""

import numpy as np
import pyarrow as pa

from nightjar.models.columns import FeatureColumn
from nightjar.settings.learning import Estimator, Model

FEATURES = (
    FeatureColumn("hour", "number"),
    FeatureColumn("delay", "number"),
    FeatureColumn("holiday", "number"),
    FeatureColumn("empty", "number"),
    FeatureColumn("carrier", "category"),
    FeatureColumn("nothing", "category"),
)

MODELS = {
    Estimator.MAJORITY: Model(estimator=Estimator.MAJORITY),
    Estimator.RATE: Model(estimator=Estimator.RATE, parameters={"column": "carrier"}),
    Estimator.LOGISTIC: Model(estimator=Estimator.LOGISTIC, parameters={"C": 0.5}),
    Estimator.BOOSTING: Model(estimator=Estimator.BOOSTING, parameters={"max_iter": 10, "min_samples_leaf": 5}),
    Estimator.NETWORK: Model(estimator=Estimator.NETWORK, parameters={"hidden": [8, 4], "epochs": 3, "batch_size": 64}),
}


def training_rows(rows: int = 600, seed: int = 0) -> tuple[pa.Table, np.ndarray]:
    """Later hours, longer delays and carrier UA are late more often."""
    random = np.random.default_rng(seed)
    hour, delay = random.integers(0, 24, rows), random.normal(0, 30, rows)
    carrier = random.choice(np.array(["AA", "DL", "UA", None], dtype=object), rows, p=[0.4, 0.3, 0.2, 0.1])
    carrier[:2] = "HA"
    log_odds = -2 + hour / 12 + delay / 30 + (carrier == "UA")
    table = pa.table(
        {
            "note": pa.array(["not a feature"] * rows),
            "hour": pa.array(hour, pa.int32()),
            "delay": pa.array(np.where(random.random(rows) < 0.2, np.nan, delay), from_pandas=True),
            "holiday": pa.array(random.random(rows) < 0.1),
            "empty": pa.nulls(rows, pa.float64()),
            "carrier": pa.array(carrier),
            "nothing": pa.nulls(rows, pa.string()),
        }
    )
    return table, random.random(rows) < 1 / (1 + np.exp(-log_odds))
