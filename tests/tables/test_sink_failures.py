"""Attempts of tasks and drivers that die after they have written: their files are orphans, and no row is twice."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from deltalake import DeltaTable

from builders import QUICK
from nightjar.tables import arrow, scan
from nightjar.tables.warehouse import Warehouse
from tables.things import ids
from waiting import PATIENCE

pytestmark = pytest.mark.starts_processes

DRIVER = """
import sys
from pathlib import Path
from pyspark import TaskContext
from nightjar.runtime import spark as spark_runtime
from nightjar.settings.environment import Environment
from nightjar.tables import sink
from nightjar.tables.warehouse import Warehouse
from tables.things import THINGS, none_of

root, quick = sys.argv[1], dict(option.split("=", 1) for option in sys.argv[2:])
warehouse = Warehouse(root, "machines")
environment = Environment(
    warehouse=root, home=root, spark_master="local[2,3]", driver_memory="1g", shuffle_partitions=2, cpus=2, spark=quick
)
spark = spark_runtime.start(environment, "dying")
rows = spark.range(0, 4, 1, 2).selectExpr("id", "'a' AS place")


def dies_once(batches):
    yield from sink.in_one_piece(batches)
    if TaskContext.get().partitionId() == 0 and TaskContext.get().attemptNumber() < 2:
        raise RuntimeError("lost, after it has written")


into = sink.target(warehouse, THINGS)
sink.commit(warehouse, into, sink.collect(rows, dies_once, into), none_of, "run-1")
into = sink.target(warehouse, THINGS)
written = sink.collect(rows, sink.in_one_piece, into)
print("written", len(written), flush=True)
sys.stdin.readline()
"""


@pytest.fixture(scope="module")
def killed(tmp_path_factory) -> Warehouse:
    """A table written by a driver that was killed when its next run's files were written and not yet committed.

    In its first run one of two tasks died twice after writing.
    """
    warehouse = Warehouse(str(tmp_path_factory.mktemp("killed") / "warehouse"), "machines")
    warehouse.check_writable()
    options = [f"{name}={value}" for name, value in QUICK.items()]
    command = [sys.executable, "-c", DRIVER, warehouse.root, *options]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    driver = subprocess.Popen(command, **pipes, env=os.environ | {"PYTHONPATH": ":".join(sys.path)})
    assert driver.stdout.readline() == "written 2\n"
    driver.send_signal(signal.SIGKILL)
    driver.communicate(timeout=PATIENCE)
    return warehouse


def files_of(warehouse) -> set[str]:
    folder = Path(warehouse.path("things"))
    return {file.relative_to(folder).as_posix() for file in folder.rglob("*.parquet")}


def test_a_task_that_dies_after_it_has_written_stores_each_row_once(killed):
    """Two of its three attempts left files that no commit has shown: three of the first run's lie beside its two."""
    assert ids(killed) == [0, 1, 2, 3]
    live = {file.path for file in scan.snapshot(killed, "things").files}
    assert len(live) == 2
    assert len(files_of(killed)) == 2 + 2 + 2


def test_of_a_driver_that_dies_before_its_commit_nothing_is_seen_and_vacuum_removes_the_rest(killed):
    assert arrow.version(killed, "things") == 1
    live = {file.path for file in scan.snapshot(killed, "things").files}
    table = DeltaTable(killed.path("things"))
    table.vacuum(retention_hours=0, dry_run=False, enforce_retention_duration=False, full=True)
    assert files_of(killed) == live
    assert ids(killed) == [0, 1, 2, 3]
