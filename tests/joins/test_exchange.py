"""Rows moved between tasks arrive once each, where their numbers send them."""

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from nightjar.errors import TableError
from nightjar.joins import exchange
from nightjar.joins.exchange import Destination, exchange_rows
from nightjar.tables import footers, scan
from nightjar.tables.file_splits import read_by_tasks
from nightjar.tables.rows import Rows, of_frame
from nightjar.tables.table import INSTANT

SENT = pa.table(
    {
        "id": pa.array(range(40)),
        "text": pa.array(["é\0", None, "", "a" * 50] * 10),
        "many": pa.array([[1, None], [], None, [2]] * 10),
        "at": pa.array([0, -1, None, 10**15] * 10, pa.timestamp("us", "UTC")),
    }
)


def to_tasks(tasks: int) -> Destination:
    return Destination(lambda rows: np.asarray(rows["id"]) % 5 * 100, tasks)


def in_tasks(rows: Rows) -> list[tuple[set[int], list[int]]]:
    """The numbers of the rows that each task got, and the ids of these rows."""
    make, number = rows.make, to_tasks(1).number

    def describe(batches):
        tables = list(make(batches))
        ids = sorted(one for table in tables for one in table["id"].to_pylist())
        numbers = [set(number(table).tolist()) for table in tables]
        assert all(len(one) == 1 for one in numbers)  # one table for each number
        yield pa.RecordBatch.from_pydict({"numbers": [sorted(set().union(*numbers))], "ids": [ids]})

    frame = rows.task_input.mapInArrow(describe, "numbers array<long>, ids array<long>")
    return [(set(row["numbers"]), row["ids"]) for row in frame.collect()]


@pytest.mark.parametrize("partitions", [1, 7, 64])
def test_a_task_gets_the_rows_of_its_numbers(spark, partitions):
    rows = of_frame(spark.createDataFrame(SENT).repartition(partitions))
    got = in_tasks(exchange_rows(rows, to_tasks(3)))
    assert sorted(one for _, ids in got for one in ids) == list(range(40))
    for numbers, ids in got:
        assert {one % 3 for one in numbers} <= {min(numbers, default=0) % 3}
        assert ids == [one for one in range(40) if one % 5 * 100 in numbers]


def test_a_task_picks_the_rows_of_its_numbers_where_it_can_read_all(spark, folder):
    rows = read_by_tasks(spark, footers.parquet_files(str(folder)), SENT.column_names)
    assert rows.whole is not None
    got = in_tasks(exchange_rows(rows, to_tasks(3)))
    assert sorted(one for _, ids in got for one in ids) == list(range(40))
    assert [numbers for numbers, _ in got] == [{0, 300}, {100, 400}, {200}]


def test_what_is_sent_beside_rows_comes_with_those_of_its_number(spark, folder):
    """To number 100 from two tasks, and to 700, which has no rows."""
    picked = read_by_tasks(spark, footers.parquet_files(str(folder)), SENT.column_names)
    for before in (picked, of_frame(spark.createDataFrame(SENT))):
        sent = [(100, "kept", exchange.pack(pa.table({"x": [1]})).to_pybytes())] * 2
        sent.append((700, "kept", exchange.pack(pa.table({"x": [2]})).to_pybytes()))
        beside = spark.createDataFrame(sent, "number int, name string, rows binary").repartition(2)
        task_input, receive = exchange.dispatch(before, to_tasks(3), beside)

        def describe(batches, opened=receive):
            for block in opened(batches):
                extra = block.extras["kept"]["x"].to_pylist() if "kept" in block.extras else []
                yield pa.RecordBatch.from_pydict(
                    {
                        "number": [block.number],
                        "rows": [len(block.rows)],
                        "kept": pa.array([extra], pa.list_(pa.int64())),
                    }
                )

        blocks = task_input.mapInArrow(describe, "number long, rows long, kept array<long>").collect()
        assert sorted(map(tuple, blocks)) == [
            (number, 8, [1, 1] if number == 100 else []) for number in range(0, 500, 100)
        ]


