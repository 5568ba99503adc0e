"""`nightjar setup`: the jars that are installed are those whose sums come with the package, and nothing but them."""

import hashlib
import re
import shutil
from importlib.metadata import version

import pytest

from nightjar.errors import MachineError
from nightjar.runtime import jars, setup
from nightjar.sources.connectors import postgresql

DELTA = version("delta-spark")
NAMES = (f"io.delta_delta-spark_4.2_2.13-{DELTA}.jar", f"io.delta_delta-storage-{DELTA}.jar")
SUMS = {name: hashlib.sha256(name.encode()).hexdigest() for name in NAMES}
STALE = (
    "io.delta_delta-spark_4.2_2.13-1.0.0.jar",
    "io.unitycatalog_unitycatalog-client-0.1.0.jar",
    "org.apache.spark_spark-avro_2.13-4.1.0.jar",
    "org.postgresql_postgresql-42.6.0.jar",
)


def write(contents):
    def fetch(folder):
        for name, text in contents.items():
            (folder / name).write_text(text)

    return fetch


@pytest.fixture
def folder(tmp_path):
    """Of a Spark that has jars of its own, and those of an older Delta."""
    for name in ("spark-core_2.13-4.2.0.jar", *STALE):
        (tmp_path / name).touch()
    return tmp_path


def names(folder):
    return {file.name for file in folder.iterdir()} - {"spark-core_2.13-4.2.0.jar"}


def test_the_jars_replace_those_of_another_version(folder):
    assert not jars.are_installed(folder, SUMS)
    jars.install(folder, SUMS, write({name: name for name in NAMES}))
    assert names(folder) == set(NAMES)
    assert jars.are_installed(folder, SUMS)
    (folder / NAMES[0]).write_text("cut off")
    assert not jars.are_installed(folder, SUMS)


@pytest.mark.parametrize(
    ("fetched", "named"),
    [
        ({NAMES[0]: NAMES[0], NAMES[1]: "forged"}, NAMES[1]),
        ({NAMES[0]: NAMES[0]}, NAMES[1]),
        ({name: name for name in (*NAMES, "io.delta_more-1.jar")}, "io.delta_more-1.jar"),
    ],
    ids=["another sum", "one too few", "one too many"],
)
def test_jars_other_than_the_pinned_ones_are_refused_whole(folder, fetched, named):
    with pytest.raises(MachineError, match=rf"\({re.escape(named)} differ\), so none was installed"):
        jars.install(folder, SUMS, write(fetched))
    assert names(folder) == set(STALE)


def test_a_delta_of_another_version_than_the_jars_is_refused_before_anything_is_fetched(folder):
    with pytest.raises(MachineError, match=rf"is of version {DELTA}, .* of 1\.0\.0: install that version"):
        jars.install(folder, dict.fromkeys(STALE, ""), write({}))


def test_the_sums_of_the_package_are_those_of_the_installed_jars():
    sums = jars.expected_sums()
    assert jars.coordinates(sums) == [
        f"io.delta:delta-spark_4.2_2.13:{DELTA}",
        f"org.apache.spark:spark-avro_2.13:{version('pyspark')}",
        postgresql.PACKAGE,
    ]
    assert all(re.fullmatch(r"[0-9a-f]{64}", digest) for digest in sums.values())
    assert jars.are_installed(jars.FOLDER, sums)


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (None, r"java does not run. Install a full Java"),
        ("echo 'openjdk version \"11.0.2\" 2019-01-15' >&2", r"says 'openjdk version \"11.0.2\" 2019-01-15'"),
        ("echo 'Module jdk.incubator.vector not found' >&2; exit 1", r"says 'Module jdk.incubator.vector not found'"),
    ],
    ids=["no Java", "old Java", "Java without vectors"],
)
def test_a_java_that_spark_cannot_use_is_refused_with_what_it_says(tmp_path, monkeypatch, script, message):
    if script is not None:
        java = tmp_path / "bin" / "java"
        java.parent.mkdir()
        java.write_text(f"#!/bin/sh\n{script}\n")
        java.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(MachineError, match=message):
        setup.require_java()


def test_classes_that_cannot_be_archived_are_forgiven(tmp_path, monkeypatch, capsys):
    """The archive that all tests start from stays: what runs here is no Python."""
    monkeypatch.setattr(setup, "LOG", tmp_path / "setup.log")
    monkeypatch.setattr(setup.sys, "executable", shutil.which("false"))
    setup.archive_classes()
    assert "could not be archived (see " in capsys.readouterr().out


def test_what_a_part_of_it_says_is_in_the_log(tmp_path, monkeypatch):
    monkeypatch.setattr(setup, "LOG", tmp_path / "setup.log")
    assert not setup._run("nightjar.nowhere")
    assert "No module named nightjar.nowhere" in setup.LOG.read_text()
