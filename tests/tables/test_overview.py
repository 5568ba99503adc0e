"""What a table's log says of it at one glance."""

from datetime import date

import pyarrow as pa

from nightjar.tables import arrow
from nightjar.tables.overview import Overview, Unreadable, overview, overviews
from nightjar.tables.table import Column, Table
from nightjar.tables.warehouse import Warehouse

COUNTED = Table(
    "counted",
    "One count.",
    ("machine",),
    ("run_date",),
    "score",
    (
        Column("machine", pa.string(), "which one"),
        Column("load", pa.float64(), "what it carries"),
        Column("seen", pa.int64(), "how often"),
        Column("run_date", pa.date32(), "the night"),
    ),
)
FIRST, SECOND = date(2024, 4, 1), date(2024, 4, 2)


def stored(folder):
    """Two nights: of the first nothing is counted, of the second once."""
    warehouse = Warehouse(str(folder), "machines")
    nights = {FIRST: [("m1", 1.5, None)], SECOND: [("m1", 2.5, 4), ("m2", None, None)]}
    for night, rows in nights.items():
        content = [{"machine": name, "load": load, "seen": seen, "run_date": night} for name, load, seen in rows]
        arrow.replace(warehouse, COUNTED, content, {"run_date": night}, f"run-{night}")
    return warehouse


def test_rows_dates_nulls_and_bounds_are_those_of_the_live_files(tmp_path):
    warehouse = stored(tmp_path)
    arrow.replace(
        warehouse, COUNTED, [{"machine": "m1", "load": 7.0, "seen": 5, "run_date": FIRST}], {"run_date": FIRST}, "r"
    )
    seen = overview(warehouse, "counted")

    assert (seen.rows, seen.files, seen.dates) == (3, 2, (FIRST, SECOND))
    assert seen.columns["load"].nulls == 1  # and no bounds: those of floating-point columns are not stored
    assert (seen.columns["seen"].nulls, seen.columns["seen"].least, seen.columns["seen"].greatest) == (1, 4, 5)
    assert seen.schema.field("load").metadata[b"comment"] == b"what it carries"
    assert seen.version == arrow.version(warehouse, "counted")
    assert seen.committed_at is not None


def test_a_file_whose_column_is_null_in_every_row_hides_no_bound(tmp_path):
    seen = overview(stored(tmp_path), "counted").columns["seen"]

    assert (seen.nulls, seen.least, seen.greatest) == (2, 4, 4)


def test_what_is_not_there_is_left_out_and_what_is_damaged_says_why(tmp_path):
    warehouse = stored(tmp_path)
    log = tmp_path / "machines" / "counted" / "_delta_log"
    whole = overviews(warehouse, ["counted", "missing"])
    (log / "00000000000000000001.json").write_text("{")
    damaged = overviews(warehouse, ["counted"])

    assert list(whole) == ["counted"]
    assert isinstance(whole["counted"], Overview)
    assert isinstance(damaged["counted"], Unreadable)
    assert "counted" in damaged["counted"].problem
