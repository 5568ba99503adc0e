"""What an environment needs besides Python packages: jars that Spark lacks, and an archive of Spark's classes."""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from nightjar.errors import MachineError
from nightjar.runtime import jars

LOG = Path(".nightjar/setup.log")


def main(arguments: list[str]) -> None:
    """`nightjar setup`.

    Raises:
        MachineError: there is no fitting Java, or the jars cannot be fetched or written.
    """
    argparse.ArgumentParser(prog="nightjar setup", description=__doc__, allow_abbrev=False).parse_args(arguments)
    require_java()
    LOG.parent.mkdir(mode=0o700, exist_ok=True)
    LOG.unlink(missing_ok=True)
    sums = jars.expected_sums()
    if not jars.are_installed(jars.FOLDER, sums):
        say(f"Fetching the jars of Delta Lake {jars.delta_version(sums)}, Avro and PostgreSQL ...")
        jars.install(jars.FOLDER, sums, fetch)
    archive_classes()


def say(text: str) -> None:
    """Print at once, so that a log has the lines of several programs in order."""
    print(text, flush=True)  # noqa: T201  (for people, at a terminal)


def require_java() -> None:
    """Raise MachineError unless there is the Java that Spark needs."""
    home = os.environ.get("JAVA_HOME")
    java = f"{home}/bin/java" if home else "java"
    advice = "Install a full Java (openjdk-17-jdk-headless on Debian and Ubuntu) or point JAVA_HOME to one"
    command = [java, "--add-modules", "jdk.incubator.vector", "-version"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    except OSError:
        raise MachineError(f"Java 17 or newer is needed, but {java} does not run. {advice}") from None
    number = re.search(r'version "(\d+)', done.stderr)
    if done.returncode or number is None or int(number[1]) < 17:
        answer = " ".join(done.stderr.split())[:300]
        raise MachineError(
            f"Java 17 or newer with the module jdk.incubator.vector is needed, but {java} says {answer!r}. {advice}"
        )


def fetch(folder: Path) -> None:
    """Fetch Delta's jars into a folder; at the second time, if the first one fails.

    Raises:
        MachineError: both have failed.
    """
    with tempfile.TemporaryDirectory(prefix="ivy-") as ivy:
        if not _run("nightjar.runtime.jars", ivy):
            time.sleep(5)
            if not _run("nightjar.runtime.jars", ivy):
                raise MachineError(
                    "Spark could not fetch the jars of Delta Lake from the Maven repository. Check the network (behind "
                    f"a proxy, JAVA_TOOL_OPTIONS must name it), and see {LOG}"
                )
        for jar in Path(ivy, "jars").iterdir():
            shutil.move(jar, folder)


def archive_classes() -> None:
    """Archive the classes that Spark's Java loads. Without an archive jobs run all the same, so that it may fail."""
    say("Archiving the classes of Spark, from which every job will start: about a minute ...")
    if not _run("nightjar.runtime.class_archive"):
        say(
            f"The classes of Spark could not be archived (see {LOG}): jobs start without, half as long again. "
            "To try again: nightjar setup"
        )


def _run(module: str, *arguments: str) -> bool:
    """Run a module in a process of its own, whose Java ends with it; whether it succeeds. The log has its output."""
    theirs = ("SPARK_HOME", "SPARK_CONF_DIR", "HADOOP_CONF_DIR")  # settings for another Spark than this one
    variables = {name: value for name, value in os.environ.items() if name not in theirs}
    command = [sys.executable, "-m", module, *arguments]
    with LOG.open("a") as log:
        done = subprocess.run(  # noqa: S603
            command, env=variables, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, check=False
        )
    return done.returncode == 0
