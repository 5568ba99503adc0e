"""What is slow to start is started once: one Spark session, one Ray, one warehouse with history and two nights."""

import os
import shutil
import signal
from dataclasses import replace

import nightjar  # noqa: F401  (before any library that starts threads: it says how they wait)

# isort: split
import builders

os.environ |= builders.QUICK_RAY  # before Ray is imported

# isort: split
import hypothesis
import pytest

from nightjar.runtime import few_rows, ray
from nightjar.runtime import spark as spark_runtime
from nightjar.tables.warehouse import Warehouse
from system import tree

# A shell lets what it starts in the background ignore Ctrl-C, and so would every process that tests send one.
signal.signal(signal.SIGINT, signal.default_int_handler)
# How long an example takes says how busy the machine is.
hypothesis.settings.register_profile("busy", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("busy")

EARLY = ("ray", "system/test_flights.py", "system/test_commands.py", "system/test_cluster_ray.py")
"""Groups that take long by themselves: begun early, or they would be waited for at the end."""
SPARK, SPARK_OF_DATA = "spark", "spark, data"
DATA = ("asof", "joins", "sources", "tables")
"""Folders whose tests have a Spark of their own: those of all others take about as long."""


def pytest_addoption(parser):
    parser.addoption("--quick", action="store_true", help="only what is fast, and needs no Java, no Ray and no process")
    parser.addoption("--all", action="store_true", help="also what takes long and is only run before a release")
    parser.addoption("--bits", type=int, default=3, help="bits to flip in each part of a file (tests of damage)")


def pytest_configure(config):
    if config.getoption("quick"):
        os.environ["JAVA_HOME"] = "/nowhere"  # a test that starts Spark all the same gets no further
    if not hasattr(config, "workerinput") and config.args_source is pytest.Config.ArgsSource.ARGS:
        config.option.all = True  # files and tests that are named are run; pytest-xdist hands options to its workers


def group_of(item):
    """The fixture that is dear and shared, or else the file: tests of one group are run by one worker, in order."""
    file = item.path.relative_to(item.config.rootpath / "tests")
    if "spark" in item.fixturenames:
        return SPARK_OF_DATA if file.parts[0] in DATA else SPARK
    if "ray_started" in item.fixturenames:
        return "ray"
    return file.as_posix()


def starts_processes(item):
    return item.get_closest_marker("starts_processes") is not None


def is_long(item):
    return item.get_closest_marker("long") is not None


def is_quick(item, group):
    is_shared = group in (SPARK, SPARK_OF_DATA, "ray")
    return not is_shared and not starts_processes(item) and item.get_closest_marker("slow") is None


@pytest.hookimpl(tryfirst=True)  # before xdist reads the marks
def pytest_collection_modifyitems(config, items):
    """Groups by fixture, the longest first: what is short fills the time until all are done."""
    groups = {item: group_of(item) for item in items}
    for item, group in groups.items():
        item.add_marker(pytest.mark.xdist_group(group))
    if not config.getoption("all"):
        _deselect(config, items, is_long)
    if config.getoption("quick"):
        _deselect(config, items, lambda item: not is_quick(item, groups[item]))
    items.sort(key=lambda item: _place(item, groups[item]))


def _deselect(config, items, predicate):
    config.hook.pytest_deselected(items=[item for item in items if predicate(item)])
    items[:] = [item for item in items if not predicate(item)]


def _place(item, group):
    """Where a test stands in the queue."""
    if group in (SPARK, SPARK_OF_DATA):
        return 0
    if group in EARLY:
        return 1 + EARLY.index(group)
    return 8 if starts_processes(item) else 9


@pytest.fixture(scope="session")
def environment(tmp_path_factory):
    folder = tmp_path_factory.mktemp("nights")
    return builders.quick_environment(warehouse=str(folder / "warehouse"), home=str(folder / "home"))


@pytest.fixture(scope="session")
def spark(environment):
    session = spark_runtime.start(environment, "tests")
    yield session
    session.stop()


@pytest.fixture(params=["many", "few"])
def however_many(request, spark, environment):
    """A session for any number of rows, and one for few, of which much is made in this process."""
    few_rows.tune(spark, environment, few_rows=request.param == "few")
    yield
    few_rows.tune(spark, environment, few_rows=False)


@pytest.fixture
def few(spark, environment):
    """The session of a night that follows one of few rows."""
    few_rows.tune(spark, environment, few_rows=True)
    yield
    few_rows.tune(spark, environment, few_rows=False)


@pytest.fixture(scope="session")
def ray_started(environment):
    with ray.session(environment):
        yield


@pytest.fixture(scope="session")
def nights(environment, spark, ray_started, tmp_path_factory):
    """What the tree has built (system/tree.py), in a place of its own. For reading: `copied` is there to be changed."""
    built = tree.built(tmp_path_factory, spark)
    shutil.copytree(built / "warehouse", environment.warehouse)
    shutil.copytree(built / ".nightjar", environment.home, dirs_exist_ok=True)
    project = tree.project(built)
    return builders.Nights(Warehouse(environment.warehouse, project.name), project, environment)


@pytest.fixture
def copied(nights, tmp_path):
    """The same warehouse in a folder of the test's own."""
    shutil.copytree(nights.environment.warehouse, tmp_path / "warehouse")
    environment = replace(nights.environment, warehouse=str(tmp_path / "warehouse"))
    return builders.Nights(Warehouse(environment.warehouse, nights.project.name), nights.project, environment)


@pytest.fixture
def untrained(copied):
    """The same before its first training."""
    shutil.rmtree(copied.warehouse.path("model_events"))
    return copied


@pytest.fixture
def warehouse(tmp_path):
    """An empty warehouse."""
    empty = Warehouse(str(tmp_path / "warehouse"), "machines")
    empty.check_writable()
    return empty
