"""An engine of the bench `score` as a process: it scores a night for each line that it gets."""

import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import numpy as np


class Engine:
    """A process that leaves the scores of each run in a file."""

    def __init__(self, process: "subprocess.Popen[str]", target: Path) -> None:
        self.process, self.target = process, target

    @classmethod
    @contextmanager
    def started(cls, command: Sequence[str], target: Path, env: Mapping[str, str]) -> Iterator[Self]:
        """The engine of a program of ours, which gets the file for its scores as its last argument."""
        with (
            target.with_suffix(".log").open("w") as log,
            subprocess.Popen(  # noqa: S603  (our own program)
                [*command, str(target)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=env,
            ) as process,
        ):
            yield cls(process, target)
            assert process.stdin  # noqa: S101  (Popen was asked for it)
            process.stdin.close()

    def run(self, line: str) -> tuple[dict[str, float], np.ndarray]:
        """What a run took, `seconds` and `cpu_seconds`, and its scores.

        Raises:
            RuntimeError: it failed.
        """
        assert self.process.stdin and self.process.stdout  # noqa: S101, PT018  (Popen was asked for both)
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"{self.target.stem} failed: see {self.target.with_suffix('.log')}")
        return dict(json.loads(answer)), np.load(self.target)
