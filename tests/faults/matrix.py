"""The whole matrix: every step of the night, every commit of it, every moment, every process that can be killed.

    PYTHONPATH=lib:tests python -m faults.matrix --folder faults --steps score monitor --victims driver

For each cell a step of an undisturbed night is run again on a copy of what stood before it, and one process is killed.
Then the nightly is run until it succeeds, and every table must equal that of the undisturbed night, row for row. The
table of all cells is printed, and with --json written to a file. Exit code 1: a cell differs.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from deltalake import DeltaTable

from system import tree

STEPS = ("ingest", "build_features", "train", "promote", "score", "monitor")
VICTIMS = ("driver", "worker", "jvm")
MOMENTS = ("before", "during", "after")
LEDGERS = {"runs", "leases", "beats", "intake", "alerts", "notifications"}
"""Not compared row for row: they tell of dead runs, too. Of `runs` and `leases` see `problems_of_ledgers`."""
VOLATILE = {"run_id", "event_id", "recorded_at", "changed_at", "alert_id", "model_version", "evidence"}
"""Columns that differ from run to run; a training that died may have used up a version's number."""
JOB = ("project=machines", "search=tiny", "environment=quick", "retries.wait=0.1")
LIMIT = 600


@dataclass(frozen=True)
class Cell:
    """A kill."""

    step: str
    table: str
    nth: int
    moment: str
    victim: str


@dataclass(frozen=True)
class Result:
    """What came of it.

    Attributes:
        cell: the kill.
        struck: whether there was somebody to kill.
        exits: exit codes of the disturbed run and of the reruns until one succeeded.
        differing: tables whose rows are not those of the undisturbed night, and what else is wrong.
        seconds: of it all.
    """

    cell: Cell
    struck: bool
    exits: tuple[int, ...]
    differing: tuple[str, ...]
    seconds: float

    @property
    def is_well(self) -> bool:
        """Whether all is as it should be."""
        return not self.differing and self.exits[-1] == 0


class Ground:
    """Copies of a small checkout: before and after each step of an undisturbed night.

    Attributes:
        folder: where they lie.
        tree: a small checkout as the tests build one, whose last night is run again: it does not train, and what stands
            before and after each of its steps is the same; None: one is built, and its champion taken away, so that
            the next night trains.
        steps: of the night.
        night: its run date.
    """

    def __init__(self, folder: Path, given: Path | None = None) -> None:
        self.folder = folder
        self.tree = folder / "tree" if given is None else given
        self.is_given = given is not None
        self.steps = [step for step in STEPS if not (self.is_given and step in ("train", "promote"))]
        self.night = tree.NIGHT if self.is_given else tree.NEXT

    def prepare(self, steps: list[str]) -> None:
        """Run the undisturbed night, step by step, and keep what stands before and after each, and its commits."""
        if (self.folder / "complete").exists():
            return
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        if not self.is_given:
            self.tree.mkdir()
            tree._build(self.tree, None)
            DeltaTable(self.tree / "warehouse" / "machines" / "model_events").delete()  # so that the night trains
        base = self._checkout(self.folder / "base", self.tree)
        for step in self.steps:
            if self.is_given and step not in steps:
                continue
            self._keep(base, f"before-{step}")
            record = self.folder / f"commits-{step}"
            code, said = run(base, {"record": str(record)}, f"run_date={self.night}", f"only=[{step}]")
            assert code == 0, said
        self._keep(base, "after-monitor")
        (self.folder / "complete").touch()

    def _keep(self, base: Path, name: str) -> None:
        if not self.is_given:
            for part in ("warehouse", ".nightjar"):
                shutil.copytree(base / part, self.folder / name / part)

    def before(self, step: str) -> Path:
        """What stands before a step."""
        return self.folder / ("base" if self.is_given else f"before-{step}")

    def after(self, step: str) -> Path:
        """What stands after it."""
        if self.is_given:
            return self.folder / "base"
        if step == self.steps[-1]:
            return self.folder / "after-monitor"
        return self.folder / f"before-{self.steps[self.steps.index(step) + 1]}"

    def commits(self, step: str) -> list[tuple[str, int]]:
        """The commits of a step: table, and how many of it there have been."""
        counts: Counter[str] = Counter()
        commits = []
        for table in (self.folder / f"commits-{step}").read_text().split():
            counts[table] += 1
            if table != "beats":  # signs of life come by the clock
                commits.append((table, counts[table]))
        return commits

    def copy(self, step: str, to: Path) -> Path:
        """A checkout as it stands before a step."""
        return self._checkout(to, self.before(step))

    def _checkout(self, to: Path, standing: Path) -> Path:
        """Code, configuration and data of the tree, whose paths stay as they are, and tables that stand elsewhere."""
        shutil.rmtree(to, ignore_errors=True)
        to.mkdir(parents=True)
        for part in ("jobs", "conf", "lib", "cluster", "data"):
            (to / part).symlink_to(self.tree / part)
        for part in ("warehouse", ".nightjar"):
            shutil.copytree(standing / part, to / part)
        return to


def run(checkout: Path, spec: dict, *settings: str) -> tuple[int, str]:
    """A nightly in a process of its own; its exit code and all that it said."""
    command = [sys.executable, "-m", "faults.killing", json.dumps(spec), "jobs/nightly.py", *JOB, *settings]
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("SPARK_", "RAY_"))}
    variables |= {"PYTHONPATH": f"{tree.ROOT / 'lib'}:{tree.ROOT / 'tests'}"}
    done = subprocess.run(
        command, cwd=checkout, env=variables, capture_output=True, text=True, timeout=LIMIT, check=False
    )
    return done.returncode, done.stdout + done.stderr


