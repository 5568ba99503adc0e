"""`scripts/bench slices`: slices of up to three conditions among 30 columns, ours and sliceline's.

    ours       all rows, and as few as sliceline
    sliceline  5,000 rows, whose seconds are scaled to all: it compares every row with every candidate at once, and
               needs half a megabyte for each row

Each runs in a process of its own, on one thread. Every planted slice that sliceline tells of ours has to tell as well.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import outcome
from busy import ROOT, environment
from measure import console
from process import Place, peak_memory_mb
from slice_worker import COLUMNS, PLANTED

PEER_ROWS = 5000
LIKE = 0.7
"""From which Jaccard on a slice is the planted one."""


def measured(peer: Place, rows: int, repeats: int) -> dict[str, Any]:
    """The figures of `slices`.

    Args:
        peer: where sliceline is.
        rows: that we search.
        repeats: rounds; in each everybody runs once, one after another.
    """
    few = min(rows, PEER_ROWS)
    sizes = {"ours": rows, "ours_few": few, "sliceline": few}
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in sizes}
    with ExitStack() as stack:
        engines = {name: stack.enter_context(started(name, peer)) for name in sizes}
        for number in range(1, repeats + 1):
            for name, engine in engines.items():
                runs[name].append(search(engine, sizes[name]))
                seconds = runs[name][-1]["seconds"]
                console.print(f"round {number} of {repeats}: {name}, {sizes[name]:,} rows, {seconds:.2f} s")
        peaks = {name: round(peak_memory_mb(engine.pid)) for name, engine in engines.items()}
    return told(sizes, runs, peaks)


def search(engine: "subprocess.Popen[str]", rows: int) -> dict[str, Any]:
    """A run's seconds, slices and likeness.

    Raises:
        RuntimeError: it failed.
    """
    assert engine.stdin and engine.stdout  # noqa: S101, PT018  (Popen was asked for both)
    engine.stdin.write(f"{rows}\n")
    engine.stdin.flush()
    answer = engine.stdout.readline()
    if not answer:
        raise RuntimeError("a search failed: its traceback stands above")
    return dict(json.loads(answer))


def told(sizes: dict[str, int], runs: dict[str, list[dict[str, Any]]], peaks: dict[str, int]) -> dict[str, Any]:
    medians = {name: median(one["seconds"] for one in of_name) for name, of_name in runs.items()}
    scale = sizes["ours"] / sizes["sliceline"]
    seconds = {"ours": medians["ours"], "sliceline": medians["sliceline"] * scale}
    likeness = {name: of_name[-1]["likeness"] for name, of_name in runs.items()}
    missed = [
        number for number, like in enumerate(likeness["sliceline"]) if like >= LIKE > likeness["ours_few"][number]
    ]
    wrong = {"ours": f"it misses planted slices that sliceline tells of: {[PLANTED[number] for number in missed]}"}
    return {
        "bench": "slices",
        "rows": {"rows": sizes["ours"], "columns": COLUMNS, "sliceline": sizes["sliceline"]},
        "seconds": seconds,
        "ratio": outcome.ratios(seconds),
        "scaled": f"sliceline: seconds of {sizes['sliceline']} rows, times {scale:g}",
        "measured": medians,
        "ratio_of_as_few": medians["sliceline"] / medians["ours_few"],
        "likeness": likeness,
        "slices": {name: of_name[-1]["slices"] for name, of_name in runs.items()},
        "runs": {name: [one["seconds"] for one in of_name] for name, of_name in runs.items()},
        "peak_memory_mb": peaks,
        "errors": wrong if missed else {},
    }


@contextmanager
def started(name: str, peer: Place) -> Iterator["subprocess.Popen[str]"]:
    here = Path(__file__).parent
    python = peer.python if name == "sliceline" else sys.executable
    with subprocess.Popen(  # noqa: S603  (our own program)
        [python, str(here / "slice_worker.py"), name.removesuffix("_few")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment(ROOT / "lib", here) | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    ) as process:
        yield process
