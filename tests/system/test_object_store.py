"""Tables in an object store: stored by tasks, laid out, and joined without any file system of Spark's."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import boto3
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from moto.server import ThreadedMotoServer

from nightjar.asof import Facts, Latest, Windowed, join
from system import tree

pytestmark = pytest.mark.starts_processes

START = datetime(2024, 4, 1, tzinfo=UTC)
INSTANT = pa.timestamp("us", tz="UTC")
ASKED = (Latest("x"), Windowed("x", "sum", "1h"))
PROGRAM = """
import json
import sys
from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import functions as F

from nightjar.asof import Latest, Windowed
from nightjar.errors import LeaseError, TableError
from nightjar.joins.join import as_of_join
from nightjar.joins.stored import StoredFacts
from nightjar.runtime import spark as spark_runtime
from nightjar.settings.environment import Environment, Placement
from nightjar.tables import arrow, layouts, lease, scan, sink
from nightjar.tables.definitions import layout_table, source_table
from nightjar.tables.granting import Claim
from nightjar.tables.lease import Pace
from nightjar.tables.rows import of_frame
from nightjar.tables.warehouse import Warehouse

folder = sys.argv[1]
warehouse = Warehouse("s3://bucket/lake", "machines")
spark = spark_runtime.start(
    Environment(warehouse=folder, home=folder, spark_master="local[1]", driver_memory="1g", shuffle_partitions=2), "s3"
)
facts = spark.createDataFrame(pq.read_table(f"{folder}/facts.parquet"))
visits = source_table("visits", ["id"], pa.schema({"id": pa.int64(), "machine": pa.string(), "x": pa.float64()}))


def everything(_):
    return True


def store(day):
    into = sink.target(warehouse, visits, ingested_on=date(2024, 4, day), run_id="run")
    return into, sink.collect(facts, sink.in_one_piece, into)


into, written = store(1)
version = sink.commit(warehouse, into, written, everything, "run")
into = sink.target(warehouse, layout_table(visits, ["machine"]), ingested_on=date(2024, 4, 1), run_id="run")
rows = layouts.with_retractions(facts, ["id"], (), ["machine"], F.lit(True))
marks = layouts.marks(version, 2)
sink.commit(warehouse, into, layouts.collect(rows, ["machine"], 2, into), everything, "run", marks=marks)
asked = StoredFacts(
    "v", "source_visits", version, {"machine": "machine"}, ("id",), (Latest("x"), Windowed("x", "sum", "1h")),
    layout=("machine",),
)
spine = of_frame(spark.createDataFrame(pq.read_table(f"{folder}/spine.parquet")))
for placement in (Placement.BROADCAST, Placement.CO_BUCKETED):
    joined = as_of_join(spine, warehouse, [asked], prediction_time="t", told={"v": placement}).frame().toArrow()
    pq.write_table(joined.sort_by("row"), f"{folder}/{placement.value}.parquet")
told = []
for same_day in (True, False):
    first, second = store(2), store(2 if same_day else 3)
    for into, written in (first, second):
        of_day = lambda file, day=into.stamps["ingested_on"]: file.partition["ingested_on"] == day
        try:
            sink.commit(warehouse, into, written, of_day, "run")
            told.append("stored")
        except TableError as error:
            told.append(type(error).__name__)
pace = Pace(beat=1000, patience=0, look=0.1)
claims = [Claim(("source/visits",), "ingest", date(2024, 4, 4), run_id) for run_id in ("frozen", "second")]
with lease.held(warehouse, claims[0], list, pace) as frozen, \
     lease.held(warehouse, claims[1], lambda: ["source_visits"], pace) as second:
    into, written = store(4)
    for holder in (frozen, second):
        try:
            sink.commit(holder, into, written, lambda _: False, "run")
            told.append("stored")
        except LeaseError as error:
            told.append(type(error).__name__)
print(json.dumps({"told": told, "rows": scan.snapshot(warehouse, "source_visits").rows}))
"""


@pytest.fixture
def access():
    """The environment that gives access to a bucket on this machine, while its server runs."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    url = "http://{}:{}".format(*server.get_host_and_port())
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}
    client = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
    boto3.client("s3", endpoint_url=url, **client).create_bucket(Bucket="bucket")
    yield keys | {"AWS_ENDPOINT_URL": url, "AWS_ALLOW_HTTP": "true"}
    server.stop()


def test_what_is_stored_in_an_object_store_is_joined_there_and_conflicts_are_told(access, tmp_path):
    """Two commits to one day: the second is told. To two days: both are stored. Whose lease is taken over: refused."""
    at = [START + timedelta(minutes=7 * n) for n in range(200)]
    facts = {"id": range(200), "machine": [f"m{n % 5}" for n in range(200)], "x": [float(n) for n in range(200)]}
    clocks = dict.fromkeys(("event_time", "known_at", "stated_known_at"), pa.array(at, INSTANT))
    facts = pa.table({name: pa.array(values) for name, values in facts.items()} | clocks)
    spine = pa.table({"row": range(9), "machine": ["m1", "m2", "none"] * 3, "t": pa.array(at[100:109], INSTANT)})
    pq.write_table(facts, tmp_path / "facts.parquet")
    pq.write_table(spine, tmp_path / "spine.parquet")
    command = [sys.executable, "-c", PROGRAM, tmp_path]
    done = subprocess.run(command, cwd=tree.ROOT, env=os.environ | access, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    expected = join(
        spine, [Facts("v", facts, ["machine"], "event_time", "known_at", ["id"], features=ASKED)], prediction_time="t"
    ).to_pylist()
    assert [row["v__x"] for row in expected[:3]] == [96.0, 97.0, None]
    for placement in ("broadcast", "co-bucketed"):
        assert pq.read_table(tmp_path / f"{placement}.parquet").to_pylist() == expected
    told = json.loads(done.stdout.splitlines()[-1])
    assert told == {"told": ["stored", "TableError", "stored", "stored", "LeaseError", "stored"], "rows": 4 * 200}
