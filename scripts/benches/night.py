"""`scripts/bench night`: nights of flights, by this revision and by one before it.

    ours, before                a night in a process that has run others: ingest, features, score, monitor
    ours_STEP, before_STEP      one of its steps
    ours_cold, before_cold      a night in a process of its own

Both revisions load the same history and train on it, each in a warehouse of its own, and run the same nights in turn.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from busy import ROOT, checked_out, environment, require_revision
from measure import console

PROGRAM = Path(__file__).with_name("night_worker.py")
HISTORY, FIRST = date(2013, 9, 30), date(2013, 10, 1)
STEPS = ("ingest", "build_features", "score", "monitor")
WARM_UP = 2  # nights before the first that counts


class Nights:
    """A process that runs nights of one revision."""

    def __init__(self, root: Path, folder: Path, process: "subprocess.Popen[str]") -> None:
        self.root, self.folder, self.process = root, folder, process

    def run(self, run_date: date, *steps: str) -> dict[str, float]:
        """Seconds of a night, and of each of its steps.

        Raises:
            RuntimeError: it failed.
        """
        assert self.process.stdin and self.process.stdout  # noqa: S101, PT018  (Popen was asked for both)
        self.process.stdin.write(f"{run_date} {' '.join(steps)}\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the night of {run_date} failed in {self.root}: its traceback stands above")
        return dict(json.loads(answer))

    def run_alone(self, run_date: date) -> float:
        """Seconds of a night in a process of its own."""
        started = time.monotonic()
        program = [sys.executable, str(self.root / "jobs" / "nightly.py"), f"only=[{','.join(STEPS)}]"]
        subprocess.run(  # noqa: S603  (our own program)
            [*program, *overrides(self.folder, run_date)],
            check=True,
            cwd=self.root,  # whose configuration it takes
            env=environment(self.root / "lib"),
            stdout=subprocess.DEVNULL,
        )
        return time.monotonic() - started


def measured(repeats: int, before: str) -> dict[str, Any]:
    """The figures of `night`.

    Args:
        repeats: nights that count, warm ones and cold ones.
        before: the other revision, as Git names it.
    """
    seconds: dict[str, list[float]] = {}
    with ExitStack() as stack:
        other = stack.enter_context(checked_out(before))
        places = {"ours": ROOT, "before": other}
        revisions = {name: stack.enter_context(started(root)) for name, root in places.items()}
        for name, nights in revisions.items():
            nights.run(HISTORY, "ingest", "build_features", "train", "promote")
            console.print(f"{name}: history is loaded and trained on")
        for number in range(WARM_UP + repeats):
            run_date = FIRST + timedelta(days=number)
            for name, nights in revisions.items():
                steps = nights.run(run_date, *STEPS)
                console.print(f"{name}: {run_date} {', '.join(f'{step} {took:.1f} s' for step, took in steps.items())}")
                if number >= WARM_UP:
                    seconds.setdefault(name, []).append(steps["seconds"])
                    for step in STEPS:
                        seconds.setdefault(f"{name}_{step}", []).append(steps[step])
        for number in range(repeats):
            run_date = FIRST + timedelta(days=WARM_UP + repeats + number)
            for name, nights in revisions.items():
                seconds.setdefault(f"{name}_cold", []).append(nights.run_alone(run_date))
                console.print(f"{name}: {run_date} in a process of its own {seconds[f'{name}_cold'][-1]:.1f} s")
    return {"bench": "night", "rows": {"flights": 336_776}, "revision": before, **figures(seconds)}


def figures(seconds: dict[str, list[float]]) -> dict[str, Any]:
    """Medians, and their ratios."""
    medians = {name: median(took) for name, took in seconds.items()}
    kinds = [name.removeprefix("before") for name in medians if name.startswith("before")]
    return {
        "seconds": medians,
        "ratio": {f"before{kind}": medians[f"before{kind}"] / medians[f"ours{kind}"] for kind in kinds},
        "runs": seconds,
        "peak_memory_mb": {},
        "errors": {},
    }


@contextmanager
def started(root: Path) -> Iterator[Nights]:
    """A process of a revision, in a warehouse of its own, while the block runs.

    Raises:
        ValueError: another revision came to be imported.
    """
    with (
        tempfile.TemporaryDirectory(prefix="nightjar-nights-") as name,
        subprocess.Popen(  # noqa: S603  (our own program)
            [sys.executable, "-P", str(PROGRAM), *overrides(Path(name), HISTORY)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment(root / "lib"),
        ) as process,
    ):
        assert process.stdin and process.stdout  # noqa: S101, PT018  (Popen was asked for both)
        require_revision(process.stdout.readline(), root)
        yield Nights(root, Path(name), process)
        process.stdin.close()


def overrides(folder: Path, run_date: date) -> list[str]:
    """Settings of a night whose warehouse lies in a folder, and whose training is short."""
    places = [f"environment.warehouse={folder / 'warehouse'}", f"environment.home={folder / 'home'}"]
    return ["project=flights", "search=quick", "~search.candidates.network", f"run_date={run_date}", *places]
