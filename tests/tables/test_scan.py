"""Spark, delta-rs and a scan read the same rows of what the sink wrote, and skip the files that cannot have them."""

import operator
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from nightjar.errors import TableError
from nightjar.tables import arrow, footers, scan, sink
from nightjar.tables.table import INSTANT
from nightjar.tables.warehouse import Warehouse
from tables.things import THINGS, by_delta, of, store, stored_rows, things, utc

NAN = float("nan")
BEYOND = 316_516_982_400_000_000  # microseconds: 1 January of the year 12,000
EVERY_KIND = things(
    id=[1, 2, 3, 4],
    x=[NAN, -0.0, None, 1e300],
    at=[utc("2024-03-31T01:00:00.123457"), utc("1900-01-01T00:00:00.000001"), None, utc("9999-12-31T23:59:59.999999")],
    day=[date(2024, 2, 29), date(1, 1, 1), None, date(9999, 12, 31)],
    cost=[Decimal("0.10"), Decimal("-99999999.99"), None, Decimal("0.00")],
    tags=[["a", None, ""], [], None, ["b"]],
    counts=[[("k", 1), ("", None)], [], None, [("k", 2**62)]],
    flag=[True, False, None, True],
    text=["", "a\n'\"\\", None, "é日本😀" * 40],
    place=["100%/a=b c", "日本é", None, ""],
)
STORED = EVERY_KIND.set_column(9, "place", pa.array(["100%/a=b c", "日本é", None, None]))
"""The same as it is read: to Delta, an empty text in a partition is null."""


def plain(rows: pa.Table) -> list[str]:
    """Rows as text, by id: there, unlike in Python, NaN is NaN and -0.0 is not 0.0."""
    instants = pa.array(rows["at"].cast(pa.int64()).to_pylist())
    columns = rows.select(EVERY_KIND.column_names).drop_columns(["at"]).append_column("at", instants)
    return [repr(row) for row in columns.sort_by("id").to_pylist()]


@pytest.mark.parametrize("scheme", ["", "file://"], ids=["folder", "through the handler of object stores"])
def test_a_scan_and_delta_rs_read_what_was_stored(tmp_path, scheme):
    warehouse = Warehouse(f"{scheme}{tmp_path}", "machines")
    store(warehouse, EVERY_KIND)
    store(warehouse, things(id=[9], place=["x"]))
    store(warehouse, replaces=of("x"))
    assert plain(scan.read(scan.snapshot(warehouse, "things"), EVERY_KIND.column_names)) == plain(STORED)
    assert plain(arrow.read(warehouse, "things")) == plain(STORED)


def test_spark_reads_what_was_stored(warehouse, spark):
    store(warehouse, EVERY_KIND)
    assert plain(by_delta(spark, warehouse).toArrow()) == plain(STORED)


def test_another_engine_reads_what_was_stored(warehouse, spark):
    """Delta Kernel, by which engines other than Spark read Delta, is among the jars of Delta."""
    store(warehouse, EVERY_KIND)
    store(warehouse, things(id=[9], place=["x"]))
    store(warehouse, replaces=of("x"))
    instants = STORED["at"].cast(pa.int64()).to_pylist()
    days, costs = (
        STORED["day"].cast(pa.int32()).to_pylist(),
        [None if cost is None else str(cost) for cost in STORED["cost"].to_pylist()],
    )
    columns = ["id", "x", "flag", "text", "place"]
    expected = zip(*(STORED[name].to_pylist() for name in columns), instants, days, costs, strict=True)
    assert sorted(map(repr, kernel_rows(spark, warehouse, [*columns, "at", "day", "cost"]))) == [*map(repr, expected)]


GETTERS = {
    "long": "getLong",
    "timestamp": "getLong",
    "double": "getDouble",
    "boolean": "getBoolean",
    "string": "getString",
    "date": "getInt",
}


