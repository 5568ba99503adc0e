"""`scripts/bench busy`: a training's fits beside other work, by this revision and by one before it.

    ours, before               final period and refit, what the driver fits by itself, beside two processes that burn a
                               processor each
    ours_idle, before_idle     the same alone; its ratio is of processor seconds, which spinning threads waste
    ours_search, before_search a search by Ray's workers, beside the two again

Both revisions run on the same two processors, in the same environment, on the same rows, and have to find the same. A
run of the one before is cut at ten times ours: its ratio is then a lower bound, and `cut` names it.
"""

import json
import os
import select
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from measure import console

import nightjar

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(__file__).with_name("busy_training.py")
PROCESSORS = 2  # that both the training and the burners have
CUT = 10  # times ours
BURNER = """
import os
bench = os.getppid()
while os.getppid() == bench:
    pass
"""

Took = dict[str, Any]
"""What one run says: `seconds`, `cpu_seconds`, what it `found`; without the last two it was cut."""


def measured(rows: int, columns: int, repeats: int, before: str) -> dict[str, Any]:
    """The figures of `busy`.

    Args:
        rows: of the made-up data.
        columns: of the made-up data.
        repeats: rounds; in each both revisions run once, one after the other. One round only of the search.
        before: the other revision, as Git names it.
    """
    everywhere = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(everywhere)[:PROCESSORS])  # for all processes that are started from here
    size = [str(rows), str(columns)]
    runs: dict[str, list[Took]] = {}
    try:
        with checked_out(before) as other, processors_burnt():
            for _ in range(repeats):
                both(runs, "", other, ["final", *size])
            both(runs, "_search", other, ["search", *size])
        with checked_out(before) as other:
            for _ in range(repeats):
                both(runs, "_idle", other, ["final", *size])
    finally:
        os.sched_setaffinity(0, everywhere)
    return {"bench": "busy", "rows": {"rows": rows, "columns": columns}, "revision": before, **figures(runs)}


def figures(runs: dict[str, list[Took]]) -> dict[str, Any]:
    """Medians, and their ratios."""
    seconds = {name: median(one["seconds"] for one in took) for name, took in runs.items()}
    processor = {name: [one["cpu_seconds"] for one in took if "found" in one] for name, took in runs.items()}
    cpu_seconds = {name: median(took) for name, took in processor.items() if took}
    cut = {name: sum("found" not in one for one in took) for name, took in runs.items()}
    return {
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
        "ratio": {
            "before": seconds["before"] / seconds["ours"],
            "before_idle": cpu_seconds["before_idle"] / cpu_seconds["ours_idle"],
            "before_search": seconds["before_search"] / seconds["ours_search"],
        },
        "cut": {name: times for name, times in cut.items() if times},
        "runs": {name: [one["seconds"] for one in took] for name, took in runs.items()},
        "peak_memory_mb": {},
        "errors": {},
    }


def both(runs: dict[str, list[Took]], condition: str, other: Path, arguments: list[str]) -> None:
    """One run of ours, one of the other revision in its folder, added to the runs of the condition.

    Raises:
        ValueError: they do not find the same.
    """
    ours = run(ROOT, arguments, None)
    before = run(other, arguments, CUT * ours["seconds"])
    if before.get("found", ours["found"]) != ours["found"]:
        raise ValueError(f"{arguments[0]}: found {ours['found']}, but {before['found']} by the revision before")
    for name, took in (("ours", ours), ("before", before)):
        runs.setdefault(name + condition, []).append(took)
        end = "" if "found" in took else ", and was cut"
        console.print(f"{name}{condition} took {took['seconds']:.1f} s{end}")


def run(root: Path, arguments: list[str], limit: float | None) -> Took:
    """What a run by the revision in a folder took; with a limit in seconds, that long at most.

    Raises:
        ValueError: another revision came to be imported.
        RuntimeError: it failed.
    """
    with subprocess.Popen(  # noqa: S603  (our own program)
        [sys.executable, "-P", str(PROGRAM), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment(root / "lib", root / "scripts" / "benches"),
    ) as process:
        assert process.stdin and process.stdout  # noqa: S101, PT018  (Popen was asked for both)
        require_revision(process.stdout.readline(), root)
        process.stdin.close()  # the word to begin
        if not select.select([process.stdout], [], [], limit)[0]:
            process.kill()
            return {"seconds": limit}
        said = process.stdout.readline()
    if not said:
        raise RuntimeError(f"{' '.join(arguments)} failed in {root}: its traceback stands above")
    return dict(json.loads(said))


def environment(*folders: Path) -> dict[str, str]:
    """The environment of a process that imports from some folders, and takes as many threads as it likes."""
    own = {name: value for name, value in os.environ.items() if name not in nightjar.THREADS}
    return own | {"PYTHONPATH": os.pathsep.join(map(str, folders))}


def require_revision(line: str, root: Path) -> None:
    """Make sure that a process, by the first line that it says, has imported the revision in a folder.

    Raises:
        ValueError: it has imported another.
    """
    ready = json.loads(line or "{}")
    if ready and ready["lib"] != str(root / "lib"):
        raise ValueError(f"{ready['lib']} was imported, not {root / 'lib'}")


@contextmanager
def processors_burnt() -> Iterator[None]:
    """Two processes compute while the block runs, and this one."""
    burners = [subprocess.Popen([sys.executable, "-c", BURNER]) for _ in range(PROCESSORS)]  # noqa: S603  (ours)
    try:
        yield
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()


@contextmanager
def checked_out(revision: str) -> Iterator[Path]:
    """A folder with the files of a revision while the block runs.

    Raises:
        subprocess.CalledProcessError: Git knows no such revision; it has said so.
    """
    with tempfile.TemporaryDirectory(prefix="nightjar-bench-") as folder:
        place = Path(folder) / "before"
        git = ["git", "-C", str(ROOT), "worktree"]
        subprocess.run([*git, "add", "--quiet", "--detach", str(place), revision], check=True)  # noqa: S603
        try:
            yield place
        finally:
            subprocess.run([*git, "remove", "--force", str(place)], check=True)  # noqa: S603
