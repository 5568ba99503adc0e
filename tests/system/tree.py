"""A checkout in small: jobs, configuration and package of this one, the tiny project, and what its nights built."""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import yaml
from pyspark.sql import SparkSession

import builders
from nightjar.settings.costs import Costs
from nightjar.settings.filling import plain
from nightjar.settings.project import Project
from system.commands import run_within

ROOT = Path(__file__).resolve().parents[2]
HISTORY, NIGHT, NEXT, AFTER = "2024-03-31", "2024-04-02", "2024-04-03", "2024-04-04"
"""The dates of the history and of the last night that is built, and two more that there is data for."""


def once(factory, name: str, fill: Callable[[Path], None]) -> Path:
    """A folder that the first worker that asks for it fills, for all workers; for reading only."""
    of_worker = factory.getbasetemp()
    folder = (of_worker.parent if "PYTEST_XDIST_WORKER" in os.environ else of_worker) / name
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            fill(folder)
            (folder / "complete").touch()
    return folder


def built(factory, spark: SparkSession | None = None) -> Path:
    """The tree after its history and both nights, by one command: with the Spark of who has one, or as a process."""
    return once(factory, "tree", partial(_build, spark=spark))


def project(tree: Path) -> Project:
    """What the project's file in the tree says."""
    return replace(builders.machines(tree / "data"), costs=Costs(missed=5, false_alarm=1))


def _build(tree: Path, spark: SparkSession | None) -> None:
    for folder in ("jobs", "conf", "lib", "cluster"):
        shutil.copytree(ROOT / folder, tree / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in (".gitignore", ".rayignore"):
        shutil.copy(ROOT / file, tree)
    builders.write_files(tree / "data")
    declare(tree / "conf" / "project" / "machines.yaml", project(tree))
    declare(tree / "conf" / "search" / "tiny.yaml", builders.search())
    declare(tree / "conf" / "environment" / "quick.yaml", builders.quick_environment())
    job = ["jobs/nightly.py", "project=machines", "search=tiny", "environment=quick", "project_dates=true"]
    if spark is None:
        run([sys.executable, *job], tree, {"PYTHONPATH": str(tree / "lib")})
    else:
        done = run_within(tree, job, spark)
        assert done.code == 0, done.err


def declare(file: Path, settings: object) -> None:
    """Settings as a configuration file of their group."""
    file.write_text(yaml.safe_dump(plain(settings), sort_keys=False))


def copied(factory, tmp_path: Path, spark: SparkSession | None = None) -> Path:
    """A copy of the built tree to change."""
    return shutil.copytree(built(factory, spark), tmp_path / "tree")


def run(command: list[str], folder: Path, variables: dict[str, str] | None = None, timeout: int = 900) -> str:
    """Run a command in a folder; what it printed. A failure shows all of it."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("SPARK_", "RAY_"))}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env=environment | (variables or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(map(str, command))} exited {done.returncode}:\n{done.stdout}"
    return done.stdout
