"""Spark sessions."""

import logging
import os
import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyspark
from py4j.protocol import Py4JJavaError
from pyspark import SparkConf, SparkContext
from pyspark.sql import SparkSession

import nightjar
from nightjar.errors import UsageError
from nightjar.runtime import folders
from nightjar.runtime.few_rows import QUICK_JAVA
from nightjar.settings import secrets
from nightjar.settings.environment import Environment

log = logging.getLogger("nightjar.spark")
# Java leaves methods of more than 8,000 bytecodes uncompiled, and Spark generates such methods for rows of many checked
# and derived columns: without the last option, reading such a source takes more than twice as long.
# In another language than English, Java has other capitals (Turkish i), so that upper() would depend on the machine.
JAVA_OPTIONS = "-Duser.timezone=UTC -Duser.language=en -Duser.country=US -XX:+UseParallelGC -XX:-DontCompileHugeMethods"
ARCHIVE = Path(pyspark.__file__).parent / "classes.jsa"
"""Archive of the classes that Spark's Java loads, made by `nightjar setup`; another Java, or other jars, ignore it."""
JAVA_BY_DEFAULT = "spark.driver.defaultJavaOptions"
END_WITHOUT_MEMORY = "-XX:+ExitOnOutOfMemoryError"
"""Where Java has no memory left, a thread of Spark's scheduler may end alone: then the job would wait for ever."""
_LOGGING = f'"-Dlog4j2.configurationFile={Path(__file__).with_name("log4j2.properties").as_uri()}"'
OPTIONS = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    # Results must not depend on the machine's zone: everything stored is UTC.
    "spark.sql.session.timeZone": "UTC",
    # Spark's default (INT96) has no file statistics, and Arrow misreads far dates in it.
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    # Nanoseconds in raw files, which Spark otherwise does not read at all; no table of ours has any.
    "spark.sql.legacy.parquet.nanosAsLong": "true",
    # Spark fails on damaged pages instead of reading them.
    "spark.hadoop.parquet.page.verify-checksum.enabled": "true",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.sql.execution.pythonUDF.arrow.enabled": "true",
    "spark.sql.ansi.enabled": "true",
    # PySpark calls Java five times for each operator of an expression, to name the line of Python in errors, which here
    # is about settings: that took half of an ingest of few rows.
    "spark.python.sql.dataFrameDebugging.enabled": "false",
    # Rows are persisted for moments: choosing how to compress each column took a sixth of a first load.
    "spark.sql.inMemoryColumnarStorage.compressed": "false",
    # One thread per task: the tasks already fill the cores.
    "spark.executorEnv.OMP_NUM_THREADS": "1",
    # Python workers keep up to 256 MB of freed memory: a task makes hundreds of columns of a megabyte, and a fifth of
    # its time went into requesting their memory from the system again and again.
    "spark.executorEnv.ARROW_DEFAULT_MEMORY_POOL": "system",
    "spark.executorEnv.MALLOC_MMAP_THRESHOLD_": str(32 << 20),
    "spark.executorEnv.MALLOC_TRIM_THRESHOLD_": str(256 << 20),
    # Delta's default (50) is for logs of millions of files: 50 tasks each time a table's state is read.
    "spark.databricks.delta.snapshotPartitions": "4",
    # Nobody looks at the web interface of a job: nothing listens.
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.extraJavaOptions": JAVA_OPTIONS,
    "spark.executor.extraJavaOptions": JAVA_OPTIONS,
}


