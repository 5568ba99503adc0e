"""The facts that are read for few rows: all versions of each that may be theirs, and of others as few as shows."""

from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pytest

from nightjar.joins.reading import of_keys
from nightjar.tables import arrow, scan
from nightjar.tables.source_definitions import source_table
from nightjar.tables.table import INSTANT

DAYS = [datetime(2024, 4, day, tzinfo=UTC) for day in (1, 2, 3, 4)]
COLUMNS = pa.schema({"machine": pa.string(), "day": INSTANT, "load": pa.float64()})
ROWS = {"machine": ["m1", "m3", None], "day": [DAYS[1], DAYS[2], DAYS[2]], "load": [0.0, 1.0, 2.0]}


@pytest.fixture
def files(warehouse):
    """A file for each day, with both machines."""
    for day in DAYS:
        clocks = {"event_time": day, "known_at": day + timedelta(hours=1), "stated_known_at": day, "run_id": "i"}
        facts = [{"machine": name, "day": day, "load": -0.0} | clocks for name in ("m1", "m2")]
        facts = [fact | {"ingested_on": date(2024, 4, day.day)} for fact in facts]
        arrow.append(warehouse, source_table("loads", ["machine", "day"], COLUMNS), facts, "i")
    return scan.snapshot(warehouse, "source_loads")


@pytest.mark.parametrize(
    ("keys", "fact_id", "expected", "days"),
    [
        ({"machine": "machine", "day": "day"}, ["machine", "day"], [("m1", 2), ("m1", 3)], 2),
        ({"machine": "machine", "day": "day"}, ["day"], [("m1", 2), ("m2", 2), ("m1", 3), ("m2", 3)], 2),
        ({"machine": "machine"}, [], [("m1", 1), ("m1", 2), ("m1", 3), ("m1", 4)], 4),
        ({"load": "load"}, ["load"], [(name, day) for day in (1, 2, 3, 4) for name in ("m1", "m2")], 4),
        ({"day": "machine"}, ["machine"], [(name, day) for day in (1, 2, 3, 4) for name in ("m1", "m2")], 4),
    ],
    ids=["whole key", "a part that can change", "no versions", "minus zero is zero", "of another type"],
)
def test_facts_that_may_be_of_the_rows_are_read_with_all_their_versions(files, keys, fact_id, expected, days):
    chosen = of_keys(files, keys, fact_id, pa.table(ROWS, COLUMNS))
    assert len(chosen.files.files) == days
    read = chosen.read(["machine", "day"]).to_pylist()
    assert sorted((row["day"].day, row["machine"]) for row in read) == sorted((day, name) for name, day in expected)


def test_of_no_rows_there_are_no_facts(files):
    assert len(of_keys(files, {"day": "day"}, ["day"], COLUMNS.empty_table()).read(["day"])) == 0
