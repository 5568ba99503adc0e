"""Thirty old dates are filled in while tonight runs: both complete, and no row is lost or doubled.

    PYTHONPATH=lib:tests python -m faults.backfill --folder faults

The tiny project with seven weeks of history and two nights. On one copy of it the backfill runs alone, then tonight; on
another both at once. Every table must hold the same rows, but for what tonight says of nights that were filled in: it
judges those that it finds scored.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from datetime import date
from functools import partial
from pathlib import Path

from deltalake import DeltaTable

import builders
from faults.matrix import LEDGERS, VOLATILE, rows, show, tables
from system import tree

FIRST, OLD, TONIGHT = date(2024, 2, 10), "2024-03-01..2024-03-30", tree.NEXT
LIMIT = 4 * 3600
"""Seconds: on two processors that others use, too, both at once have taken 72 minutes."""


def build(folder: Path) -> Path:
    """A small checkout with a longer history than the tests', after its first two nights."""
    base = folder / "backfill"
    if not (base / "complete").exists():
        shutil.rmtree(base, ignore_errors=True)
        base.mkdir(parents=True)
        builders.FIRST, builders.days = FIRST, partial(builders.days, first=FIRST)
        tree._build(base, None)
        (base / "complete").touch()
    return base


def copy(base: Path, to: Path) -> Path:
    shutil.rmtree(to, ignore_errors=True)
    to.mkdir(parents=True)
    for part in ("jobs", "conf", "lib", "cluster", "data"):
        (to / part).symlink_to(base / part)
    for part in ("warehouse", ".nightjar"):
        shutil.copytree(base / part, to / part)
    return to


def start(checkout: Path, dates: str, *settings: str) -> subprocess.Popen:
    """A nightly of the dates as a process, its log beside the checkout."""
    command = [
        "jobs/nightly.py",
        "project=machines",
        "search=tiny",
        "environment=quick",
        f"run_date={dates}",
    ]
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("SPARK_", "RAY_"))}
    variables |= {"PYTHONPATH": str(tree.ROOT / "lib")}
    log = (checkout / f"{dates}.log").open("w")
    return subprocess.Popen([sys.executable, *command, *settings], cwd=checkout, env=variables, stdout=log, stderr=log)


def comparable(checkout: Path, table: str) -> list[str]:
    """The rows of a table; without what tonight says of nights that were filled in."""
    if table not in ("performance", "signals", "verdicts"):
        return rows(checkout, table)
    whole = DeltaTable(checkout / "warehouse" / "machines" / table).to_pyarrow_table().to_pylist()
    kept = [
        row for row in whole if str(row["run_date"]) != TONIGHT or str(row.get("evaluated_date", "")) >= "2024-03-31"
    ]
    return sorted(repr({name: row[name] for name in row if name not in VOLATILE}) for row in kept)


def main() -> int:
    """Run it; exit code 1: something differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path("faults"), help="where it works")
    parser.add_argument(
        "--tree", type=Path, help="a small checkout as the tests build one, instead of a longer history"
    )
    parser.add_argument("--dates", default=OLD, help="the old dates")
    parser.add_argument("--only", help="steps of the old dates, such as only=[ingest,build_features]")
    options = parser.parse_args()
    folder, old = options.folder.absolute(), (options.dates, *([options.only] if options.only else []))
    base = build(folder) if options.tree is None else options.tree.absolute()
    both = copy(base, folder / "both")
    begun = time.monotonic()
    processes = [start(both, *old), start(both, TONIGHT)]
    codes = [process.wait(LIMIT) for process in processes]
    show(f"both at once: exit codes {codes}, {time.monotonic() - begun:.0f} s")
    alone, begun = copy(base, folder / "alone"), time.monotonic()
    codes += [start(alone, *dates).wait(LIMIT) for dates in (old, (TONIGHT,))]
    show(f"one after the other: exit codes {codes[2:]}, {time.monotonic() - begun:.0f} s")
    names = sorted({*tables(both), *tables(alone)} - LEDGERS)
    wrong = [name for name in names if comparable(both, name) != comparable(alone, name)]
    for name in names:
        show(f"{name}: {len(comparable(both, name))} rows, {'differ' if name in wrong else 'the same'}")
    return 1 if wrong or any(codes) else 0


if __name__ == "__main__":
    sys.exit(main())
