"""`scripts/bench explain`: Shapley values of the rows of a boosting model of 100 trees x 31 leaves, on one core each.

    ours, shap                scikit-learn's histogram boosting, by shap's TreeExplainer
    ours_lightgbm, lightgbm   LightGBM's boosting, by its own pred_contrib

Each runs in a process of its own, on the same rows, and the values of both are equal to 1e-9. The columns are numbers,
with missing values: with native categories of scikit-learn's boosting, shap's are wrong.
"""

import sys
import tempfile
from collections.abc import Mapping
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from busy import ROOT, environment
from explain_worker import COLUMNS, LEAVES, TREES
from measure import console
from process import peak_memory_mb
from rounds import Worker, started

PEERS = {"shap": "ours", "lightgbm": "ours_lightgbm"}
"""Peer -> ours beside it."""
TOLERANCE = 1e-9


def measured(rows: int, repeats: int, python: str, peers: Mapping[str, str] = PEERS) -> dict[str, Any]:
    """The figures of `explain`.

    Args:
        rows: that are explained.
        repeats: rounds; in each everybody runs once, one after another.
        python: the interpreter that has shap.
        peers: as `PEERS`.
    """
    names = [name for peer, ours in peers.items() for name in (ours, peer)]
    runs: dict[str, list[float]] = {name: [] for name in names}
    values: dict[str, np.ndarray] = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="nightjar-bench-")))
        workers = {name: stack.enter_context(_worker(name, rows, folder, python)) for name in names}
        for number in range(1, repeats + 1):
            for name, worker in workers.items():
                seconds, values[name] = worker.run()
                runs[name].append(seconds)
                console.print(f"round {number} of {repeats}: {name}, {rows:,} rows, {seconds:.2f} s")
        peaks = {name: round(peak_memory_mb(worker.process.pid)) for name, worker in workers.items()}
    apart = {peer: float(np.abs(values[peer] - values[ours]).max()) for peer, ours in peers.items()}
    seconds = {name: median(times) for name, times in runs.items()}
    return {
        "bench": "explain",
        "rows": {"rows": rows, "columns": COLUMNS, "trees": TREES, "leaves": LEAVES},
        "seconds": seconds,
        "ratio": {peer: seconds[peer] / seconds[ours] for peer, ours in peers.items()},
        "rows_per_second": {name: rows / one for name, one in seconds.items()},
        "greatest_difference": apart,
        "runs": runs,
        "peak_memory_mb": peaks,
        "errors": {
            peer: f"its values differ from ours by {one:g}, more than {TOLERANCE:g}"
            for peer, one in apart.items()
            if not one <= TOLERANCE
        },
    }


def _worker(name: str, rows: int, folder: Path, python: str) -> AbstractContextManager[Worker]:
    here = Path(__file__).parent
    interpreter = python if name == "shap" else sys.executable
    paths = environment(ROOT / "lib", here)
    return started(interpreter, here / "explain_worker.py", [name, str(rows)], folder / f"{name}.npy", paths)
