"""`scripts/bench ingest`: a first load of CSV with twelve checks, and nights of new rows on ever larger sources.

    ours        an ingest: rows typed, checked, compared with those that are stored, written to Delta
    spark_copy  Spark reads the CSV and writes Delta; nothing is checked
    duckdb      DuckDB reads the CSV, counts what fails each check, and writes the rest as Parquet

Each load is in a process of its own, of which only the load counts. The nights of one source are in one process, after
that of their first load, so that their peak of memory is their own.
"""

import json
import math
import select
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from statistics import linear_regression, median
from typing import Any

import ingest_data
import outcome
from busy import ROOT, environment, require_revision
from measure import console
from process import SAMPLING, Place, peak_memory_mb

NEW = 100_000  # rows of a night
SIZES = (1_000_000, 4_000_000, 16_000_000)
NIGHTS = 4  # after each first load, the first of which does not count
LOADED = date(2024, 7, 1)  # the night of a first load, whose facts are a second apart
OF_LOAD, OF_NIGHT = 1_000, 860  # milliseconds from one fact to the next


class Loader:
    """A process that loads files."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.peak_memory_mb = 0.0

    def load(self, path: Path, day: date) -> dict[str, Any]:
        """Seconds of a load, and how many rows it has stored.

        Raises:
            RuntimeError: it failed.
        """
        assert self.process.stdin and self.process.stdout  # noqa: S101, PT018  (Popen was asked for both)
        self.process.stdin.write(f"{path} {day}\n")
        self.process.stdin.flush()
        while not select.select([self.process.stdout], [], [], SAMPLING)[0]:
            self.peak_memory_mb = max(self.peak_memory_mb, peak_memory_mb(self.process.pid))
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the load of {path} failed: its traceback stands above")
        return dict(json.loads(answer))


def measured(home: Path, peers: Place, names: Sequence[str], rows: int, repeats: int) -> dict[str, Any]:
    """The figures of `ingest`.

    Args:
        home: where data and results go.
        peers: where DuckDB runs.
        names: of the engines of the first load.
        rows: of the first load.
        repeats: first loads of each engine.
    """
    path = ingest_data.write(home / "data" / "ingest", 0, rows, LOADED, OF_LOAD)
    seconds: dict[str, list[float]] = {}
    memory: dict[str, float] = {}
    for _ in range(repeats):
        for name in names:
            with folder_of(name, home) as folder, started(name, folder, peers) as loader:
                answer = loader.load(path, LOADED)
            expected = rows if name == "spark_copy" else rows - ingest_data.wrong(rows)
            if answer["stored"] != expected:
                raise RuntimeError(f"{name} has stored {answer['stored']:,} rows, expected {expected:,}")
            seconds.setdefault(name, []).append(answer["seconds"])
            memory[name] = max(memory.get(name, 0.0), round(loader.peak_memory_mb))
            console.print(f"first load of {rows:,} rows: {name} {answer['seconds']:.1f} s")
    nights, peaks = {}, {}
    for size in SIZES:
        nights[size], peaks[size] = _nights(size, home, peers)
    medians = {name: median(took) for name, took in seconds.items()}
    of_nights = {size: median(took) for size, took in nights.items()}
    return {
        "bench": "ingest",
        "rows": {"first load": rows, "night": NEW},
        "seconds": medians | {f"night on {size:,}": took for size, took in of_nights.items()},
        "ratio": outcome.ratios(medians),
        "exponent": exponent(of_nights),
        "runs": seconds | {f"night on {size:,}": took for size, took in nights.items()},
        "peak_memory_mb": memory | {f"night on {size:,}": peak for size, peak in peaks.items()},
        "errors": {},
    }


def exponent(seconds: dict[int, float]) -> float:
    """The e of seconds = c * stored rows ** e, by least squares on logarithms."""
    return linear_regression([math.log(size) for size in seconds], [math.log(took) for took in seconds.values()]).slope


def _nights(size: int, home: Path, peers: Place) -> tuple[list[float], float]:
    """Seconds of the nights that count on a source that holds so many facts, and the process's peak of memory."""
    data = home / "data" / "ingest"
    landing = home / "work" / "landing"
    shutil.rmtree(landing, ignore_errors=True)
    landing.mkdir(parents=True)
    (landing / "first.csv").hardlink_to(ingest_data.write(data, 0, size, LOADED, OF_LOAD))
    with folder_of("ours", home) as folder:
        with started("ours", folder, peers) as loader:
            first = loader.load(landing, LOADED)["seconds"]
            console.print(f"first load of {size:,} rows: {first:.1f} s")
        with started("ours", folder, peers, previous=LOADED) as loader:
            seconds = []
            for number in range(1, NIGHTS + 1):
                day = LOADED + timedelta(days=number)
                new = ingest_data.write(data, size + (number - 1) * NEW, NEW, day, OF_NIGHT)
                (landing / f"{number}.csv").hardlink_to(new)
                answer = loader.load(landing, day)
                seconds.append(answer["seconds"])
                console.print(f"night {number} on {size:,} rows: {answer['seconds']:.1f} s")
    return seconds[1:], round(loader.peak_memory_mb)


@contextmanager
def folder_of(name: str, home: Path) -> Iterator[Path]:
    """A new folder of an engine while the block runs."""
    folder = home / "work" / f"ingest-{name}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    yield folder
    shutil.rmtree(folder)


@contextmanager
def started(name: str, folder: Path, peers: Place, previous: date | None = None) -> Iterator[Loader]:
    """A process of an engine that works in a folder while the block runs.

    Args:
        name: of the engine.
        folder: where.
        peers: where DuckDB runs.
        previous: ours alone: the night that a process before it has loaded there.
    """
    here = Path(__file__).parent
    command = [sys.executable, "-P", str(here / "ingest_worker.py"), name, str(folder)]
    command += [] if previous is None else [str(previous)]
    if name == "duckdb":
        command = [peers.python, str(here / "ingest_duckdb.py"), str(folder), str(peers.cores)]
    with subprocess.Popen(  # noqa: S603  (our own programs)
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment(ROOT / "lib", here),
    ) as process:
        assert process.stdin and process.stdout  # noqa: S101, PT018  (Popen was asked for both)
        line = process.stdout.readline()
        if name != "duckdb":
            require_revision(line, ROOT)
        yield Loader(process)
        process.stdin.close()
