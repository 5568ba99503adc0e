"""Contributions of the bench `explain` in one process: `explaining.py` says of which models and by whom.

The process fits its model itself: the same versions of scikit-learn and LightGBM make the same one of the same rows. It
has one thread. The values go to a file, (rows, columns).
"""

import json
import os
import sys
import time
from collections.abc import Callable

os.environ.update({"OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"})  # before a library starts threads

import numpy as np

TRAINING, COLUMNS, TREES, LEAVES, SEED = 50_000, 20, 100, 31, 0

Explain = Callable[[np.ndarray], np.ndarray]


def made(rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Numbers, one in twenty missing, and a yes or no that depends on eight columns and on pairs of them."""
    random = np.random.default_rng(SEED)
    inputs = random.normal(size=(rows, COLUMNS))
    signal = inputs[:, 0] + inputs[:, 1] * inputs[:, 2] + np.sin(3 * inputs[:, 3]) + 0.3 * inputs[:, 4:8].sum(axis=1)
    label = signal + random.normal(size=rows) > 0
    inputs[random.random(inputs.shape) < 1 / 20] = np.nan
    return inputs, label


def boosting(inputs: np.ndarray, label: np.ndarray) -> object:
    """scikit-learn's histogram boosting."""
    from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415  (each process loads what it needs)

    return HistGradientBoostingClassifier(max_iter=TREES, max_leaf_nodes=LEAVES, early_stopping=False).fit(
        inputs, label
    )


def lightgbm_booster(inputs: np.ndarray, label: np.ndarray) -> object:
    """Ours of LightGBM."""
    from nightjar.models.boosters.lightgbm_booster import LightGbmClassifier  # noqa: PLC0415

    return LightGbmClassifier(n_estimators=TREES, num_leaves=LEAVES).fit(inputs, label)


def explain_by_ours(model: object) -> Explain:
    """Reading the trees and preparing them is part of every run."""
    from nightjar.explanation.contributions import trees_of  # noqa: PLC0415
    from nightjar.explanation.tree_shapley import tree_shapley  # noqa: PLC0415

    return lambda rows: tree_shapley(trees_of(model), range(COLUMNS), COLUMNS, rows)[0][:, 0]


def explain_by_shap(model: object) -> Explain:
    """Preparing the trees is not part of its runs."""
    import shap  # noqa: PLC0415

    return shap.TreeExplainer(model).shap_values  # type: ignore[no-any-return]


def explain_by_lightgbm(model: object) -> Explain:
    """What LightGBM computes by itself."""
    import lightgbm  # noqa: PLC0415

    booster = lightgbm.Booster(model_str=model.model_.decode("ascii"))  # type: ignore[attr-defined]
    return lambda rows: booster.predict(rows, pred_contrib=True, num_threads=1)[:, :-1]


ENGINES = {
    "ours": (boosting, explain_by_ours),
    "shap": (boosting, explain_by_shap),
    "ours_lightgbm": (lightgbm_booster, explain_by_ours),
    "lightgbm": (lightgbm_booster, explain_by_lightgbm),
}


def main(name: str, rows: int, target: str) -> None:
    """A run for each line that comes in: its seconds are told."""
    inputs, label = made(TRAINING)
    fit, explainer = ENGINES[name]
    explain = explainer(fit(inputs, label))
    rows_to_explain = inputs[np.arange(rows) % TRAINING]
    explain(rows_to_explain[:100])  # what is compiled or loaded at first use
    for _ in sys.stdin:
        begin = time.perf_counter()
        values = explain(rows_to_explain)
        seconds = time.perf_counter() - begin
        np.save(target, values)
        print(json.dumps({"seconds": seconds}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
