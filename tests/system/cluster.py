"""A cluster of scripts/cluster for one test: of its own, and gone afterwards."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from system import tree
from waiting import wait_until

COMMAND = tree.ROOT / "scripts" / "cluster"


@contextmanager
def running(kind: str, folder: Path) -> Iterator[Path]:
    """A Spark or Ray cluster while the block runs; the folder with its address, secret and logs."""
    variables = {"NIGHTJAR_CLUSTER_HOME": str(folder)}
    state = folder / kind
    processes: list[int] = []
    try:
        tree.run([COMMAND, kind, "start"], tree.ROOT, variables)
        processes = [int(file.read_text().split("\n")[0]) for file in state.glob("*.pid")]
        yield state
    finally:
        tree.run([COMMAND, kind, "stop"], tree.ROOT, variables)
    assert len(processes) == {"spark": 3, "ray": 2}[kind]
    wait_until(lambda: not left_of(processes), f"processes of the {kind} cluster still run")


def lose(state: Path, name: str) -> None:
    """End one of a cluster's machines, or its head, with all its processes at once: none of them is asked to."""
    session = (state / f"{name}.pid").read_text().split("\n")[0]
    subprocess.run(["pkill", "-KILL", "--session", session], check=True)


def left_of(sessions: list[int]) -> list[str]:
    """What still runs of processes that were started as leaders of sessions, and of all their children."""
    chosen = ",".join(map(str, sessions))
    found = subprocess.run(["ps", "-o", "args=", "--sid", chosen], capture_output=True, text=True, check=False)
    return found.stdout.splitlines()


def address(state: Path) -> str:
    return (state / "address").read_text().strip()


def is_private(file: Path) -> bool:
    """Whether only this user can read a file."""
    return file.stat().st_mode & 0o077 == 0