def rows(checkout: Path, table: str) -> list[str]:
    """The rows of a table, in one order, without what differs from run to run."""
    whole = DeltaTable(checkout / "warehouse" / "machines" / table).to_pyarrow_table()
    names = [name for name in whole.column_names if name not in VOLATILE]
    return sorted(map(repr, whole.select(names).to_pylist()))


def tables(checkout: Path) -> list[str]:
    folder = checkout / "warehouse" / "machines"
    return sorted(one.name for one in folder.iterdir() if DeltaTable.is_deltatable(str(one)))


def differing(checkout: Path, ground: Ground, step: str) -> Iterator[str]:
    """The tables that are not as after an undisturbed step, and what is wrong in the ledgers."""
    undisturbed = ground.after(step)
    names = set(tables(undisturbed)) | set(tables(checkout))
    for table in sorted(names - LEDGERS):
        sides = [rows(one, table) if table in tables(one) else [] for one in (checkout, undisturbed)]
        if table in ("references", "model_events") and step == "train":
            # A version whose training died has left histograms, or is registered beside the one of the next run.
            sides = [sorted(set(side)) for side in sides]
        if sides[0] != sides[1]:
            yield f"{table}: {len(sides[0])} rows, undisturbed {len(sides[1])}"
    yield from problems_of_ledgers(checkout, ground.night, step)


def problems_of_ledgers(checkout: Path, night: str, step: str) -> Iterator[str]:
    """Whether a run is recorded as done, and no lease is left."""
    folder = checkout / "warehouse" / "machines"
    recorded = DeltaTable(folder / "runs").to_pyarrow_table().to_pylist()
    done = [row for row in recorded if (row["job"], str(row["run_date"])) == (step, night)]
    if [row["status"] for row in sorted(done, key=lambda row: row["started_at"])][-1:] != ["done"]:
        yield f"runs: {step} is not done"
    active = [row["resource"] for row in DeltaTable(folder / "leases").to_pyarrow_table().to_pylist()]
    released = DeltaTable(folder / "leases").to_pyarrow_table()["released_at"].null_count
    if released:
        yield f"leases: {released} of {len(active)} are held"


def attack(ground: Ground, cell: Cell, work: Path) -> Result:
    """Kill once, run again until it succeeds, and compare."""
    started = time.monotonic()
    checkout = ground.copy(cell.step, work)
    marker = checkout / "marker"
    spec = asdict(cell) | {"warehouse": str(checkout / "warehouse" / "machines"), "marker": str(marker)}
    settings = (f"run_date={ground.night}", f"only=[{cell.step}]")
    code, said = run(checkout, spec, *settings)
    exits = [code]
    while exits[-1] != 0 and len(exits) < 3:
        code, said = run(checkout, {}, *settings)
        exits.append(code)
    found = tuple(differing(checkout, ground, cell.step))
    if found or exits[-1]:
        (work.parent / f"{'-'.join(map(str, asdict(cell).values()))}.log").write_text(said)
    return Result(cell, marker.exists(), tuple(exits), found, time.monotonic() - started)


def cells(ground: Ground, options: argparse.Namespace) -> list[Cell]:
    """The chosen part of the matrix; moments and victims change fastest."""
    return [
        Cell(step, table, nth, moment, victim)
        for step in ground.steps
        if step in options.steps
        for table, nth in ground.commits(step)
        if not options.tables or table in options.tables
        for victim in options.victims
        for moment in options.moments
        if table not in ("runs", "leases") or options.ledgers
    ]


def line(result: Result) -> str:
    """A row of the table."""
    cell = result.cell
    how = "as undisturbed" if result.is_well else "; ".join(result.differing) or "never succeeds"
    exits, struck = " ".join(map(str, result.exits)), "" if result.struck else " (nobody to kill)"
    where = f"{cell.table} {cell.nth}"
    return f"| {cell.step} | {where} | {cell.victim} | {cell.moment}{struck} | {exits} | {how} | {result.seconds:.0f} |"


def show(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main(arguments: list[str] | None = None) -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path("faults"), help="where it works")
    parser.add_argument(
        "--tree", type=Path, help="a small checkout whose champion holds: train and promote are left out"
    )
    parser.add_argument("--steps", nargs="+", choices=STEPS, default=list(STEPS))
    parser.add_argument("--victims", nargs="+", choices=VICTIMS, default=list(VICTIMS))
    parser.add_argument("--moments", nargs="+", choices=MOMENTS, default=list(MOMENTS))
    parser.add_argument("--tables", nargs="+", default=[], help="only commits of these")
    parser.add_argument("--ledgers", action="store_true", help="also commits of runs and leases")
    parser.add_argument("--minutes", type=float, default=1e9, help="begin no further cell after that")
    parser.add_argument("--json", type=Path, help="file for the results, a line each")
    options = parser.parse_args(arguments)
    options.folder, options.tree = options.folder.absolute(), options.tree and options.tree.absolute()
    ground, deadline = Ground(options.folder / "ground", options.tree), time.monotonic() + 60 * options.minutes
    ground.prepare(options.steps)
    results = []
    show("| step | commit | killed | moment | exit codes | tables after the rerun | s |")
    show("|---|---|---|---|---|---|---|")
    for cell in cells(ground, options):
        if time.monotonic() > deadline:
            show(f"(out of time: {len(cells(ground, options)) - len(results)} cells were not run)")
            break
        results.append(attack(ground, cell, options.folder / "work"))
        show(line(results[-1]))
        if options.json:
            with options.json.open("a") as stream:
                stream.write(json.dumps(asdict(results[-1])) + "\n")
    wrong = [result for result in results if not result.is_well]
    show(f"{len(results)} cells, {len(wrong)} of them not as undisturbed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
