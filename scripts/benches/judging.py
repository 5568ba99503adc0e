"""`scripts/bench judge`: resamples of whole nights of three metrics, over all rows and in 20 slices.

    ours          1000 resamples
    sklearn_loop  scikit-learn's metrics in a loop: 20 resamples, whose seconds are scaled to 1000

Each runs in a process of its own, on one thread, and every value of the resamples that both have is equal to 1e-12.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import outcome
from busy import ROOT, environment
from judge_worker import METRICS, NIGHTS, RESAMPLES, SLICES
from measure import console
from process import peak_memory_mb

RUN = {"ours": RESAMPLES, "sklearn_loop": 20}
"""The resamples that each engine runs."""
TOLERANCE = 1e-12


class Resampler:
    """A process of an engine, which holds the rows."""

    def __init__(self, process: "subprocess.Popen[str]", target: Path) -> None:
        self.process, self.target = process, target

    def run(self) -> tuple[float, np.ndarray]:
        """Seconds and values of a run.

        Raises:
            RuntimeError: it failed.
        """
        assert self.process.stdin and self.process.stdout  # noqa: S101, PT018  (Popen was asked for both)
        self.process.stdin.write("run\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"{self.target.stem} failed: its traceback stands above")
        return float(json.loads(answer)["seconds"]), np.load(self.target)


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
        engines = {name: stack.enter_context(_started(name, rows, folder)) for name in RUN}
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


@contextmanager
def _started(name: str, rows: int, folder: Path) -> Iterator[Resampler]:
    target = folder / f"{name}.npy"
    here = Path(__file__).parent
    with subprocess.Popen(  # noqa: S603  (our own program)
        [sys.executable, str(here / "judge_worker.py"), name, str(rows), str(RUN[name]), str(target)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment(ROOT / "lib", here),
    ) as process:
        yield Resampler(process, target)
