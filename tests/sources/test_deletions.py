"""Deletions and sequences of a source, from its raw file to features: the same in all three placements."""

from dataclasses import replace
from datetime import date

import pyarrow as pa
import pytest

import builders
from nightjar.features.at import with_features
from nightjar.features.spine import spine_rows
from nightjar.settings.environment import Placement
from nightjar.settings.label import Label
from nightjar.settings.layouts import Layout
from nightjar.settings.sources import Column, ColumnType
from nightjar.settings.spine import Spine, SpineKind
from nightjar.sources.ingest import ingest
from nightjar.tables import arrow
from nightjar.tables.rows import of_frame
from nightjar.tables.table import INSTANT
from nightjar.timeline import cutoff

D1, D2, D3 = (date(2024, 4, n) for n in (1, 2, 3))
HEADER = "id,machine,at,seen,temperature,version,gone\n"
COLUMNS = {
    "id": Column(ColumnType.LONG, required=True),
    "machine": Column(ColumnType.STRING),
    "at": Column(ColumnType.TIMESTAMP),
    "seen": Column(ColumnType.TIMESTAMP),
    "temperature": Column(ColumnType.DOUBLE),
    "version": Column(ColumnType.LONG),
    "gone": Column(ColumnType.BOOLEAN),
}
FIRST = """1,m1,2024-03-31 06:00:00,2024-03-31 07:00:00,20,1,false
2,m1,2024-03-31 08:00:00,2024-03-31 09:00:00,30,1,NA
3,m2,2024-03-31 08:00:00,2024-03-31 09:00:00,40,1,false
4,m3,2024-03-31 08:00:00,2024-03-31 09:00:00,50,2,false
5,m3,2024-03-31 08:00:00,2024-03-31 09:00:00,60,1,false
"""


class Readings:
    """Readings with ids as nights ingest them, laid out by machine, and the features of machines at midnights."""

    def __init__(self, spark, warehouse, folder):
        self.spark, self.warehouse, self.folder = spark, warehouse, folder
        source = builders.readings(
            folder / "readings.csv",
            columns=COLUMNS,
            key=["id"],
            sequence=["version"],
            deleted="gone",
            keep=["machine", "temperature"],
            layouts={"by_machine": Layout(["machine"], buckets=2)},
        )
        self.project = replace(
            builders.machines(folder),
            sources={"readings": source},
            spine=Spine("readings", ["machine"], kind=SpineKind.ACTIVE, active_within="3d"),
            label=Label("readings", {"machine": "machine"}, "gone", "1d"),
        )

    def night(self, text, day, previous=None):
        (self.folder / "readings.csv").write_text(HEADER + text)
        ingest(
            self.spark,
            self.warehouse,
            self.project,
            day,
            previous,
            f"run {day}",
            self.folder / "raw",
            builders.unchecked,
        )

    def features(self, machine, day, placement):
        """(last, mean of a day, mean of three days) at the midnight that starts the day."""
        at = cutoff(day, self.project.zone)
        spine = pa.table({"machine": [machine], "prediction_time": pa.array([at], INSTANT)})
        rows, versions = (
            of_frame(self.spark.createDataFrame(spine)),
            arrow.versions(self.warehouse, ["source_readings"]),
        )
        placements = {"temperature": placement}
        (row,) = with_features(rows, self.warehouse, self.project, versions, placements).frame().collect()
        return (row["temperature__last"], row["temperature__mean_1d"], row["temperature__mean_3d"])


@pytest.fixture
def readings(spark, warehouse, tmp_path):
    return Readings(spark, warehouse, tmp_path)


@pytest.mark.parametrize("placement", Placement)
def test_a_deleted_fact_is_gone_from_tonight_and_still_in_last_night_s_rebuild(readings, placement):
    """Fact 2 is deleted by a row of another time and no machine, fact 3 in its place; both were known at D1."""
    readings.night(FIRST, D1)
    before = [readings.features(machine, D1, placement) for machine in ("m1", "m2")]
    assert before == [(30.0, 25.0, 25.0), (40.0, 40.0, 40.0)]
    gone = """2,NA,2024-04-01 05:00:00,2024-04-01 06:00:00,NA,1,true
3,m2,2024-03-31 08:00:00,2024-04-01 06:00:00,NA,1,true
"""
    readings.night(FIRST + gone, D2, previous=D1)
    assert [readings.features(machine, D2, placement) for machine in ("m1", "m2")] == [
        (20.0, None, 20.0),
        (None, None, None),
    ]
    assert [readings.features(machine, D1, placement) for machine in ("m1", "m2")] == before


@pytest.mark.parametrize("placement", Placement)
def test_of_facts_of_one_instant_the_greatest_in_sequence_is_the_latest(readings, placement):
    """Facts 4 and 5 share both clocks; without a sequence the greater key would be the latest."""
    readings.night(FIRST, D1)
    assert readings.features("m3", D1, placement) == (50.0, 55.0, 55.0)


@pytest.mark.parametrize("placement", Placement)
def test_of_versions_of_one_instant_the_greatest_in_sequence_holds_and_leaves_the_others_places(readings, placement):
    """Fact 1 moves from m1 to m2 and back within one instant, fact 2 the other way and stays there."""
    moves = """1,m2,2024-03-31 06:00:00,2024-04-01 06:00:00,21,2,false
1,m1,2024-03-31 06:00:00,2024-04-01 06:00:00,22,3,false
2,m1,2024-03-31 08:00:00,2024-04-01 06:00:00,31,2,false
2,m2,2024-03-31 08:00:00,2024-04-01 06:00:00,32,3,false
"""
    readings.night(FIRST, D1)
    readings.night(FIRST + moves, D2, previous=D1)
    values = [readings.features(machine, D2, placement)[2] for machine in ("m1", "m2")]
    assert values == [22.0, (40.0 + 32.0) / 2]


def test_a_deleted_fact_keeps_nothing_active(readings):
    readings.night(FIRST, D1)
    readings.night(FIRST + "3,m2,2024-03-31 08:00:00,2024-04-01 06:00:00,NA,1,true\n", D2, previous=D1)
    versions = arrow.versions(readings.warehouse, ["source_readings"])
    rows = spine_rows(readings.spark, readings.warehouse, readings.project, versions, D1, D2).collect()
    assert sorted((row["machine"], row["run_date"]) for row in rows) == [
        ("m1", D1), ("m1", D2), ("m2", D1), ("m3", D1), ("m3", D2)
    ]  # fmt: skip
