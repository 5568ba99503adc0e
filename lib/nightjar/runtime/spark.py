"""Spark sessions."""

import os
import shutil
import sys
import tempfile
from pathlib import Path

from pyspark.sql import SparkSession

import nightjar
from nightjar.errors import UsageError
from nightjar.settings.environment import Environment

OPTIONS = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    # Results must not depend on the machine's zone: everything stored is UTC.
    "spark.sql.session.timeZone": "UTC",
    # Spark's default (INT96) has no file statistics, and Arrow misreads far dates in it.
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.sql.execution.pythonUDF.arrow.enabled": "true",
    "spark.sql.ansi.enabled": "true",
    # A session of a job has no visitors: nothing listens.
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.extraJavaOptions": "-Duser.timezone=UTC -XX:+UseParallelGC",
    "spark.executor.extraJavaOptions": "-Duser.timezone=UTC -XX:+UseParallelGC",
}


def start(environment: Environment, app_name: str) -> SparkSession:
    """A session with Delta, in UTC. Under `spark-submit` its master is kept unless the configuration names one.

    On a cluster the package itself is shipped to the executors; they need only the locked dependencies.
    """
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    _check_delta()
    builder = SparkSession.builder.appName(app_name)
    if environment.spark_master is not None and "PYSPARK_GATEWAY_PORT" not in os.environ:
        builder = builder.master(environment.spark_master)
        if environment.spark_master.startswith("local"):
            builder = builder.config("spark.driver.bindAddress", "127.0.0.1").config("spark.driver.host", "127.0.0.1")
    options = OPTIONS | {
        "spark.driver.memory": environment.driver_memory,
        "spark.sql.shuffle.partitions": str(environment.shuffle_partitions),
        "spark.sql.warehouse.dir": str(Path(environment.home).absolute() / "spark-warehouse"),
    }
    for key, value in (options | dict(environment.spark)).items():
        builder = builder.config(key, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    if not session.sparkContext.master.startswith("local"):
        session.sparkContext.addPyFile(_packed())
    return session


def _check_delta() -> None:
    import pyspark  # noqa: PLC0415  (only its location is wanted)

    jars = Path(pyspark.__file__).parent / "jars"
    if not list(jars.glob("*delta-spark*.jar")) and "SPARK_HOME" not in os.environ:
        raise UsageError(f"Spark has no Delta: no delta-spark jar lies in {jars}. Run scripts/setup.")


def _packed() -> str:
    """The package as a zip file that executors can import from."""
    package = Path(nightjar.__file__).parent
    folder = tempfile.mkdtemp(prefix="nightjar-")
    return shutil.make_archive(f"{folder}/nightjar", "zip", root_dir=package.parent, base_dir=package.name)
