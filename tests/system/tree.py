"""A checkout in small: jobs, configuration and package of this one, a tiny project, and what a night of it built."""

import fcntl
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HISTORY, NIGHT = "2024-02-05", "2024-02-06"


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


def built(factory) -> Path:
    """The tree after its history and one night, all on this machine."""
    return once(factory, "tree", _build)


def _build(tree: Path) -> None:
    for folder in ("jobs", "conf", "lib", "cluster"):
        shutil.copytree(ROOT / folder, tree / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in (".gitignore", ".rayignore"):
        shutil.copy(ROOT / file, tree)
    shutil.copytree(Path(__file__).parent / "conf", tree / "conf", dirs_exist_ok=True)
    write_files(tree / "data")
    quick = "environment.shuffle_partitions=2"
    job = [sys.executable, "jobs/nightly.py", "project=tiny", "search=tiny", "project_dates=true", quick]
    run(job, tree, {"PYTHONPATH": str(tree / "lib")})


def copied(factory, tmp_path) -> Path:
    """A copy of the built tree to change."""
    return shutil.copytree(built(factory), tmp_path / "tree")


def write_files(folder: Path) -> None:
    """40 machines a day, planned a day ahead and inspected six hours after midnight in Paris; high loads fail."""
    chance = random.Random(7)  # noqa: S311  (data, not secrets)
    plan, results = ["machine,at,load"], ["machine,at,failed,wear"]
    for day in range(41):
        at = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=day, hours=-1)
        for machine in range(40):
            load = chance.random()
            failed = chance.random() < load**2
            plan.append(f"m{machine},{at:%Y-%m-%dT%H:%M:%SZ},{load:.4f}")
            results.append(f"m{machine},{at:%Y-%m-%dT%H:%M:%SZ},{str(failed).lower()},{chance.gauss(load, 1):.4f}")
    folder.mkdir()
    (folder / "plan.csv").write_text("\n".join(plan) + "\n")
    (folder / "results.csv").write_text("\n".join(results) + "\n")


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
