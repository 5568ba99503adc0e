"""Raw files in a few lines, looked at."""

import csv
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from nightjar.profiling.columns import profile_file
from nightjar.profiling.proposal import propose
from nightjar.profiling.raw_file import open_raw


def write_csv(path: Path, columns: dict) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([list(columns), *zip(*columns.values(), strict=True)])
    return path


def write_parquet(path: Path, columns: dict) -> Path:
    pq.write_table(pa.table(columns), path)
    return path


def look(path: Path):
    with open_raw(str(path), "facts") as raw:
        return profile_file(raw)


def proposed(path: Path, *labels: str, name: str = "mine", **options):
    with open_raw(str(path), "facts") as raw:
        return propose(raw, profile_file(raw), name, labels, **options)
