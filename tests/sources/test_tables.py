"""Nights of sources that are Delta tables and tables of a catalogue, beside a folder of files with the same rows."""

import re
from dataclasses import replace
from functools import partial

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
from nightjar.settings.sources import Column, ColumnType
from nightjar.sources.intake.unread import silent_sources, unread
from sources.worlds import CUTOFFS, DAYS, STORED, World, moment, ten_nights

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


class Lake(World):
    """The same rows in a folder of new files, two Delta tables and a table of Spark's catalogue."""

    def __init__(self, folder, spark):
        super().__init__()
        self.folder, self.spark, self.files = folder, spark, 0
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
        super().live_until(n)
        rows = self.spark.createDataFrame(pa.Table.from_pylist([*self.rows.values()], SCHEMA).to_pandas())
        rows.createOrReplaceTempView(self.view)

    def write(self, row):
        super().write(row)
        table = pa.Table.from_pylist([row], SCHEMA)
        for name in ("plain", "feed"):
            merge = Delta(str(self.folder / name)).merge(table, "s.machine = t.machine", "s", "t")
            merge.when_matched_update_all().when_not_matched_insert_all().execute()
        line = f"{row['machine']},{row['at']:%F %T},{row['seen']:%F %T},{row['temperature']}\n"
        self.files += 1
        (self.folder / "files" / f"{self.files}.csv").write_text(HEADER + line)

    def remove(self, machine):
        super().remove(machine)
        for name in ("plain", "feed"):
            Delta(str(self.folder / name)).delete(f"machine = '{machine}'")


@pytest.mark.long
def test_ten_nights_store_what_an_oracle_does_that_reads_everything_each_night(
    tmp_path, spark, run, warehouse, project_of
):
    """With a night without news, rows that come late, change or vanish; three nights run after a later one; a rerun."""
    lake = Lake(tmp_path, spark)
    expected = ten_nights(lake, run)
    for name in ("files", "plain", "every", "newer"):
        assert sorted(rows_of(warehouse, f"source_{name}", *STORED)) == expected, name
    recorded = {name: text for name, text in rows_of(warehouse, "intake", "source", "undeclared") if text is not None}
    assert recorded == {"files": "[]", "newer": "[]"} | dict.fromkeys(("plain", "feed", "every"), '["written"]')
    of_feed = rows_of(warehouse, "source_feed", *STORED, "is_deleted")
    assert sorted(row[:-1] for row in of_feed if not row[-1]) == expected
    assert [row for row in of_feed if row[-1]] == [("m2", moment(DAYS[1]), 12.0, CUTOFFS[DAYS[7]], DAYS[7], True)]
    # A night that is done is due again where a Delta table has more by now, which no Spark is needed to know.
    one = project_of(lake.sources()["plain"])
    of_plain = {"spine": replace(one.spine, source="plain"), "label": replace(one.label, source="plain")}
    project = replace(one, sources=lake.sources(), **of_plain)
    unread_by = partial(unread, warehouse, project, cache=tmp_path / "raw")
    assert unread_by(DAYS[9]) == []
    assert silent_sources(project) == ["every", "newer"]
    lake.put("more", moment(DAYS[9]), 1, moment(DAYS[9]))
    more = unread_by(DAYS[9])
    assert [text.split(" has ")[0] for text in more] == ["source files", "source plain", "source feed"]
    assert re.search(r"has plain versions \d+ to \d+ to read$", more[1])
    assert unread_by(DAYS[8]) == []  # others have followed it
