"""The jars of Delta, of Spark's Avro and of PostgreSQL's driver, which Spark lacks: fetched once, by its Ivy, and
compared with `jars.sha256`.

So no job needs the network for them, and every one that runs was checked. Everything else that they depend on is part
of Spark, mostly in newer versions.
"""

import hashlib
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path

import pyspark
from pyspark.sql import SparkSession

from nightjar.errors import MachineError

FOLDER = Path(pyspark.__file__).parent / "jars"
NAME = re.compile(r"([^_]+)_(.+)-([^-]+)\.jar")
ROOTS = ("io.delta:delta-spark_", "org.apache.spark:spark-avro_", "org.postgresql:postgresql:")
"""How Maven's coordinates begin of the jars that are asked for; the others are those that they depend on."""
OURS = ("io.delta_*.jar", "io.unitycatalog_*.jar", "org.apache.spark_spark-avro_*.jar", "org.postgresql_*.jar")
SPARKS = (
    "com.*:*,commons-*:*,io.airlift:*,javax.*:*,org.apache.hadoop:*,org.apache.logging.*:*,org.apache.parquet:*,"
    "org.checkerframework:*,org.locationtech.*:*,org.roaringbitmap:*,org.scala-lang*:*,org.slf4j:*,org.tukaani:*,"
    "org.xerial.*:*"
)
"""What they depend on and Spark has, or only compilers need. For `org.*:*` Ivy would leave out Avro's reader itself."""


def expected_sums() -> dict[str, str]:
    """The name of each jar, as Ivy gives it, and its SHA-256."""
    lines = Path(__file__).with_name("jars.sha256").read_text(encoding="utf-8").splitlines()
    pairs = [line.split() for line in lines if not line.startswith("#")]
    return {name: digest for digest, name in pairs}


def coordinates(sums: Mapping[str, str]) -> list[str]:
    """Maven's coordinates of Delta, Spark's reader of Avro and PostgreSQL's driver, whose jars are among these."""
    every = [":".join(match.groups()) for match in map(NAME.fullmatch, sums) if match]
    return sorted(one for one in every if one.startswith(ROOTS))


def delta_version(sums: Mapping[str, str]) -> str:
    """The version of Delta, whose jar is among these."""
    return coordinates(sums)[0].rpartition(":")[2]


def are_installed(folder: Path, sums: Mapping[str, str]) -> bool:
    """Whether a folder has all jars, with these contents."""
    return all((folder / name).is_file() and _digest(folder / name) == digest for name, digest in sums.items())


def install(folder: Path, sums: Mapping[str, str], fetch: Callable[[Path], None]) -> None:
    """Put the jars into Spark's folder of jars, and remove those of other versions from it.

    Args:
        folder: Spark's.
        sums: name -> SHA-256 of each jar.
        fetch: gets the jars into an empty folder.

    Raises:
        MachineError: what was fetched are other files than these, so none was installed; or the package delta-spark is
            of another version than the jars.
    """
    number = delta_version(sums)
    if version("delta-spark") != number:
        raise MachineError(
            f"The package delta-spark is of version {version('delta-spark')}, but Nightjar has the sums of the jars of "
            f"{number}: install that version"
        )
    with tempfile.TemporaryDirectory(prefix="jars-") as place:
        fetch(Path(place))
        fetched = {jar.name: _digest(jar) for jar in Path(place).iterdir()}
        if fetched != sums:
            others = sorted(set(fetched.items()) ^ set(sums.items()))
            raise MachineError(
                f"The jars fetched for Delta Lake {number} are not those whose sums come with Nightjar "
                f"({', '.join(dict(others))} differ), so none was installed. Run it again, and if that does not help, "
                "do not use this source of jars"
            )
        for old in [jar for pattern in OURS for jar in folder.glob(pattern)]:
            if old.name not in sums:
                old.unlink()
        for name in sums:
            part = folder / f"{name}.part"
            shutil.copyfile(Path(place) / name, part)
            part.replace(folder / name)


def resolve(ivy: str) -> None:
    """Let Spark's Ivy fetch the jars into `jars/` of its folder."""
    sums = expected_sums()
    options: dict[str, bool | float | int | str | None] = {
        "spark.jars.packages": ",".join(coordinates(sums)),
        "spark.jars.ivy": ivy,
        "spark.jars.excludes": SPARKS,
        "spark.ui.enabled": "false",
        "spark.driver.host": "localhost",
        "spark.driver.bindAddress": "127.0.0.1",
    }
    SparkSession.builder.master("local[1]").config(map=options).getOrCreate().stop()


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


if __name__ == "__main__":
    resolve(sys.argv[1])
