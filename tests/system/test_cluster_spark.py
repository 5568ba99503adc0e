"""`spark-submit` on a standalone cluster of two workers: the same scores as on this machine."""

import os
import subprocess
import sys
import sysconfig
from contextlib import contextmanager

import pytest
from deltalake import DeltaTable

from system import cluster, tree

VENV = tree.ROOT / ".venv" / "bin"


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


def scores(folder):
    """The night's scores, without the id of the run that wrote them, and that id."""
    table = DeltaTable(str(folder / "warehouse" / "tiny" / "scores")).to_pyarrow_table()
    rows = table.sort_by("prediction_id").to_pylist()
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
        visitor.wait()


def test_score_by_spark_submit_on_two_workers(tmp_path, tmp_path_factory, bare_python):
    """Scores do not depend on where they are made; executors import the package that was shipped to them."""
    here = tree.copied(tmp_path_factory, tmp_path)
    before, local_run = scores(here)
    assert len(before) == 40
    with cluster.running("spark", tmp_path) as state:
        assert cluster.is_private(state / "secret")
        assert cluster.is_private(state / "submit.conf")
        assert cluster.address(state).startswith("spark://127.0.0.1:")
        with visiting(state, tmp_path) as visitor:
            score = [VENV / "spark-submit", "--master", cluster.address(state)]
            score += ["--properties-file", state / "submit.conf", "jobs/score.py", "project=tiny"]
            score += [f"run_date={tree.NIGHT}", "environment=cluster", "environment.shuffle_partitions=2"]
            score += [f"environment.warehouse={here}/warehouse", f"environment.home={here}/.nightjar"]
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
