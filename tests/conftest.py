"""What is slow to start is started once: one Spark session, one Ray, one warehouse with history and two nights."""

import shutil
from dataclasses import replace
from pathlib import Path

import nightjar  # noqa: F401  (before any library that starts threads: it says how they wait)

# isort: split
import hypothesis
import pytest
from xdist.scheduler import LoadScopeScheduling

import builders
from nightjar.pipeline import nightly
from nightjar.pipeline.job import Context
from nightjar.pipeline.steps import Sessions
from nightjar.runtime import ray
from nightjar.runtime import spark as spark_runtime
from nightjar.settings.costs import Costs
from nightjar.settings.environment import Environment
from nightjar.settings.jobs import Nightly
from nightjar.tables.warehouse import Warehouse

# How long an example takes says how busy the machine is.
hypothesis.settings.register_profile("busy", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("busy")

# Tiny data: compiling, planning and small files cost more than the work.
QUICK = {
    "spark.driver.extraJavaOptions": f"{spark_runtime.JAVA_OPTIONS} {builders.QUICK_JAVA}",
    "spark.databricks.delta.snapshotPartitions": "1",
    # Every test has tables of its own. By default Delta keeps what it knows of 10,000, and no memory is left.
    "spark.databricks.delta.delta.log.cacheSize": "16",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.adaptive.enabled": "false",
}


SESSION = (
    "features",
    "joins",
    "learning",
    "monitoring",
    "pipeline",
    "registry",
    "report",
    "runtime",
    "scoring",
    "sources",
    "tables",
)
"""Folders whose tests share one Spark session, one Ray and the nights of the tiny project."""
OF_THEIR_OWN = (
    "tests/system/test_flights.py",
    "tests/system/test_commands.py",
    "tests/system/test_cluster_ray.py",
    "tests/system/test_cluster_spark.py",
    "tests/learning/test_distributed_memory.py",
    "tests/system/test_object_store.py",
    "tests/tables/test_sink_failures.py",
)
"""Tests that start processes, or take long by themselves, the longest first."""


def share_of(nodeid):
    """What is run by one worker: all that shares the session, or a file."""
    file = nodeid.split("::")[0]
    return "session" if file.split("/")[1] in SESSION and file not in OF_THEIR_OWN else file


def pytest_collection_modifyitems(items):
    """The long shares first: the short ones fill the time until all are done."""
    order = ["session", *OF_THEIR_OWN]
    items.sort(key=lambda item: order.index(share) if (share := share_of(item.nodeid)) in order else len(order))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Workers are given shares, not single tests."""

    class Shares(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            return share_of(nodeid)

    return Shares(config, log)


@pytest.fixture(scope="session")
def environment(tmp_path_factory):
    folder = tmp_path_factory.mktemp("nights")
    return Environment(
        warehouse=str(folder / "warehouse"),
        home=str(folder / "home"),
        spark_master="local[2]",
        driver_memory="1g",
        shuffle_partitions=2,
        cpus=2,
        spark=QUICK,
    )


@pytest.fixture(scope="session")
def spark(environment):
    session = spark_runtime.start(environment, "tests")
    yield session
    session.stop()


@pytest.fixture(scope="session")
def ray_started(environment):
    with ray.started(environment):
        yield


@pytest.fixture(scope="session")
def nights(environment, spark, ray_started):
    """The tiny project after its history and both nights. For reading only: `copied` is there to be changed."""
    files = Path(environment.home).parent / "files"
    builders.write_files(files)
    project = replace(builders.machines(files), costs=Costs(missed=5, false_alarm=1))
    warehouse = Warehouse(environment.warehouse, project.name)
    settings = Nightly(environment, project, None, builders.search(), project_dates=True)
    nightly.run(Context(settings, "config-1", Sessions(environment, "tests"), warehouse, "revision-1"))
    return builders.Nights(warehouse, project, environment)


@pytest.fixture
def copied(nights, tmp_path):
    """The same warehouse in a folder of the test's own."""
    shutil.copytree(nights.environment.warehouse, tmp_path / "warehouse")
    environment = replace(nights.environment, warehouse=str(tmp_path / "warehouse"))
    return builders.Nights(Warehouse(environment.warehouse, nights.project.name), nights.project, environment)


@pytest.fixture
def warehouse(tmp_path):
    """An empty warehouse."""
    empty = Warehouse(str(tmp_path / "warehouse"), "machines")
    empty.check_writable()
    return empty