def kernel_rows(spark, warehouse, columns):
    """Rows as Delta Kernel reads them: log, statistics, partition values and Parquet files by its own means."""
    java = spark.sparkContext._jvm
    kernel = java.io.delta.kernel
    engine = kernel.defaults.engine.DefaultEngine.create(spark.sparkContext._jsc.hadoopConfiguration())
    read = kernel.Table.forPath(engine, warehouse.path("things")).getLatestSnapshot(engine).getScanBuilder().build()
    physical_schema = kernel.internal.data.ScanStateRow.getPhysicalDataReadSchema(read.getScanState(engine))
    of_file = kernel.internal.InternalScanFileUtils
    for scan_file in iterated(kernel.internal.util.Utils.intoRows(read.getScanFiles(engine))):
        status = kernel.internal.util.Utils.singletonCloseableIterator(of_file.getAddFileStatus(scan_file))
        partition = dict(of_file.getPartitionValues(scan_file))
        for part in iterated(
            engine.getParquetHandler().readParquetFiles(status, physical_schema, java.java.util.Optional.empty())
        ):
            for row in iterated(part.getData().getRows()):
                values = partition | {
                    name: kernel_value(row, physical_schema, name) for name in set(columns) - set(partition)
                }
                yield tuple(values[name] for name in columns)


def kernel_value(row, schema, name):
    place = schema.indexOf(name)
    if row.isNullAt(place):
        return None
    kind = schema.at(place).getDataType().toString()
    return str(row.getDecimal(place)) if kind.startswith("Decimal") else getattr(row, GETTERS[kind])(place)


def iterated(java_iterator):
    while java_iterator.hasNext():
        yield java_iterator.next()


def test_a_pinned_version_stays_as_it_was(warehouse):
    store(warehouse, things(id=[1, 2], place=["a", "b"]))
    pinned = scan.snapshot(warehouse, "things")
    store(warehouse, things(id=[3], place=["a"]), replaces=of("a"))
    assert scan.read(pinned, ["place", "id"]).sort_by("id").to_pydict() == {"place": ["a", "b"], "id": [1, 2]}
    assert scan.snapshot(warehouse, "things", pinned.version) == pinned
    assert (pinned.rows, pinned.where(of("b")).rows, pinned.size > pinned.where(of("b")).size) == (2, 1, True)


def test_a_scan_reads_the_row_groups_that_may_meet_a_condition(warehouse):
    store(warehouse, things(id=[1, 2], place=["a", "b"]), things(id=[3], place=["a"], x=[1.5]))
    snapshot = scan.snapshot(warehouse, "things")
    assert sorted(scan.read(snapshot, ["id"], pc.field("place") == "a")["id"].to_pylist()) == [1, 3]
    assert 3 in scan.read(snapshot, ["id"], pc.field("x") > 1)["id"].to_pylist()
    nothing = scan.read(snapshot.where(of("c")), ["id", "at"])
    assert (nothing.num_rows, nothing.schema) == (0, pa.schema({"id": pa.int64(), "at": INSTANT}))


def test_a_file_that_is_gone_is_named_with_its_table_and_version(warehouse, spark):
    """Also where a task misses it: then nothing is written either."""
    store(warehouse, things(id=[1, 2], place=["a", "b"]))
    snapshot = scan.snapshot(warehouse, "things")
    gone = snapshot.where(of("b")).files[0].path
    (Path(snapshot.folder) / gone).unlink()
    message = (
        rf"^Table things at .*, version 1: the data file {gone} is gone: .* Run it again on the table's latest version"
    )
    with pytest.raises(TableError, match=message):
        scan.read(snapshot, ["id"])

    def copied(batches):
        yield from (scan.read(snapshot, ["id", "place"]) for _ in batches)

    into = sink.target(warehouse, THINGS)
    with pytest.raises(TableError, match=message):
        sink.collect(spark.range(1), copied, into)
    assert arrow.version(warehouse, "things") == 1


MOMENT = utc("2024-04-01T12:00:00.123456")
STEP = timedelta(microseconds=1)
EDGES = [
    [MOMENT - timedelta(hours=1), MOMENT],
    [MOMENT + STEP, MOMENT + timedelta(milliseconds=1)],
    [utc("1899-12-31T23:59:59.999999"), utc("1969-12-31T23:59:59.999999")],
    [utc("9999-12-31T23:59:59.998"), utc("9999-12-31T23:59:59.999999")],
]
COMPARE = {"=": operator.eq, "<": operator.lt, ">=": operator.ge}


