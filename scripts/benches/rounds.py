"""Engines of a kind whose runs give an array: each a process of its own, which keeps its data from run to run."""

import json
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np


class Worker:
    """A process of an engine. It runs once for each line that it gets, and leaves what it computed in a file."""

    def __init__(self, process: "subprocess.Popen[str]", target: Path) -> None:
        self.process, self.target = process, target

    def run(self) -> tuple[float, np.ndarray]:
        """Seconds and values of a run.

        Raises:
            RuntimeError: it failed.
        """
        assert self.process.stdin and self.process.stdout  # noqa: S101, PT018  (Popen was asked for both)
        self.process.stdin.write("run\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"{self.target.stem} failed: its traceback stands above")
        return float(json.loads(answer)["seconds"]), np.load(self.target)


@contextmanager
def started(
    python: str, program: Path, arguments: Sequence[str], target: Path, env: dict[str, str]
) -> Iterator[Worker]:
    """The worker of a program of ours, which gets the arguments and the file for its values."""
    with subprocess.Popen(  # noqa: S603  (our own program)
        [python, str(program), *arguments, str(target)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=env,
    ) as process:
        yield Worker(process, target)
