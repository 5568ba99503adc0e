"""How Java and its Python workers talk on one machine."""

import os
import shlex
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from nightjar.errors import UsageError
from nightjar.runtime import spark as spark_runtime
from nightjar.runtime.few_rows import OF_FEW_ROWS, QUICK_QUERIES, tune

FOLDER = "spark.python.unix.domain.socket.dir"


def test_java_and_its_workers_talk_where_nobody_else_can_enter(spark):
    assert spark.range(2).mapInArrow(lambda batches: batches, "id long").count() == 2
    folder = Path(spark.sparkContext.getConf().get(FOLDER))  # what a later start asks for is too late for it
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert all(stat.S_ISSOCK(file.stat().st_mode) for file in folder.iterdir())
    assert any(folder.iterdir())


def test_a_java_without_memory_ends_and_with_it_the_job(spark):
    """Otherwise it may lose a thread of its scheduler alone, and whoever waits for a job waits for ever."""
    java = spark.sparkContext._jvm.java.lang.management.ManagementFactory.getRuntimeMXBean()
    assert spark_runtime.END_WITHOUT_MEMORY in list(java.getInputArguments())


ARCHIVED = pytest.mark.skipif(not spark_runtime.ARCHIVE.exists(), reason="set-up could not archive Spark's classes")


@ARCHIVED
def test_java_starts_from_the_archive_that_set_up_has_made(spark):
    java = spark.sparkContext._jvm.java.lang.ProcessHandle.current().pid()
    assert str(spark_runtime.ARCHIVE.resolve()) in Path(f"/proc/{java}/maps").read_text()


@pytest.mark.parametrize("kind", ["of other jars", "damaged"])
@ARCHIVED
def test_an_archive_that_does_not_fit_is_not_used_and_nothing_is_said(kind, tmp_path, monkeypatch):
    if kind == "damaged":
        monkeypatch.setattr(spark_runtime, "ARCHIVE", tmp_path / "classes.jsa")
        spark_runtime.ARCHIVE.write_bytes(b"no archive")
    java = ["java", *shlex.split(spark_runtime.class_archive_options()), "-cp", str(tmp_path), "Nothing"]
    ran = subprocess.run(java, capture_output=True, text=True, check=False)
    assert ran.stdout == ""
    assert ran.stderr.startswith("Error: Could not find or load main class Nothing")


def test_without_an_archive_java_is_told_of_none(tmp_path, monkeypatch):
    monkeypatch.setattr(spark_runtime, "ARCHIVE", tmp_path / "classes.jsa")
    assert spark_runtime.class_archive_options() == ""


def test_a_warehouse_that_spark_has_no_file_system_for_is_refused_with_its_scheme_and_what_to_do(spark):
    """Without a setting for the scheme, and with one whose class lies in no jar."""
    hadoop = spark.sparkContext._jsc.hadoopConfiguration()
    hadoop.set("fs.store.impl", "org.apache.hadoop.fs.s3a.S3AFileSystem")
    for scheme, why in (("abc", 'No FileSystem for scheme "abc"'), ("store", "S3AFileSystem not found")):
        with pytest.raises(UsageError) as refused:
            spark_runtime.require_file_system(spark, f"{scheme}://bucket/lake")
        message = str(refused.value)
        assert message.startswith(
            f"environment.warehouse: found '{scheme}://bucket/lake', but Spark has no file system"
        )
        assert why in message
        assert message.endswith("jars and settings of one: cluster/README.md, Object stores.")
    hadoop.set("fs.store.impl", "org.apache.hadoop.fs.RawLocalFileSystem")
    for warehouse in ("store://bucket/lake", "file:///lake", "lake"):
        spark_runtime.require_file_system(spark, warehouse)


AS_BY_JAVA = {"PYTHON_DAEMON_KILL_WORKER_ON_FLUSH_FAILURE": "1"}
HUNG_UP = "import socket; here, java = socket.socketpair(); java.close(); "


def test_a_worker_that_java_has_hung_up_on_ends_without_a_word():
    """Spark's own one raises, and its parent prints that."""
    for module, code, message in (("pyspark.daemon", 1, "BrokenPipeError"), ("nightjar.runtime.daemon", 0, "")):
        program = f"{HUNG_UP}from {module} import worker; print(worker(here, True))"
        ended = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=False, env=os.environ | AS_BY_JAVA
        )
        assert ended.returncode == code
        assert message in ended.stderr
        assert ("Traceback" in ended.stderr) == bool(message)


def test_a_setting_of_the_cluster_that_changes_what_expressions_give_is_refused():
    """Ours are set for the session whatever the cluster says of them."""
    spark_runtime.require_same_results({"spark.sql.ansi.enabled": "false", "spark.sql.catalog.other": "x"})
    for option in (
        "spark.sql.legacy.timeParserPolicy",
        "spark.sql.ansi.doubleQuotedIdentifiers",
        "spark.sql.caseSensitive",
    ):
        with pytest.raises(UsageError, match=f"Spark was given {option}=true, by --conf or spark-defaults.conf"):
            spark_runtime.require_same_results({option: "true"})


def test_queries_over_few_rows_are_interpreted_unless_the_environment_says_otherwise(spark, environment):
    session, (key, *_) = spark.newSession(), QUICK_QUERIES
    set_by_hand = replace(environment, spark={key: "true"})
    session.conf.set(key, "true")
    tune(session, set_by_hand, few_rows=True)
    assert session.conf.get(key) == "true"
    tune(session, replace(environment, spark={}), few_rows=True)
    assert {one: session.conf.get(one) for one in OF_FEW_ROWS} == OF_FEW_ROWS


def test_queries_over_any_number_of_rows_run_as_spark_was_started(spark, environment):
    session, started_with = spark.newSession(), dict(spark.sparkContext.getConf().getAll())
    for few_rows in (True, False):
        tune(session, replace(environment, spark={}), few_rows=few_rows)
    now = {one: session.conf.get(one, None) for one in OF_FEW_ROWS}
    assert now == {one: started_with.get(one) for one in OF_FEW_ROWS}