def files_read(rows) -> int:
    return len(rows.inputFiles())


@pytest.mark.parametrize("probe", [MOMENT, MOMENT + STEP, EDGES[2][1], EDGES[3][1]], ids=str)
def test_instants_are_found_to_the_microsecond_on_either_side_of_a_bound(warehouse, spark, probe):
    """Statistics know milliseconds; no reader may skip a file for what lies below them."""
    numbered = list(enumerate(EDGES))
    store(warehouse, *(things(id=[2 * n, 2 * n + 1], at=edges, place=["a"] * 2) for n, edges in numbered))
    rows, snapshot = by_delta(spark, warehouse), scan.snapshot(warehouse, "things")
    for sign, holds in COMPARE.items():
        expected = [2 * n + side for n, edges in numbered for side in (0, 1) if holds(edges[side], probe)]
        filtered = rows.where(f"at {sign} TIMESTAMP '{probe:%Y-%m-%d %H:%M:%S.%f}Z'")
        assert sorted(row["id"] for row in filtered.select("id").collect()) == expected
        condition = holds(pc.field("at"), pa.scalar(probe, INSTANT))
        scanned = scan.read(snapshot, ["id", "at"], condition).filter(condition)
        assert sorted(scanned["id"].to_pylist()) == expected
        assert sorted(arrow.read(warehouse, "things", ["id"], condition)["id"].to_pylist()) == expected
    assert files_read(rows.where(f"at = TIMESTAMP '{probe:%Y-%m-%d %H:%M:%S.%f}Z'")) <= 2
    may = snapshot.where(lambda file: file.may_hold("at", probe, probe))
    assert 1 <= len(may.files) <= 2
    condition = pc.field("at") == pa.scalar(probe, INSTANT)
    assert scan.read(may, ["id", "at"], condition).filter(condition).num_rows == 1


LONG = "z" * 100


@pytest.fixture(scope="module")
def three_files(tmp_path_factory):
    warehouse = Warehouse(str(tmp_path_factory.mktemp("three") / "warehouse"), "machines")
    far = pa.array([BEYOND, -99_999_999_999_999_999], INSTANT)
    store(
        warehouse,
        things(id=[1, 2], x=[1.0, NAN], text=["a", "b"], day=[date(1500, 1, 1), date(2024, 1, 1)], place=["a"] * 2),
        things(id=[3, 4], x=[2.0, -1e300], text=["c", "d"], day=[date(2024, 1, 1)] * 2, place=["a"] * 2),
        things(id=[5, 6], text=[LONG, "b!"], place=["a"] * 2).append_column("at", far),
    )
    return warehouse


@pytest.mark.parametrize(
    ("condition", "expected", "files"),
    [
        ("id = 3", [3], 1),
        ("id BETWEEN 2 AND 3", [2, 3], 2),
        ("text = 'b'", [2], 1),
        ("text > 'c'", [4, 5], 2),
        ("text = repeat('z', 100)", [5], 1),
        ("day < DATE '1600-01-01'", [1], 1),
        ("text > repeat('z', 99)", [5], 1),
        ("text = repeat('z', 99)", [], 1),
        ("x > 1e300", [2], None),
        ("x = double('NaN')", [2], None),
        ("x IS NULL", [5, 6], None),
        ("at IS NULL", [1, 2, 3, 4], None),
        ("at > TIMESTAMP '9999-12-31 00:00:00Z'", [5], 1),
        ("at < TIMESTAMP '0100-01-01 00:00:00Z'", [6], 1),
    ],
)
def test_spark_skips_files_and_no_rows(three_files, spark, condition, expected, files):
    """A NaN is greater than any number; a file without bounds is never skipped."""
    rows = by_delta(spark, three_files).where(condition)
    assert sorted(row["id"] for row in rows.select("id").collect()) == expected
    assert files is None or files_read(rows) == files


def test_what_has_no_bounds_may_hold_anything(warehouse):
    store(warehouse, things(id=[1, 2], x=[NAN, 1.0], at=[None, None], place=["a"] * 2))
    (file,) = scan.snapshot(warehouse, "things").files
    assert file.may_hold("x", 9.0, 9.0)
    assert file.may_hold("at", MOMENT)


