"""`spark-submit` on a standalone cluster of two workers: the same scores as on this machine, and each row once."""

import os
import subprocess
import sys
import sysconfig
from contextlib import contextmanager

import pytest
from deltalake import DeltaTable

from system import cluster, tree
from waiting import PATIENCE

pytestmark = pytest.mark.starts_processes

VENV = tree.ROOT / ".venv" / "bin"
SPECULATION = {"": "true", ".interval": "100ms", ".minTaskRuntime": "100ms", ".multiplier": "1.1", ".quantile": "0.5"}
SLOW_ONCE = """
import pathlib
import sys
import time

from pyspark import TaskContext

from nightjar.runtime import spark as spark_runtime
from nightjar.settings.environment import Environment
from nightjar.tables import sink
from nightjar.tables.warehouse import Warehouse
from tables.things import THINGS, none_of

warehouse = Warehouse(sys.argv[1], "machines")
warehouse.check_writable()
spark = spark_runtime.start(Environment(warehouse=warehouse.root, home=warehouse.root), "slow once")


def slow_once(batches):
    task, written = TaskContext.get(), pathlib.Path(warehouse.root, "written")
    if task.partitionId() != 0:
        yield from sink.in_one_piece(batches)
    elif task.attemptNumber() == 0:
        yield from sink.in_one_piece(batches)
        written.touch()
        time.sleep(200)
    else:
        while not written.exists():  # the test's limit ends it
            time.sleep(0.1)
        yield from sink.in_one_piece(batches)


rows = spark.range(0, 4, 1, 4).selectExpr("id", "'a' AS place")
into = sink.target(warehouse, THINGS)
sink.commit(warehouse, into, sink.collect(rows, slow_once, into), none_of, "run-1")
"""


@pytest.fixture
def bare_python(tmp_path):
    """A Python with the locked packages but without this one: -S leaves editable installs out."""
    wrapper = tmp_path / "python"
    packages = sysconfig.get_path("purelib")
    wrapper.write_text(
        "#!/usr/bin/env bash\n"
        f'export PYTHONPATH="${{PYTHONPATH:+$PYTHONPATH:}}{packages}"\n'
        f'exec {sys.executable} -S "$@"\n'
    )
    wrapper.chmod(0o755)
    asked = [wrapper, "-c", "import numpy, nightjar"]
    refused = subprocess.run(asked, cwd=tmp_path, env={}, capture_output=True, text=True, check=False)
    assert "No module named 'nightjar'" in refused.stderr
    return str(wrapper)


@pytest.fixture(scope="module")
def state(tmp_path_factory):
    """The folder of a running cluster."""
    with cluster.running("spark", tmp_path_factory.mktemp("cluster")) as state:
        yield state


def scores(folder):
    """The night's scores, without the id of the run that wrote them, and that id."""
    table = DeltaTable(str(folder / "warehouse" / "machines" / "scores")).to_pyarrow_table()
    rows = [row for row in table.sort_by("prediction_id").to_pylist() if str(row["run_date"]) == tree.NIGHT]
    run_ids = {row.pop("run_id") for row in rows}
    return rows, run_ids


@contextmanager
def visiting(state, folder):
    """An application that does not know the cluster's secret, while the block runs; the file with what it prints."""
    script, output = folder / "visitor.py", folder / "visitor.log"
    script.write_text("from pyspark.sql import SparkSession\nSparkSession.builder.getOrCreate().range(1).count()\n")
    variables = {name: value for name, value in os.environ.items() if not name.startswith("SPARK_")}
    variables |= {"PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1"}
    command = [VENV / "spark-submit", "--master", cluster.address(state), script]
    with output.open("w") as stream:
        visitor = subprocess.Popen(command, stdout=stream, stderr=stream, env=variables)
    try:
        yield output
    finally:
        visitor.kill()
        visitor.wait(PATIENCE)


def test_score_by_spark_submit_on_two_workers(tmp_path, tmp_path_factory, bare_python, state):
    """Scores do not depend on where they are made; executors import the package that was shipped to them."""
    here = tree.copied(tmp_path_factory, tmp_path)
    before, local_run = scores(here)
    assert len(before) == 5
    assert cluster.is_private(state / "secret")
    assert cluster.is_private(state / "submit.conf")
    assert cluster.address(state).startswith("spark://127.0.0.1:")
    with visiting(state, tmp_path) as visitor:
        score = [VENV / "spark-submit", "--master", cluster.address(state)]
        score += ["--properties-file", state / "submit.conf", "jobs/score.py", "project=machines"]
        score += [f"run_date={tree.NIGHT}", "environment=cluster", "environment.shuffle_partitions=2"]
        score += [f"environment.warehouse={here}/warehouse", f"environment.home={here}/.nightjar"]
        # What a budget bounds is scored by tasks, however few the rows.
        score += ["project.serving.fallback.chain=[previous_champion]", "project.serving.fallback.budget=10m"]
        # The driver's time zone is not the project's: it must not matter either.
        driver = {"PYSPARK_DRIVER_PYTHON": sys.executable, "TZ": "Asia/Tokyo"}
        tree.run(score, here, {"PYSPARK_PYTHON": bare_python} | driver)
        refused = visitor.read_text()
        assert "Failed to connect to master" in refused
        assert "Connected to Spark cluster" not in refused
    executors = sorted(folder.parent.parent.name for folder in state.glob("work-*/app-*/*"))
    assert executors == ["work-1", "work-2"]
    after, cluster_run = scores(here)
    assert after == before
    assert cluster_run.isdisjoint(local_run)


@pytest.mark.long
def test_a_slow_attempt_and_its_second_one_store_each_row_once(tmp_path, bare_python, state):
    """Both attempts have written when the second one ends; the first one's file is an orphan.

    On a busy machine other attempts may be thought slow as well, and leave theirs.
    """
    script, warehouse = tmp_path / "slow_once.py", tmp_path / "warehouse"
    script.write_text(SLOW_ONCE)
    options = [f"--conf=spark.speculation{name}={value}" for name, value in SPECULATION.items()]
    submit = [VENV / "spark-submit", "--master", cluster.address(state), "--properties-file", state / "submit.conf"]
    variables = {"PYSPARK_PYTHON": bare_python, "PYSPARK_DRIVER_PYTHON": sys.executable}
    variables |= {"PYTHONPATH": f"{tree.ROOT}/tests"}
    tree.run([*submit, *options, script, warehouse], tmp_path, variables, timeout=150)
    folder = warehouse / "machines" / "things"
    stored = DeltaTable(str(folder))
    assert sorted(stored.to_pyarrow_table()["id"].to_pylist()) == [0, 1, 2, 3]
    assert len(stored.file_uris()) == 4
    assert len(list(folder.rglob("*.parquet"))) >= 5
