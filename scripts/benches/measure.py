"""The measurement: results compared first, then engines in turn, round by round."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import pyarrow as pa
from cases import Case
from compare import difference, read
from process import Engine, EngineError
from rich.console import Console

console = Console(stderr=True)
WARM_UP = 10  # seconds of work before an engine's times count


@dataclass
class Times:
    """Seconds of one engine's repetitions."""

    consumed: list[float] = field(default_factory=list)
    stored: list[float] = field(default_factory=list)

    @property
    def median_consumed(self) -> float:
        return median(self.consumed)

    @property
    def median_stored(self) -> float:
        return median(self.stored)


@dataclass(frozen=True)
class Run:
    """An engine and what it is asked; it is prepared for it."""

    engine: Engine
    case: Case


@dataclass
class Measured:
    """What a measurement found: times of the runs that went well, and why the others have none."""

    times: dict[str, Times] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)


def compared(runs: Mapping[str, Run], repeats: int, results: Path) -> Measured:
    """Times of engines that answer one case. The first one's result is what the others' have to equal."""
    errors: dict[str, str] = {}
    right = warm_up(runs, results, errors)
    return rounds({name: runs[name] for name in right}, repeats, results, errors)


def rounds(runs: Mapping[str, Run], repeats: int, results: Path, errors: dict[str, str]) -> Measured:
    """All runs in turn, and again; one that fails is left out from then on."""
    measured = Measured({name: Times() for name in runs}, errors)
    for repetition in range(1, repeats + 1):
        for name in list(measured.times):
            try:
                consumed, stored = once(runs[name], results)
            except EngineError as error:
                errors[name] = str(error)
                del measured.times[name]
                continue
            measured.times[name].consumed.append(consumed)
            measured.times[name].stored.append(stored)
            console.print(f"round {repetition} of {repeats}: {name} consumed {consumed:.2f} s, stored {stored:.2f} s")
    return measured


def once(run: Run, results: Path) -> tuple[float, float]:
    """Seconds to consume and to store the result, which is then thrown away.

    Raises:
        EngineError: it could not.
    """
    consumed = float(run.engine.ask("consume", run.case)["seconds"])
    target = _fresh(results / run.engine.name)
    stored = float(run.engine.ask("store", run.case, target)["seconds"])
    shutil.rmtree(target)
    return consumed, stored


def warm_up(runs: Mapping[str, Run], results: Path, errors: dict[str, str]) -> list[str]:
    """The runs whose result is right, each after untimed rounds; the others' differences go to `errors`."""
    right: list[str] = []
    expected: pa.Table | None = None
    for name, run in runs.items():
        target = _fresh(results / name)
        try:
            stored = run.engine.ask("store", run.case, target)
            found = read(stored.get("path", str(target)), run.case)
            expected = found if expected is None else expected
            problem = difference(expected, found, run.case)
            shutil.rmtree(target)
            rounds = 0 if problem else _warmed(run, results, float(stored["seconds"]))
        except (EngineError, ValueError) as error:
            errors[name] = str(error)
            console.print(f"[red]{name}: {error}")
            continue
        if problem is not None:
            errors[name] = f"its result differs from that of {right[0]}: {problem}"
            console.print(f"[red]{name}: {errors[name]}")
            continue
        right.append(name)
        console.print(f"warm-up: {name} is right, {len(found):,} rows; {rounds} rounds before its times count")
    return right


def _warmed(run: Run, results: Path, worked: float) -> int:
    """Let an engine that has worked for so many seconds work for at least ten, in whole rounds; how many these were.

    Java compiles what has run often: engines of short rounds would be measured while that goes on, others after it.
    """
    rounds = 0
    while not rounds or worked < WARM_UP:
        worked += sum(once(run, results))
        rounds += 1
    return rounds


def _fresh(target: Path) -> Path:
    """A path where nothing is, in a folder that is there."""
    shutil.rmtree(target, ignore_errors=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    return target