def test_no_value_changes_on_the_way(spark):
    moved = exchange_rows(of_frame(spark.createDataFrame(SENT)), to_tasks(2))
    assert moved.frame().toArrow().sort_by("id").to_pylist() == SENT.to_pylist()


def test_no_row_at_all(spark):
    moved = exchange_rows(of_frame(spark.createDataFrame(SENT).where("id < 0")), to_tasks(2))
    assert moved.frame().count() == 0


def test_values_that_do_not_fit_one_message_are_sent_in_several(monkeypatch):
    monkeypatch.setattr(exchange, "LARGEST_BATCH", 100)
    sizes = {0: 60, 1: 40, 2: 1, 3: 250, 4: 30}
    values = {one: pa.py_buffer(b"x" * size) for one, size in sizes.items()}
    batches = exchange.batch_messages((number, None, value) for number, value in values.items())
    assert [batch.column("number").to_pylist() for batch in batches] == [[0, 1], [2], [3], [4]]
    assert list(exchange.batch_messages([])) == []


@pytest.fixture
def folder(tmp_path):
    for place in range(3):
        pq.write_table(SENT.slice(place * 15, 15), tmp_path / f"part-{place}.parquet")
    (tmp_path / "notes.txt").write_text("no rows")
    return tmp_path


def test_parquet_files_of_the_users_own_are_rows_too(spark, folder):
    files = footers.parquet_files(str(folder))
    assert (files.rows, len(files.files)) == (40, 3)
    rows = read_by_tasks(spark, files, ["text", "id"])
    assert rows.frame().toArrow().sort_by("id").select(["id", "text"]).equals(SENT.select(["id", "text"]))


def test_instants_of_other_zones_and_units_are_those_of_tables(spark, tmp_path):
    at = SENT["at"].cast(pa.timestamp("ns", "Asia/Tokyo"))
    pq.write_table(SENT.select(["id"]).append_column("at", at), tmp_path / "part.parquet")
    rows = read_by_tasks(spark, footers.parquet_files(str(tmp_path)), ["id", "at"])
    assert rows.frame().toArrow().sort_by("id")["at"].to_pylist() == SENT["at"].to_pylist()


def test_instants_of_the_old_form_are_those_of_tables_and_categories_their_values(spark, tmp_path):
    """INT96 says no zone, and as nanoseconds would not hold the year 9999."""
    plain = pa.array([datetime(2024, 3, 1, 6, 0, 0, 1, tzinfo=UTC), None], pa.timestamp("ns"))
    pq.write_table(
        pa.table({"at": plain, "place": pa.array(["p", "q"]).dictionary_encode()}),
        tmp_path / "part-0.parquet",
        use_deprecated_int96_timestamps=True,
    )
    far = pa.array([datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)], INSTANT)
    pq.write_table(
        pa.table({"at": far, "place": ["r"]}), tmp_path / "part-1.parquet", use_deprecated_int96_timestamps=True
    )
    files = footers.parquet_files(str(tmp_path))
    assert files.schema == pa.schema({"at": INSTANT, "place": pa.string()})
    rows = read_by_tasks(spark, files, ["place", "at"]).frame().toArrow().sort_by("place").to_pylist()
    assert [row["at"] for row in rows] == [*plain.cast(INSTANT).to_pylist(), *far.to_pylist()]


def test_instants_finer_than_those_of_tables_are_told_with_what_to_do(tmp_path):
    pq.write_table(pa.table({"at": pa.array([1], pa.timestamp("ns", "UTC"))}), tmp_path / "part.parquet")
    with pytest.raises(
        TableError, match=r"would lose data: 1\. Instants are held in microseconds\. Write them rounded: "
    ):
        scan.read(footers.parquet_files(str(tmp_path)), ["at"])


def test_a_folder_that_is_not_one_table_is_refused(folder, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(TableError, match=r"The folder .*empty cannot be read as one table: no Parquet file\."):
        footers.parquet_files(str(tmp_path / "empty"))
    pq.write_table(SENT.select(["id"]), folder / "part-9.parquet")
    with pytest.raises(TableError, match=r"part-9\.parquet has other columns than part-0\.parquet\."):
        footers.parquet_files(str(folder))
