"""Nights of sources that are Delta tables and tables of a catalogue, beside a folder of files with the same rows."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pytest
from deltalake import DeltaTable as Delta
from deltalake import write_deltalake

import builders
from builders import READINGS as HEADER
from builders import rows_of
from nightjar.settings.arrival import Arrival
from nightjar.settings.connections import CatalogueTable, DeltaTable, Watermark
from nightjar.settings.files import File
from nightjar.settings.label import Label
from nightjar.settings.sources import Column, ColumnType
from nightjar.settings.spine import Spine
from nightjar.sources.ingest import ingest
from nightjar.timeline import cutoff
from oracles.nights import Row, facts

ZONE = "Europe/Paris"
DAYS = [date(2024, 4, 1) + timedelta(days=n) for n in range(10)]
CUTOFFS = {day: cutoff(day, ZONE) for day in DAYS}
AT = datetime(2024, 3, 30, 6, tzinfo=UTC)
SCHEMA = pa.schema(
    {
        "machine": pa.string(),
        "at": pa.timestamp("us", "UTC"),
        "seen": pa.timestamp("us", "UTC"),
        "temperature": pa.float64(),
        "written": pa.timestamp("us", "UTC"),
    }
)
FEED = {"delta.enableChangeDataFeed": "true"}
STORED = ("machine", "stated_known_at", "temperature", "known_at", "ingested_on")


def moment(day, hour=7):
    """An hour of the day before a run date's midnight."""
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC) - timedelta(days=1)


class World:
    """The same rows in a folder of new files, two Delta tables and a table of Spark's catalogue."""

    def __init__(self, folder, spark):
        self.folder, self.spark, self.rows, self.files, self.day = folder, spark, {}, 0, 0
        self.view = f"{folder.name}_readings".replace("-", "_")
        (folder / "files").mkdir()
        for name, configuration in {"plain": {}, "feed": FEED}.items():
            write_deltalake(str(folder / name), SCHEMA.empty_table(), configuration=configuration)

    def sources(self):
        columns = builders.readings(self.folder).columns
        written = {"written": Column(ColumnType.TIMESTAMP)}
        change = {"_change_type": Column(ColumnType.STRING), "_commit_version": Column(ColumnType.LONG)}
        with_deletions = {
            "columns": columns | change,
            "derived": {"is_deleted": "_change_type = 'delete'"},
            "deleted": "is_deleted",
            "sequence": ["_commit_version"],
        }
        origins = {
            "files": {"file": File(str(self.folder / "files"))},
            "plain": {"delta": DeltaTable(str(self.folder / "plain"))},
            "feed": {"delta": DeltaTable(str(self.folder / "feed"))} | with_deletions,
            "every": {"catalogue": CatalogueTable(self.view)},
            "newer": {
                "catalogue": CatalogueTable(self.view, Watermark("written", overlap="12h")),
                "columns": columns | written,
            },
        }
        nothing = {"arrival": Arrival(0)}
        return {name: builders.readings("", **{"file": None} | nothing | one) for name, one in origins.items()}

    def live_until(self, n):
        """Let pass the days up to the one that ends with a night."""
        for number in range(self.day + 1, n + 1):
            day = DAYS[number - 1]
            if number != 3:  # a night without news
                self.put(f"m{number}" if number < 9 else "m1", moment(day), 10 + number, moment(day))
            self.at_odds(number, day)
        self.day = max(self.day, n)
        rows = self.spark.createDataFrame(pa.Table.from_pylist([*self.rows.values()], SCHEMA).to_pandas())
        rows.createOrReplaceTempView(self.view)

    def at_odds(self, number, day):
        if number == 2:
            self.put("later", moment(DAYS[4]), 5, moment(day, 8))  # known three nights after it is written
        elif number == 4:
            self.put("late", moment(DAYS[0]), 6, moment(day, 9))
            self.put("slow", moment(day, 1), 7, moment(day, 1))  # written behind others, within the overlap
        elif number == 6:
            self.put("m1", moment(DAYS[0]), 85, moment(day, 10))
            self.remove("m2")

    def put(self, machine, seen, temperature, written):
        self.write([{"machine": machine, "at": AT, "seen": seen, "temperature": temperature, "written": written}])

    def write(self, rows):
        """Insert rows, or update those of the same machine."""
        table = pa.Table.from_pylist(rows, SCHEMA)
        for name in ("plain", "feed"):
            merge = Delta(str(self.folder / name)).merge(table, "s.machine = t.machine", "s", "t")
            merge.when_matched_update_all().when_not_matched_insert_all().execute()
        lines = "".join(
            f"{row['machine']},{row['at']:%F %T},{row['seen']:%F %T},{row['temperature']}\n" for row in rows
        )
        self.files += 1
        (self.folder / "files" / f"{self.files}.csv").write_text(HEADER + lines)
        self.rows |= {row["machine"]: row for row in rows}

    def remove(self, machine):
        for name in ("plain", "feed"):
            Delta(str(self.folder / name)).delete(f"machine = '{machine}'")
        del self.rows[machine]

    def state(self):
        return {(row["machine"], AT): Row(row["seen"], (row["temperature"],)) for row in self.rows.values()}


@pytest.fixture
def world(tmp_path, spark):
    return World(tmp_path, spark)


@pytest.fixture
def run(spark, warehouse, tmp_path):
    def run_night(sources, day, previous=None, run_id=None):
        project = replace(
            builders.machines(tmp_path),
            sources=sources,
            spine=Spine(next(iter(sources)), ["machine"], "at"),
            label=Label(next(iter(sources)), {"machine": "machine"}, "temperature", "1d"),
            features={},
        )
        run_id = run_id or f"of-{day}"
        ingest(spark, warehouse, project, day, previous, run_id, tmp_path / "raw", builders.unchecked)

    return run_night


def test_ten_nights_store_what_an_oracle_does_that_reads_everything_each_night(world, run, warehouse):
    """With a night without news, rows that come late, change or vanish; three nights run after a later one; a rerun."""
    runs, read = [], {}
    for n in (1, 2, 3, 4, 8, 5, 6, 7, 9, 10, 4):
        day = DAYS[n - 1]
        world.live_until(n)
        read.setdefault(day, world.state())
        run(world.sources(), day, max((one for one, _ in runs if one < day), default=None), f"run-{len(runs)}")
        runs.append((day, read[day]))
    expected = [(one.key[0], one.stated, *one.values, one.known_at, one.ingested_on) for one in facts(runs, CUTOFFS)]
    for name in ("files", "plain", "every", "newer"):
        assert sorted(rows_of(warehouse, f"source_{name}", *STORED)) == sorted(expected), name
    of_feed = rows_of(warehouse, "source_feed", *STORED, "is_deleted")
    assert sorted(row[:-1] for row in of_feed if not row[-1]) == sorted(expected)
    assert [row for row in of_feed if row[-1]] == [("m2", moment(DAYS[1]), 12.0, CUTOFFS[DAYS[7]], DAYS[7], True)]
