"""Time the point-in-time kernel alone, on one core: scripts/benches/kernel.py [--rows N] [--shapes NAME ...].

Prints {"bench": "kernel", "rows": N, "seconds": {shape: median}}. N spine rows meet 2 N facts of N / 10 entities in a
year; the shapes called dense are N / 4 rows and N / 4 facts of 100 entities. The data comes from a fixed seed.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable

import numpy as np
import pyarrow as pa

from nightjar.asof import Facts, Latest, Windowed, join

DAY = 86_400_000_000
YEAR = 365 * DAY
INSTANT = pa.timestamp("us", tz="UTC")
LATEST = [Latest("x"), Latest("y")]


def windows(*columns: str) -> list[Windowed]:
    names = ("count", "sum", "mean", "std", "min", "max")
    return [Windowed(c, name, w) for c in columns for name in names for w in ("1d", "7d", "28d", "90d")]


SHAPES: dict[str, Callable[[int], tuple[pa.Table, Facts]]] = {
    "latest": lambda n: even(n, LATEST),
    "latest_unsorted": lambda n: even(n, LATEST, ordered=False),
    "latest_event_time_only": lambda n: even(n, LATEST, known_at=None),
    "latest_some_late": lambda n: even(n, LATEST, late=0.01),
    "latest_text_key": lambda n: even(n, LATEST, text=True),
    "windows": lambda n: even(n, windows("x")),
    "windows_round": lambda n: even(n, windows("whole")),
    "windows_three_columns": lambda n: even(n, windows("x", "y", "whole")),
    "windows_some_late": lambda n: even(n, windows("x"), late=0.01),
    "dense_late": lambda n: dense(n // 4, late=5 * DAY),
    "dense_corrected": lambda n: dense(n // 4, corrected=0.2),
}


def even(
    n: int, features: list, *, ordered: bool = True, known_at: str | None = "known_at", late: float = 0.0,
    text: bool = False,
) -> tuple[pa.Table, Facts]:  # fmt: skip
    """N questions to 2 N facts, known a few seconds after they happened; some of them days later."""
    random = np.random.default_rng(7)
    lag = random.integers(0, 5_000_000, 2 * n) + np.where(random.random(2 * n) < late, 3 * DAY, 0)
    facts = _facts(random, n // 10, lag)
    if not ordered:
        facts = facts.take(random.permutation(2 * n))
    return _asked(random, n, n // 10, facts, features, known_at=known_at, text=text)


def dense(n: int, *, late: int = 1, corrected: float = 0.0) -> tuple[pa.Table, Facts]:
    """N questions to N facts of 100 entities, known irregularly late or partly replaced within ten days."""
    random = np.random.default_rng(7)
    facts = _facts(random, 100, random.integers(0, late, n))
    facts = facts.append_column("id", pa.array(np.arange(n)))
    again = facts.take(np.flatnonzero(random.random(n) < corrected))
    known = again["known_at"].cast(pa.int64()).to_numpy() + random.integers(1, 10 * DAY, again.num_rows)
    again = again.set_column(2, "known_at", pa.array(known, INSTANT)).set_column(3, "x", again["y"])
    asked = [Windowed("x", f.aggregate, w) for f in windows("x")[::4] for w in ("1d", "3d", "7d", "28d")]
    return _asked(random, n, 100, pa.concat_tables([facts, again]), asked, fact_id=["id"] if corrected else [])


def _facts(random: np.random.Generator, entities: int, lag: np.ndarray) -> pa.Table:
    n = len(lag)
    key, event = random.integers(0, entities, n), random.integers(0, YEAR, n)
    order = np.lexsort((event, key))
    x, y = random.normal(size=n), random.normal(size=n)
    columns = [key[order], pa.array(event[order], INSTANT), pa.array(event[order] + lag, INSTANT), x, y]
    return pa.table([*columns, np.round(60 * y)], ["k", "event_time", "known_at", "x", "y", "whole"])


def _asked(
    random: np.random.Generator, n: int, entities: int, facts: pa.Table, features: list, *,
    known_at: str | None = "known_at", text: bool = False, fact_id: list[str] | None = None,
) -> tuple[pa.Table, Facts]:  # fmt: skip
    times = pa.array(random.integers(0, YEAR, n), INSTANT)
    spine = pa.table({"k": random.integers(0, entities, n), "prediction_time": times})
    if text:
        spine, facts = (t.set_column(0, "k", t["k"].cast(pa.string())) for t in (spine, facts))
    return spine, Facts("f", facts, ["k"], "event_time", known_at, fact_id=fact_id or [], features=features)


def median_seconds(spine: pa.Table, source: Facts, repeats: int) -> float:
    taken = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        join(spine, [source])
        taken.append(time.perf_counter() - start)
    return round(statistics.median(taken[1:] or taken), 3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000, help="spine rows (default 1000000)")
    parser.add_argument("--repeats", type=int, default=3, help="timed runs after one warm-up (default 3)")
    parser.add_argument("--shapes", nargs="+", choices=SHAPES, default=list(SHAPES))
    arguments = parser.parse_args()
    pa.set_cpu_count(1)
    seconds = {name: median_seconds(*SHAPES[name](arguments.rows), arguments.repeats) for name in arguments.shapes}
    print(json.dumps({"bench": "kernel", "rows": arguments.rows, "seconds": seconds}))


if __name__ == "__main__":
    main()
