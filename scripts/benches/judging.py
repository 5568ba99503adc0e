"""`scripts/bench judge`: resamples of whole nights of three metrics, over all rows and in 20 slices.

    ours          1000 resamples
    sklearn_loop  scikit-learn's metrics in a loop: 20 resamples, whose seconds are scaled to 1000

Each runs in a process of its own, on one thread, and every value of the resamples that both have is equal to 1e-12.
"""

import sys
import tempfile
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import outcome
from busy import ROOT, environment
from judge_worker import METRICS, NIGHTS, RESAMPLES, SLICES
from measure import console
from process import peak_memory_mb
from rounds import Worker, started

RUN = {"ours": RESAMPLES, "sklearn_loop": 20}
"""The resamples that each engine runs."""
TOLERANCE = 1e-12


def measured(rows: int, repeats: int) -> dict[str, Any]:
    """The figures of `judge`.

    Args:
        rows: that are judged.
        repeats: rounds; in each everybody runs once, one after another.
    """
    runs: dict[str, list[float]] = {name: [] for name in RUN}
    apart = 0.0
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="nightjar-bench-")))
        engines = {name: stack.enter_context(_worker(name, rows, folder)) for name in RUN}
        for number in range(1, repeats + 1):
            values = {}
            for name, engine in engines.items():
                seconds, values[name] = engine.run()
                runs[name].append(seconds)
                console.print(f"round {number} of {repeats}: {name}, {RUN[name]} resamples, {seconds:.2f} s")
            apart = max(apart, difference(*values.values()))
        peaks = {name: round(peak_memory_mb(engine.process.pid)) for name, engine in engines.items()}
    return _told(rows, runs, apart, peaks)


def difference(ours: np.ndarray, theirs: np.ndarray) -> float:
    """The greatest difference in the resamples that both have; infinite where only one is defined."""
    both = min(len(ours), len(theirs))
    apart = np.abs(ours[:both] - theirs[:both])
    return float(np.where(np.isnan(apart), np.inf, apart).max())


def _told(rows: int, runs: dict[str, list[float]], apart: float, peaks: dict[str, int]) -> dict[str, Any]:
    seconds = {name: median(times) * RESAMPLES / RUN[name] for name, times in runs.items()}
    wrong = {"sklearn_loop": f"its values differ from ours by {apart:g}, more than {TOLERANCE:g}"}
    return {
        "bench": "judge",
        "rows": {"rows": rows, "nights": NIGHTS, "slices": SLICES, "resamples": RESAMPLES, "metrics": len(METRICS)},
        "seconds": seconds,
        "ratio": outcome.ratios(seconds),
        "scaled": f"sklearn_loop: seconds of {RUN['sklearn_loop']} resamples, times {RESAMPLES // RUN['sklearn_loop']}",
        "greatest_difference": apart,
        "runs": runs,
        "peak_memory_mb": peaks,
        "errors": {} if apart <= TOLERANCE else wrong,
    }


def _worker(name: str, rows: int, folder: Path) -> AbstractContextManager[Worker]:
    here = Path(__file__).parent
    arguments = [name, str(rows), str(RUN[name])]
    paths = environment(ROOT / "lib", here)
    return started(sys.executable, here / "judge_worker.py", arguments, folder / f"{name}.npy", paths)
