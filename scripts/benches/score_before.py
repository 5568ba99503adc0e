"""What `scripts/bench score` measures beside a revision before: few rows in a warm session, a cold night of flights."""

import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any

from busy import ROOT, checked_out, environment
from measure import console
from night import HISTORY, Nights, overrides, started
from score_lines import Engine

FEW = 10_000
"""Rows of a warm job."""
FLIGHTS = date(2013, 10, 1)
"""The night that is scored in a process of its own."""


def added(figures: dict[str, Any], home: Path, repeats: int, cores: int, before: str) -> dict[str, Any]:
    """The figures with `ours_few`, `before_few`, `ours_cold` and `before_cold`, and their ratios."""
    runs: dict[str, list[float]] = {}
    with ExitStack() as stack:
        roots = {"ours": ROOT, "before": stack.enter_context(checked_out(before))}
        few(roots, home, repeats, cores, runs)
        cold(roots, repeats, runs)
    medians = {name: median(took) for name, took in runs.items()}
    ratio = {f"before_{kind}": medians[f"before_{kind}"] / medians[f"ours_{kind}"] for kind in ("few", "cold")}
    return figures | {
        "revision": before,
        "seconds": figures["seconds"] | medians,
        "ratio": figures["ratio"] | ratio,
        "runs": figures["runs"] | runs,
    }


def few(roots: dict[str, Path], home: Path, repeats: int, cores: int, runs: dict[str, list[float]]) -> None:
    """Warm jobs of few rows, in turn; of each session the first job does not count."""
    here = Path(__file__).parent
    with ExitStack() as stack:
        engines = {}
        for name, root in roots.items():
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="few-", dir=home)))
            program = [sys.executable, "-P", str(here / "score_worker.py"), "ours", str(folder), str(cores), str(FEW)]
            paths = environment(root / "lib", here)
            engines[name] = stack.enter_context(Engine.started(program, folder / "ours.npy", paths))
        for number in range(repeats + 1):
            for name, engine in engines.items():
                took, _ = engine.run("boosting")
                console.print(
                    f"{name}: {FEW:,} rows in {took['seconds']:.2f} s, {took['cpu_seconds']:.2f} of processors"
                )
                if number:
                    runs.setdefault(f"{name}_few", []).append(took["seconds"])


def cold(roots: dict[str, Path], repeats: int, runs: dict[str, list[float]]) -> None:
    """The job `score` of one night of flights, again and again, each time in a new process."""
    with ExitStack() as stack:
        nights = {name: stack.enter_context(started(root)) for name, root in roots.items()}
        for one in nights.values():
            one.run(HISTORY, "ingest", "build_features", "train", "promote")
            one.run(FLIGHTS, "ingest", "build_features")
        for _ in range(repeats):
            for name, one in nights.items():
                runs.setdefault(f"{name}_cold", []).append(_scored_alone(one))
                console.print(f"{name}: score in a process of its own {runs[f'{name}_cold'][-1]:.2f} s")


def _scored_alone(night: Nights) -> float:
    began = time.monotonic()
    settings = [one for one in overrides(night.folder, FLIGHTS) if "search" not in one]
    subprocess.run(  # noqa: S603  (our own program)
        [sys.executable, str(night.root / "jobs" / "score.py"), *settings],
        check=True,
        cwd=night.root,  # whose configuration it takes
        env=environment(night.root / "lib"),
        stdout=subprocess.DEVNULL,
    )
    return time.monotonic() - began
