"""`scripts/bench latest`: `scores_latest` brought up to nights of 3M entities, each time in a process of its own.

    ours_first      the first night: all rows come
    ours_night      the next one: each entity has another prediction
    ours_rerun      the same again: one in a hundred has another score
    ours_retracted  it is served no more: each entity has its prediction of the first night back

With --before REV also `before_...`, which has to leave the same rows.
"""

import json
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

from busy import ROOT, checked_out, environment
from measure import console

PROGRAM = Path(__file__).with_name("latest_worker.py")
STEPS = {"first": "night", "night": "night", "rerun": "rerun", "retracted": "retract"}
"""Name of a refresh -> what has happened to `scores` before it."""


def measured(home: Path, rows: int, repeats: int, before: str | None) -> dict[str, Any]:
    """The figures of `latest`.

    Args:
        home: in which the tables are stored, while it measures.
        rows: of a night.
        repeats: rounds; each begins with no table.
        before: the revision that ours is compared with; None: none is.
    """
    runs: dict[str, list[dict[str, Any]]] = {}
    errors: dict[str, str] = {}
    with ExitStack() as stack:
        roots = {"ours": ROOT} | ({} if before is None else {"before": stack.enter_context(checked_out(before))})
        for _ in range(repeats):
            for name, root in roots.items():
                with tempfile.TemporaryDirectory(prefix="latest-", dir=home) as folder:
                    for step, happens in STEPS.items():
                        _run(root, folder, rows, happens)
                        took = json.loads(_run(root, folder, rows, "refresh"))
                        runs.setdefault(f"{name}_{step}", []).append(took)
                        times = f"{took['seconds']:.2f} s, {took['cpu_seconds']:.2f} of processors"
                        console.print(f"{name}_{step}: {times}, {took['peak'] / 2**20:,.0f} MB")
    for step in STEPS if before is not None else ():
        ours, theirs = (_contents(runs[f"{name}_{step}"][0]) for name in roots)
        if ours != theirs:
            errors[f"before_{step}"] = f"it leaves {theirs}, and ours {ours}"
    seconds = {name: median(one["seconds"] for one in took) for name, took in runs.items()}
    return {
        "bench": "latest",
        "rows": {"rows": rows},
        "revision": before,
        "seconds": seconds,
        "cpu_seconds": {name: median(one["cpu_seconds"] for one in took) for name, took in runs.items()},
        "ratio": {f"before_{step}": seconds[f"before_{step}"] / seconds[f"ours_{step}"] for step in STEPS if before},
        "runs": {name: [one["seconds"] for one in took] for name, took in runs.items()},
        "peak_memory_mb": {name: round(max(one["peak"] for one in took) / 2**20) for name, took in runs.items()},
        "errors": errors,
    }


def _contents(took: dict[str, Any]) -> tuple[Any, ...]:
    return took["changes"], took["total"]


def _run(root: Path, folder: str, rows: int, step: str) -> str:
    process = subprocess.run(  # noqa: S603  (our own program)
        [sys.executable, "-P", str(PROGRAM), folder, str(rows), step],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        env=environment(root / "lib", PROGRAM.parent),
    )
    return process.stdout
