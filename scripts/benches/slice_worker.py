"""Searches for slices of the bench `slices` in one process, by this revision or by sliceline: see `slicing.py`.

    ours       tables of up to three columns, borders refined, t by blocks of nights
    sliceline  up to three conditions, its score with alpha 0.95

For each number of rows that comes in, the seconds of a search are told, the conditions of the slices in words, and of
each planted one how much of it is the slice most like it (Jaccard).
"""

import json
import sys
import time
from collections.abc import Callable

import numpy as np

COLUMNS, NIGHTS, SEED, LEAST, MOST, ALPHA = 30, 60, 0, 0.02, 10, 0.95
SHARES = (0.3, 0.2, 0.15, 0.1, 0.08, 0.05, 0.05, 0.03, 0.02, 0.02)
"""Of the levels of each column."""
PLANTED = ({0: 1, 5: 1}, {3: 0, 29: 2})
"""Slices: column -> level."""
Found = list[tuple[str, np.ndarray]]


def made(rows: int) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """Columns, errors, and the rows of each planted slice: 60% errors, and a fifth elsewhere."""
    random = np.random.default_rng(SEED)
    columns = random.choice(len(SHARES), (rows, COLUMNS), p=SHARES).astype(np.uint8)
    planted = [rows_of(one, columns) for one in PLANTED]
    chance = np.where(np.logical_or.reduce(planted), 0.6, 0.2)
    return columns, (random.random(rows) < chance).astype(np.float64), planted


def rows_of(conditions: dict[int, int], columns: np.ndarray) -> np.ndarray:
    return np.logical_and.reduce([columns[:, number] == level for number, level in conditions.items()])


def ours(columns: np.ndarray, errors: np.ndarray) -> Callable[[], Found]:
    import pyarrow as pa  # noqa: PLC0415  (each engine has an environment of its own)

    from nightjar.evaluation.clusters import Clusters  # noqa: PLC0415  (each engine has an environment of its own)
    from nightjar.evaluation.slices.finding import find_slices  # noqa: PLC0415  (each engine has an environment of its own)

    rows = pa.table({f"c{number}": columns[:, number] for number in range(COLUMNS)})
    clusters = Clusters(np.arange(len(errors)), np.arange(len(errors)) % NIGHTS)

    def search() -> Found:
        slices = find_slices(rows, errors, clusters, least_rows=int(LEAST * len(errors)))
        return [(str(one), one.of(rows)) for one in slices]

    return search


def sliceline(columns: np.ndarray, errors: np.ndarray) -> Callable[[], Found]:
    from sliceline.slicefinder import Slicefinder  # noqa: PLC0415  (each engine has an environment of its own)

    def search() -> Found:
        finder = Slicefinder(ALPHA, MOST, 3, int(LEAST * len(errors)), verbose=False).fit(columns, errors)
        conditions = [
            {number: level for number, level in enumerate(one) if level is not None} for one in finder.top_slices_
        ]
        words = [" and ".join(f"c{number} is {level}" for number, level in one.items()) for one in conditions]
        return [(text, rows_of(one, columns)) for text, one in zip(words, conditions, strict=True)]

    return search


def likeness(slices: Found, planted: list[np.ndarray]) -> list[float]:
    """Of each planted slice the greatest Jaccard of those told."""
    return [max((float((rows & one).sum() / (rows | one).sum()) for _, rows in slices), default=0.0) for one in planted]


def main(name: str) -> None:
    """A search for each line that comes in."""
    for line in sys.stdin:
        columns, errors, planted = made(int(line))
        search = {"ours": ours, "sliceline": sliceline}[name](columns, errors)
        started = time.perf_counter()
        slices = search()
        seconds = time.perf_counter() - started
        print(
            json.dumps(
                {"seconds": seconds, "slices": [one for one, _ in slices], "likeness": likeness(slices, planted)}
            )
        )
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
