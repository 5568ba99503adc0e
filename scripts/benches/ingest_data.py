"""Rows of the bench `ingest`: CSV of 20 columns, in which a few values are wrong."""

from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc

DOUBLES, LONGS, TEXTS = [f"d{n}" for n in range(7)], [f"n{n}" for n in range(6)], [f"t{n}" for n in range(5)]
COLUMNS = ["id", "at", *DOUBLES, *LONGS, *TEXTS]
CHUNK = 250_000  # rows made at once
WRONG_OF = 2_000  # one row of so many has a wrong value in d0, and as many another one in t0
LEVELS = ["red", "green", "blue", "white", "black"]


def write(folder: Path, first: int, rows: int, until: date, step: int) -> Path:
    """One file of rows with ids from `first` on, unless it is there.

    Args:
        folder: where.
        first: id of the first row.
        rows: how many.
        until: a midnight, UTC, at which the facts end.
        step: milliseconds from one to the next.
    """
    path = folder / f"rows-{first}-{rows}-{until}-{step}.csv"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        begins = np.datetime64(until, "ms") - rows * step
        with pc.CSVWriter(part, _chunk(0, 1).schema) as writer:
            for start in range(0, rows, CHUNK):
                chunk = _chunk(first + start, min(CHUNK, rows - start))
                at = (begins + np.arange(start, start + len(chunk)) * step).astype(str)
                writer.write_table(chunk.set_column(1, "at", pa.array(np.char.replace(at, "T", " "))))
        part.rename(path)
    return path


def wrong(rows: int) -> int:
    """How many rows of a file that begins at a multiple of `WRONG_OF` fail a check."""
    return 2 * (rows // WRONG_OF)


def _chunk(first: int, rows: int) -> pa.Table:
    ids, chance = np.arange(first, first + rows), np.random.default_rng(first)
    columns = {"id": pa.array(ids), "at": pa.nulls(rows, pa.string())}
    columns |= {name: pa.array(chance.random(rows).round(6)) for name in DOUBLES}
    columns |= {name: pa.array(chance.integers(0, 1_000_000, rows)) for name in LONGS}
    columns |= {name: pa.array(chance.integers(100_000, 1_000_000, rows).astype(str)) for name in TEXTS}
    levels = np.array(LEVELS, dtype=object)[chance.integers(0, len(LEVELS), rows)]
    columns["d0"] = pa.array(np.where(ids % WRONG_OF == 1, 7.5, chance.random(rows).round(6)))
    columns["t0"] = pa.array(np.where(ids % WRONG_OF == 2, "grey", levels))
    return pa.table(columns)