@pytest.mark.parametrize(
    ("since", "until", "may"), [(0, 0, False), (0, 1, True), (2, None, True), (3, None, False), (None, 0, False)]
)
def test_a_file_may_hold_what_lies_within_its_bounds(warehouse, since, until, may):
    store(warehouse, things(id=[1, 2], place=["a"] * 2))
    (file,) = scan.snapshot(warehouse, "things").files
    assert file.may_hold("id", since, until) is may


def test_dates_beyond_the_calendar_of_python_are_stored(warehouse):
    store(warehouse, things(id=[1], place=["a"]).append_column("day", pa.array([10**7], pa.date32())))
    assert scan.read(scan.snapshot(warehouse, "things"), ["day"])["day"].cast(pa.int32()).to_pylist() == [10**7]


def test_bounds_that_spark_wrote_at_the_end_of_time_can_be_read(warehouse, spark):
    """Its statistics end at 23:59:59.999, and the truth may be later."""
    arrow.ensure(warehouse, THINGS)
    rows = spark.sql("SELECT 1L AS id, TIMESTAMP'9999-12-31 23:59:59.999999Z' AS at, 'é b/%' AS place")
    rows.write.format("delta").mode("append").save(warehouse.path("things"))
    last = datetime.max.replace(tzinfo=MOMENT.tzinfo)
    (file,) = scan.snapshot(warehouse, "things").files
    assert file.may_hold("at", last, last)
    assert stored_rows(warehouse, "id", "at", "place") == [(1, last, "é b/%")]


def test_cuts_split_rows_evenly_by_the_bounds_of_row_groups(warehouse, monkeypatch):
    from nightjar.tables import datafiles

    monkeypatch.setattr(datafiles, "ROWS_PER_GROUP", 10)
    store(warehouse, things(id=[*range(100)], place=["a"] * 100), things(id=[*range(100, 120)], place=["b"] * 20))
    snapshot = scan.snapshot(warehouse, "things")
    assert footers.cuts([snapshot], "id", 4) == [29, 59, 89]
    assert footers.cuts([snapshot], "id", 1) == []
    assert footers.cuts([snapshot.where(of("c"))], "id", 4) == []


@pytest.mark.parametrize("first", [BEYOND, -99_999_999_999_999_999], ids=["year 12000", "before year 1"])
def test_instants_beyond_the_calendar_of_python_are_cut_and_skipped_by_nobody(warehouse, spark, monkeypatch, first):
    """Also those that Spark wrote, with bounds that Python could not hold."""
    from nightjar.tables import datafiles

    monkeypatch.setattr(datafiles, "ROWS_PER_GROUP", 10)
    at = pa.array(range(first, first + 40), INSTANT)
    store(warehouse, things(id=[*range(40)], place=["a"] * 40).append_column("at", at))
    rows = spark.sql(f"SELECT 40L AS id, timestamp_micros({first} + 40) AS at, 'b' AS place")
    rows.write.format("delta").mode("append").save(warehouse.path("things"))
    snapshot = scan.snapshot(warehouse, "things")
    assert footers.cuts([snapshot.where(of("a"))], "at", 4) == [first + 9, first + 19, first + 29]
    assert [file.may_hold("at", MOMENT, MOMENT) for file in snapshot.files] == [True, True]
    condition = pc.field("at") >= pa.scalar(first + 39, pa.int64()).cast(INSTANT)
    assert scan.read(snapshot, ["id", "at"], condition).filter(condition)["id"].sort().to_pylist() == [39, 40]


def test_files_are_looked_for_before_they_are_read(warehouse):
    store(warehouse, things(id=[1, 2], place=["a", "b"]))
    snapshot = scan.snapshot(warehouse, "things")
    scan.require_files(snapshot)
    gone = snapshot.where(of("b")).files[0].path
    (Path(snapshot.folder) / gone).unlink()
    scan.require_files(snapshot.where(of("a")))
    with pytest.raises(TableError, match=rf"^Table things at .*, version 1: the data file {gone} is gone: "):
        scan.require_files(snapshot)
