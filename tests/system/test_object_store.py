"""Tables in an object store: stored by tasks, laid out, and joined without any file system of Spark's."""

import subprocess
import sys
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pytest
from pyspark.sql import functions as F  # noqa: N812

from nightjar.asof import Clocks, Facts, Latest, Windowed, join
from nightjar.errors import LeaseError, SourceError, TableError
from nightjar.joins.join import as_of_join
from nightjar.joins.stored_facts import StoredFacts
from nightjar.settings.environment import Placement
from nightjar.settings.files import File, FileFormat
from nightjar.sources.formats import files
from nightjar.sources.formats.files import list_files
from nightjar.tables import layouts, lease, scan, sink
from nightjar.tables.granting import Claim
from nightjar.tables.lease import Pace
from nightjar.tables.rows import of_frame
from nightjar.tables.source_definitions import layout_table, source_table
from nightjar.tables.warehouse import Warehouse

START = datetime(2024, 4, 1, tzinfo=UTC)
INSTANT = pa.timestamp("us", tz="UTC")
ASKED = (Latest("x"), Windowed("x", "sum", "1h"))
VISITS = source_table("visits", ["id"], pa.schema({"id": pa.int64(), "machine": pa.string(), "x": pa.float64()}))


ACCESS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}
SERVER = """
import sys

import boto3
from moto.server import ThreadedMotoServer

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
url = "http://{}:{}".format(*server.get_host_and_port())
boto3.client("s3", endpoint_url=url, region_name="us-east-1").create_bucket(Bucket="bucket")
print(url, flush=True)
sys.stdin.read()
server.stop()
"""
"""A process of its own: delta-rs keeps Python's lock while it waits for an answer."""


@pytest.fixture
def warehouse(spark, monkeypatch):
    """In a bucket on this machine, while its server runs; this process and Spark's workers are given access."""

    def give(access):
        for name, value in access.items():
            monkeypatch.setenv(name, value)
            monkeypatch.setitem(spark.sparkContext.environment, name, value)

    give(ACCESS)
    with subprocess.Popen(
        [sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as run:
        give({"AWS_ENDPOINT_URL": run.stdout.readline().strip(), "AWS_ALLOW_HTTP": "true"})
        yield Warehouse("s3://bucket/lake", "machines")


def facts():
    at = [START + timedelta(minutes=7 * n) for n in range(200)]
    columns = {"id": range(200), "machine": [f"m{n % 5}" for n in range(200)], "x": [float(n) for n in range(200)]}
    clocks = dict.fromkeys(("event_time", "known_at", "stated_known_at"), pa.array(at, INSTANT))
    return pa.table({name: pa.array(values) for name, values in columns.items()} | clocks)


def stored(spark, warehouse, day):
    """The facts as files of a day, written by tasks: where they go to, and they."""
    into = sink.target(warehouse, VISITS, ingested_on=date(2024, 4, day), run_id="run")
    return into, sink.collect(spark.createDataFrame(facts()), sink.in_one_piece, into)


def everything(_):
    return True


def commits(warehouse, of_days):
    """How commits that each replace their own day, and were all prepared before the first, end."""
    for into, written in of_days:
        day = into.stamps["ingested_on"]
        try:
            sink.commit(warehouse, into, written, lambda file, day=day: file.partition["ingested_on"] == day, "run")
            yield "stored"
        except TableError:
            yield "told"


def test_what_is_stored_in_an_object_store_is_joined_there_and_conflicts_are_told(warehouse, spark):
    """Two commits to one day: the second is told. To two days: both are stored. Whose lease is taken over: refused."""
    version = sink.commit(warehouse, *stored(spark, warehouse, 1), everything, "run")
    into = sink.target(warehouse, layout_table(VISITS, ["machine"]), ingested_on=date(2024, 4, 1), run_id="run")
    rows = layouts.with_retractions(spark.createDataFrame(facts()), ["id"], (), ["machine"], F.lit(True))
    laid_out = layouts.collect(rows, ["machine"], 2, into)
    sink.commit(warehouse, into, laid_out, everything, "run", marks=layouts.marks(version, 2))

    at = facts()["event_time"][100:109].combine_chunks()
    spine = pa.table({"row": range(9), "machine": ["m1", "m2", "none"] * 3, "t": at})
    asked = [Facts("v", facts(), ["machine"], "event_time", "known_at", ["id"], features=ASKED)]
    expected = join(spine, asked, prediction_time="t").to_pylist()
    assert [row["v__x"] for row in expected[:3]] == [96.0, 97.0, None]
    asked = [
        StoredFacts("v", "source_visits", version, {"machine": "machine"}, ("id",), ASKED, layout=("machine",)),
    ]
    for placement in (Placement.BROADCAST, Placement.CO_BUCKETED):
        told = {"v": placement}
        joined = as_of_join(of_frame(spark.createDataFrame(spine)), warehouse, asked, Clocks("t"), placements=told)
        assert joined.frame().toArrow().sort_by("row").to_pylist() == expected

    assert [*commits(warehouse, [stored(spark, warehouse, 2), stored(spark, warehouse, 2)])] == ["stored", "told"]
    assert [*commits(warehouse, [stored(spark, warehouse, 2), stored(spark, warehouse, 3)])] == ["stored", "stored"]

    pace = Pace(beat=1000, patience=0, look=0.1)
    frozen, second = (Claim(("source/visits",), "ingest", date(2024, 4, 4), run_id) for run_id in ("frozen", "second"))
    with (
        lease.hold(warehouse, frozen, list, pace) as of_frozen,
        lease.hold(warehouse, second, lambda: ["source_visits"], pace) as of_second,
    ):
        into, written = stored(spark, warehouse, 4)
        with pytest.raises(LeaseError):
            sink.commit(of_frozen, into, written, lambda _: False, "run")
        sink.commit(of_second, into, written, lambda _: False, "run")
    assert scan.snapshot(warehouse, "source_visits").rows == 4 * 200

    table = File(warehouse.path("source_visits"), format=FileFormat.PARQUET)
    written = list_files(table, "visits")  # without the log, which is hidden
    assert {files.folder_values(table.path, one.path)["ingested_on"] for one in written} == {
        f"2024-04-0{day}" for day in range(1, 5)
    }
    pattern = File(f"{table.path}/ingested_on=2024-04-0[1-3]/*.parquet", format=FileFormat.PARQUET)
    assert list_files(pattern, "visits") == [one for one in written if "2024-04-04" not in one.path]
    assert all(one.size and one.modified for one in written)
    assert list_files(File("s3://bucket/none/"), "visits") == list_files(File("s3://bucket/none/*"), "visits") == []
    with pytest.raises(SourceError, match="Source visits: there is no file s3://bucket/none"):
        list_files(File("s3://bucket/none"), "visits")
