"""`scripts/bench drift`: the rows of a night compared with training data, 50 columns, 1M and 10M rows on both sides.

    ours       bins and counts of the training data, as training stores them, then the night counted and compared
    duckdb     the same quantiles and counts
    evidently  its report of drift
    nannyml    its univariate drift

Each runs in a process of its own, one after another. Ours runs the night of the larger size once more with the stored
reference: its memory and seconds by rows are those of monitoring alone.
"""

import json
import math
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import outcome
import pyarrow as pa
import pyarrow.parquet as pq
from busy import ROOT, environment
from measure import console
from process import Place

NUMBERS, TEXTS, LEVELS = 40, 10, 30
PIECE = 500_000
LIMIT = 900
"""Seconds after which a run is ended, and told as such."""
Runs = dict[str, list[dict[str, Any]]]


def measured(peer: Place, names: list[str], rows: int, repeats: int, home: Path) -> dict[str, Any]:
    """The figures of `drift`.

    Args:
        peer: where the peers are.
        names: of the engines.
        rows: of each side; once more ten times as many.
        repeats: runs of each engine on these; of the larger size each runs once.
        home: where the data are made.
    """
    errors: dict[str, str] = {}
    runs: dict[int, Runs] = {}
    for size, times in ((rows, repeats), (10 * rows, 1)):
        folder = files(home / f"drift-{size}", size)
        runs[size] = {name: [] for name in names}
        for number in range(times):
            for name in names:
                if name in errors:
                    continue
                if name == "ours":
                    (folder / "references.json").unlink(missing_ok=True)
                answer = run(name, folder, peer, errors)
                if answer is not None:
                    runs[size][name].append(answer)
                    console.print(f"round {number + 1}: {name}, {size:,} rows, {answer['seconds']:.2f} s")
        if "ours" in names and runs[size]["ours"]:
            answer = run("ours", folder, peer, errors)  # its last run has left the reference there
            runs[size]["night"] = [] if answer is None else [answer]
    return told(rows, runs, errors)


def run(name: str, folder: Path, peer: Place, errors: dict[str, str]) -> dict[str, Any] | None:
    """What a run says of itself; None: it failed, and the error stands in `errors`."""
    here = Path(__file__).parent
    command = [sys.executable if name == "ours" else peer.python, str(here / "drift_worker.py"), name, str(folder)]
    try:
        done = subprocess.run(  # noqa: S603  (our own program)
            command, env=environment(ROOT / "lib", here), capture_output=True, text=True, timeout=LIMIT, check=False
        )
    except subprocess.TimeoutExpired:
        errors[f"{name} {folder.name}"] = f"ended after {LIMIT} s"
        return None
    if done.returncode:
        last = (done.stderr.strip() or f"exit code {done.returncode}").splitlines()[-1]
        errors[f"{name} {folder.name}"] = last
        return None
    return dict(json.loads(done.stdout.splitlines()[-1]))


def files(folder: Path, rows: int) -> Path:
    """Both sides as Parquet, made once: numbers of several distributions, 5% null, and texts of 30 levels."""
    for side, seed in (("reference", 0), ("current", 1)):
        path = folder / f"{side}.parquet"
        if path.exists():
            continue
        folder.mkdir(parents=True, exist_ok=True)
        random, part = np.random.default_rng([rows, seed]), path.with_suffix(".part")
        with pq.ParquetWriter(part, piece(random, 1, side).schema) as writer:
            for start in range(0, rows, PIECE):
                writer.write_table(piece(random, min(PIECE, rows - start), side), row_group_size=PIECE // 4)
        part.replace(path)
    return folder


def piece(random: np.random.Generator, rows: int, side: str) -> pa.Table:
    """Some rows; the first number and the first text have moved in the current ones."""
    moves = side == "current"
    draws = (random.standard_normal, random.standard_exponential, lambda size: np.exp(random.standard_normal(size)))
    numbers = [draws[number % 3](rows) + (0.5 if moves and not number else 0) for number in range(NUMBERS)]
    columns: dict[str, Any] = {
        f"number_{place}": pa.array(values, mask=random.random(rows) < 0.05) for place, values in enumerate(numbers)
    }
    levels = pa.array([f"level {number}" for number in range(LEVELS)])
    for place in range(TEXTS):
        drawn = (random.random(rows) ** (3 if moves and not place else 2) * LEVELS).astype(np.int32)
        columns[f"text_{place}"] = levels.take(pa.array(drawn))
    return pa.table(columns)


def told(rows: int, runs: dict[int, Runs], errors: dict[str, str]) -> dict[str, Any]:
    """The JSON of the bench."""
    seconds = {
        size: {name: median(one["seconds"] for one in own) for name, own in of_size.items() if own}
        for size, of_size in runs.items()
    }
    peaks = {
        size: {name: max(one["peak_memory_mb"] for one in own) for name, own in of_size.items() if own}
        for size, of_size in runs.items()
    }
    nights = [seconds[size].get("night") for size in (rows, 10 * rows)]
    exponent = math.log10(nights[1] / nights[0]) if nights[0] and nights[1] else None
    return {
        "bench": "drift",
        "rows": {"rows": rows, "columns": NUMBERS + TEXTS},
        "seconds": seconds[rows],
        "ratio": outcome.ratios(seconds[rows]),
        "exponent": exponent,
        "peak_memory_mb": peaks[rows],
        "ten_times": {"seconds": seconds[10 * rows], "peak_memory_mb": peaks[10 * rows]},
        "runs": runs,
        "errors": errors,
    }