def start(environment: Environment, app_name: str, *, few_rows: bool = False) -> SparkSession:
    """Start a session with Delta, in UTC. Under `spark-submit`, master and driver's memory are those given there.

    On a cluster the package itself is shipped to the executors; they need only the locked dependencies.

    Args:
        environment: of the job.
        app_name: of the session.
        few_rows: whether Java would spend more on compiling its code well than the work takes; on this machine only.

    Raises:
        UsageError: no master is named, or Spark has no Delta, or no file system for the warehouse.
    """
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    submitted_to = _submitted_master()
    if submitted_to is None:
        _use_locked_spark()
    master = submitted_to or environment.spark_master
    if master is None:
        raise UsageError(
            "environment.spark_master: found null, expected a master: start this job with spark-submit --master ..., "
            "or give environment.spark_master=spark://HOST:PORT"
        )
    options = OPTIONS | {
        "spark.sql.shuffle.partitions": str(environment.shuffle_partitions),
        "spark.sql.warehouse.dir": str(Path(environment.home).absolute() / "spark-warehouse"),
    }
    if submitted_to is None:  # a submitted driver already runs, with its master and memory
        options |= {"spark.master": master, "spark.driver.memory": environment.driver_memory}
        if few_rows and master.startswith("local"):
            options |= {"spark.driver.extraJavaOptions": f"{JAVA_OPTIONS} {QUICK_JAVA}"}
        temporary = folders.process_folder()  # also for the shuffled data
        by_default = f'{END_WITHOUT_MEMORY} {class_archive_options()} {_LOGGING} "-Djava.io.tmpdir={temporary}"'
        options |= {JAVA_BY_DEFAULT: by_default}
    options |= _local_options(master) | environment.spark
    if submitted_to is None:
        _start_java(options)
    builder = SparkSession.builder.appName(app_name)
    for key, value in options.items():
        builder = builder.config(key, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    try:
        require_same_results(dict(session.sparkContext.getConf().getAll()))
        require_delta(session)
        require_file_system(session, environment.warehouse)
    except UsageError:
        session.stop()
        raise
    if not master.startswith("local"):
        session.sparkContext.addPyFile(_pack_package())
    return session


def _local_options(master: str) -> dict[str, str]:
    """Options for speed, and against access by others, where Spark or its driver runs on this machine."""
    options: dict[str, str] = {}
    if re.match(r"local\b|spark://(127\.|localhost\b)", master):
        options |= {"spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1"}
    if master.startswith("local"):
        options |= {"spark.shuffle.compress": "false"} | _socket_options()  # shuffled data never leaves the machine
    if re.fullmatch(r"local(\[.*\])?", master):
        # Other users of the machine reach its ports too. Spark generates a secret for the session.
        options |= {"spark.authenticate": "true"}
    return options


def class_archive_options() -> str:
    """Options by which Java starts from the archive, if there is one, in two thirds of the time."""
    if not ARCHIVE.exists():
        return ""
    return f'"-XX:SharedArchiveFile={ARCHIVE}" -Xlog:cds=off -Xlog:cds+dynamic=off -Xlog:class+path=off'


def _start_java(options: Mapping[str, str]) -> None:
    """Start Java with the options that are no secrets: every user of the machine sees the command line of a process.

    The session, which is built next, sets the others.
    """
    shown = [(name, value) for name, value in options.items() if not secrets.KEY.search(name)]
    SparkContext._ensure_initialized(conf=SparkConf(loadDefaults=False).setAll(shown))  # noqa: SLF001


def _socket_options() -> dict[str, str]:
    """Options that let Java and its Python workers use Unix sockets in a folder that only this user can enter.

    Over TCP each task waits about 40 ms for an acknowledgement. On a cluster TCP stays, as Spark protects it by a
    secret: Unix sockets have none, and we do not control the folders of other machines.
    """
    folder = folders.socket_folder() / "spark"
    folder.mkdir(mode=0o700, exist_ok=True)
    return {
        "spark.python.unix.domain.socket.enabled": "true",
        "spark.python.unix.domain.socket.dir": str(folder),
        "spark.python.daemon.module": "nightjar.runtime.daemon",
    }


def _submitted_master() -> str | None:
    """The master given to `spark-submit`; None where this process starts Spark itself."""
    if "PYSPARK_GATEWAY_PORT" not in os.environ:
        return None
    SparkContext._ensure_initialized()  # noqa: SLF001  (before it, a SparkConf does not see the submitted options)
    return str(SparkConf().get("spark.master"))


def _use_locked_spark() -> None:
    """Ignore SPARK_HOME: the locked pyspark would run another Spark than the locked one."""
    locked = Path(pyspark.__file__).parent
    spark_home = os.environ.get("SPARK_HOME")
    if spark_home is not None and Path(spark_home).resolve() != locked.resolve():
        log.warning(
            "SPARK_HOME=%s is ignored: this job runs on the Spark of its own environment, %s", spark_home, locked
        )
        del os.environ["SPARK_HOME"]
    if not list((locked / "jars").glob("*delta-spark*.jar")):
        raise UsageError(f"Spark has no Delta: no delta-spark jar lies in {locked / 'jars'}. Run nightjar setup.")


def require_same_results(configuration: Mapping[str, str]) -> None:
    """Refuse settings of `spark-submit` or a cluster that would change the results of expressions.

    Raises:
        UsageError: there is a setting of ANSI rules, names or older versions of Spark, other than ours.
    """
    for option in sorted(set(configuration) - set(OPTIONS)):
        if option.startswith(("spark.sql.ansi.", "spark.sql.legacy.", "spark.sql.caseSensitive")):
            raise UsageError(
                f"Spark was given {option}={configuration[option]}, by --conf or spark-defaults.conf, with which "
                "expressions give other values than elsewhere. Submit without it."
            )


def require_delta(session: SparkSession) -> None:
    """Make sure that Spark has Delta: it only warns about an extension that it cannot load, and fails much later.

    Raises:
        UsageError: it has not.
    """
    java: Any = session.sparkContext._jvm  # noqa: SLF001  (PySpark's only way to ask Java)
    if not java.org.apache.spark.util.Utils.classIsLoadable(OPTIONS["spark.sql.extensions"]):
        raise UsageError(
            "The Spark that this job was submitted with has no Delta. Submit with the spark-submit of the environment "
            "that nightjar setup has completed, or add --packages io.delta:delta-spark_4.2_2.13:4.4.0."
        )


def require_file_system(session: SparkSession, warehouse: str) -> None:
    """Make sure that Spark has a file system for the warehouse: the package itself needs none, but Spark's reads do.

    Raises:
        UsageError: Spark has no file system for the warehouse's scheme.
    """
    if "://" not in warehouse:
        return
    scheme = warehouse.split("://", 1)[0]
    context: Any = session.sparkContext
    try:
        context._jvm.org.apache.hadoop.fs.FileSystem.getFileSystemClass(  # noqa: SLF001  (PySpark's only way to ask)
            scheme,
            context._jsc.hadoopConfiguration(),  # noqa: SLF001
        )
    except Py4JJavaError as error:
        raise UsageError(
            f"environment.warehouse: found {warehouse!r}, but Spark has no file system for {scheme}:// "
            f"({error.java_exception.getMessage()}). Give it the jars and settings of one: cluster/README.md, "
            "Object stores."
        ) from error


def _pack_package() -> str:
    """The package as a zip file for executors to import; it is removed when this process ends."""
    package = Path(nightjar.__file__).parent
    return shutil.make_archive(
        f"{folders.process_folder()}/nightjar", "zip", root_dir=package.parent, base_dir=package.name
    )
