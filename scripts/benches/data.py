"""The made-up data: one spine and three fact tables, as they would arrive, from a fixed seed."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from cases import DAY, Case, Facts

SEED = 20130101
START = np.datetime64("2024-01-01T00:00:00", "us").astype(np.int64)
YEAR = 365 * DAY
TABLES = ("facts_1", "facts_2", "facts_3")
KINDS = ("one", "three", "hot")
INSTANT = pa.timestamp("us", tz="UTC")
FILES = 4
BUCKETS = 16

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Shape:
    """How much data, and how its keys lie.

    Attributes:
        kind: `one` key for all tables; `three` different keys; `hot`, one key of which one entity holds half of all.
        spine: rows of the spine.
        facts: rows of each fact table.
        per_entity: facts of an entity in each table, on average, over a year.
    """

    kind: str
    spine: int
    facts: int
    per_entity: int

    @property
    def keys(self) -> dict[str, str]:
        """Fact table -> key."""
        return {table: f"k{number if self.kind == 'three' else 1}" for number, table in enumerate(TABLES, 1)}

    def rows(self) -> dict[str, int | str]:
        """The shape in the words of the figures."""
        return {"spine": self.spine, "facts": self.facts, "shape": self.kind, "facts_per_entity": self.per_entity}

    @property
    def name(self) -> str:
        return f"{self.kind}-{self.spine}x{self.facts}-{self.per_entity}"


def made(shape: Shape, root: Path) -> Path:
    """The folder with the shape's raw files, made unless it is there: `spine/` and one folder for each table."""
    folder = root / shape.name
    if not folder.exists():
        part = root / f"{shape.name}.part"
        shutil.rmtree(part, ignore_errors=True)
        _write_all(shape, part)
        part.rename(folder)
    return folder


def case_of(shape: Shape, folder: Path, windows: dict[str, int], cores: int, memory_gb: int) -> Case:
    """The case before anybody has built a layout: its facts have no files yet. Windows are asked of one table."""
    tables = TABLES[:1] if windows else TABLES
    return Case(
        folder=str(folder),
        spine=files_of(folder / "spine"),
        facts=tuple(Facts(table, shape.keys[table], ()) for table in tables),
        windows=windows,
        cores=cores,
        memory_gb=memory_gb,
    )


def files_of(folder: Path) -> tuple[str, ...]:
    return tuple(str(path) for path in sorted(folder.rglob("*.parquet")))


def lay_out(shape: Shape, folder: Path) -> dict[str, tuple[str, ...]]:
    """Table -> files: the raw facts as plain Parquet in buckets, sorted, for runs without Nightjar's own layout."""
    for table, key in shape.keys.items():
        target = folder / "plain" / table
        if target.exists():
            continue
        rows = pq.read_table(folder / table)
        buckets = np.asarray(rows[key]) % BUCKETS
        for bucket in range(BUCKETS):
            mine = rows.filter(pa.array(buckets == bucket)).sort_by([(key, "ascending"), ("event_time", "ascending")])
            place = folder / "plain.part" / table / f"bucket={bucket}"
            place.mkdir(parents=True, exist_ok=True)
            pq.write_table(mine, place / "part-0.parquet")
        target.parent.mkdir(exist_ok=True)
        (folder / "plain.part" / table).rename(target)
    return {table: files_of(folder / "plain" / table) for table in TABLES}


def _write_all(shape: Shape, folder: Path) -> None:
    random = np.random.default_rng(SEED)
    for table, key in shape.keys.items():
        times = _instants(random, shape.facts)
        values = {name: pa.array(random.normal(50, 20, shape.facts)) for name in ("v1", "v2")}
        rows = {key: _entities(random, shape, shape.facts), "event_time": times, "known_at": times}
        _write(pa.table(rows | values), folder / table)
    _write(_spine(random, shape, pq.read_table(folder / TABLES[0])), folder / "spine")


def _spine(random: np.random.Generator, shape: Shape, facts: pa.Table) -> pa.Table:
    """One row in a hundred asks at the very instant of a fact of its entity, which counts."""
    keys = {key: _entities(random, shape, shape.spine) for key in dict.fromkeys(shape.keys.values())}
    times = np.asarray(_instants(random, shape.spine).cast(pa.int64())).copy()
    rows = np.arange(0, shape.spine, 100)
    chosen = facts.take(random.integers(0, shape.facts, len(rows)))
    times[rows] = np.asarray(pc.cast(chosen["event_time"], pa.int64()))
    keys["k1"][rows] = np.asarray(chosen["k1"])
    return pa.table({"spine_id": np.arange(shape.spine), **keys, "prediction_time": pa.array(times).cast(INSTANT)})


def _entities(random: np.random.Generator, shape: Shape, rows: int) -> Ints:
    chosen = random.integers(0, max(shape.facts // shape.per_entity, 1), rows)
    if shape.kind == "hot":
        chosen[random.random(rows) < 0.5] = 0
    return chosen


def _instants(random: np.random.Generator, rows: int) -> pa.Array:
    """Instants of one year in order, all different: the latest fact of an entity is never a matter of opinion."""
    step = YEAR // rows
    return pa.array(START + np.arange(rows) * step + random.integers(0, step, rows)).cast(INSTANT)


def _write(rows: pa.Table, folder: Path) -> None:
    folder.mkdir(parents=True)
    size = -(-len(rows) // FILES)
    for number in range(FILES):
        pq.write_table(rows.slice(number * size, size), folder / f"part-{number}.parquet")
