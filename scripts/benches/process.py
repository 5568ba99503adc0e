"""The side that gives commands: engines as processes, and how much memory they take."""

import json
import os
import select
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from cases import Case

HERE = Path(__file__).parent
SAMPLING = 0.5  # seconds between two looks at a working engine's processes


class EngineError(Exception):
    """An engine failed or ended; the text says what it said."""


@dataclass(frozen=True)
class Place:
    """Where engines run: `python` with their packages, `home` for logs and what they leave, `cores` they may use."""

    python: str
    home: Path
    cores: int


class Engine:
    """One engine's process. It lives from the first to the last command, so that what is warm stays warm."""

    def __init__(self, name: str, module: str, place: Place) -> None:
        self.name = name
        self.peak_memory_mb = 0.0
        (place.home / "logs").mkdir(parents=True, exist_ok=True)
        (place.home / "work").mkdir(exist_ok=True)
        self._log = place.home / "logs" / f"{name}.log"
        environment = {key: value for key, value in os.environ.items() if key not in ("SPARK_HOME", "SPARK_CONF_DIR")}
        environment |= {
            "TZ": "UTC",  # Feast reads instants in the zone of its process
            "SPARK_LOCAL_DIRS": str(place.home / "work"),
            "POLARS_MAX_THREADS": str(place.cores),
        }
        self._process = subprocess.Popen(  # noqa: S603  (our own worker, with the interpreter that the bench chose)
            [place.python, str(HERE / "worker.py"), module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log.open("w"),
            text=True,
            cwd=place.home / "work",
            env=environment,
        )

    def ask(self, command: str, case: Case, target: Path | None = None) -> dict[str, Any]:
        """Its answer to `prepare`, `consume` or `store`, with the `seconds` it took.

        Raises:
            EngineError: it could not.
        """
        request = {"do": command, "case": asdict(case), "target": str(target)}
        assert self._process.stdin and self._process.stdout  # noqa: S101, PT018  (Popen was asked for both)
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # it has ended: the empty answer below says so
        while not select.select([self._process.stdout], [], [], SAMPLING)[0]:
            self._look()
        self._look()
        line = self._process.stdout.readline()
        said = json.loads(line) if line else {"error": "the process ended"}
        if "error" in said:
            raise EngineError(f"{said['error']} (log: {self._log})")
        return said

    def _look(self) -> None:
        self.peak_memory_mb = max(self.peak_memory_mb, peak_memory_mb(self._process.pid))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin  # noqa: S101  (Popen was asked for it)
        self._process.stdin.close()
        try:
            self._process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self._process.kill()


def peak_memory_mb(pid: int) -> float:
    """The greatest resident memory so far of a process and of all that it started and that still run, added up."""
    folder = Path(f"/proc/{pid}")
    try:
        status = (folder / "status").read_text()
        children = [
            child for thread in (folder / "task").iterdir() for child in (thread / "children").read_text().split()
        ]
    except OSError:  # it has just ended, or this system has no /proc
        return 0.0
    own = sum(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:"))
    return own / 1024 + sum(peak_memory_mb(int(child)) for child in children)
