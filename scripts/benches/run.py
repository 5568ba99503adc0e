"""The program behind scripts/bench: joins, searches, judging, explaining, scoring; ours and the peers'."""

import argparse
import os
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import nightjar  # noqa: F401  (before any library that starts threads: it says how they wait)

# isort: split
import busy
import data
import drifting
import explaining
import ingesting
import judging
import night
import outcome
import refreshing
import reviewing
import scale
import score_engines
import searching
import slicing
from cases import WINDOWS, Case
from measure import Run, compared, console
from process import Engine, EngineError, Place

ROOT = Path(__file__).resolve().parents[2]
HOME = ROOT / ".nightjar" / "bench"
PEERS = {
    "asof": ("feast", "tempo", "spark_union", "duckdb", "polars"),
    "windows": ("spark_range", "duckdb"),
    "scale": (),
    "search": (),
    "busy": (),
    "night": (),
    "ingest": ("spark_copy", "duckdb"),
    "judge": (),
    "drift": ("evidently", "nannyml", "duckdb"),
    "slices": ("sliceline",),
    "explain": (),
    "review": (),
    "score": ("spark_udf", "sklearn", "lightgbm"),
    "latest": (),
}
IN_PROCESS = {"duckdb", "polars"}  # they give memory back
# Feast joins every fact with every later spine row of its entity: half a million with a million is too much for anyone.
HOPELESS = {"hot": {"feast"}}
DEFAULT_ROWS = {"asof": (1_000_000, 2_000_000), "windows": (1_000_000, 2_000_000), "scale": (500_000, 1_000_000)}
DEFAULT_ROWS["ingest"] = (5_000_000, 5_000_000)
DEFAULT_ROWS["judge"] = DEFAULT_ROWS["slices"] = DEFAULT_ROWS["drift"] = (1_000_000, 1_000_000)
DEFAULT_ROWS["explain"] = DEFAULT_ROWS["review"] = (10_000, 10_000)
DEFAULT_ROWS["score"] = DEFAULT_ROWS["latest"] = (3_000_000, 3_000_000)
TRAINING = (100_000, 30)  # rows and columns of `search` and `busy`


def main(arguments: list[str]) -> int:
    """Run the bench; 1 if an engine failed or was wrong."""
    asked = parse(arguments)
    load = os.getloadavg()
    told = {"machine": {"cores": asked.cores, "memory_gb": asked.memory, "load_before": load}}
    shape = data.Shape(asked.shape, asked.spine, asked.facts, asked.per_entity)
    benches: dict[str, Callable[[], dict[str, Any]]] = {
        "search": lambda: searching.measured(*TRAINING, asked.repeats, asked.cores),
        "busy": lambda: busy.measured(*TRAINING, asked.repeats, asked.before),
        "night": lambda: night.measured(asked.repeats, asked.before),
        "judge": lambda: judging.measured(asked.spine, asked.repeats),
        "drift": lambda: drifting.measured(
            place("peers", asked), asked.names, asked.spine, asked.repeats, HOME / "data"
        ),
        "slices": lambda: slicing.measured(place("sliceline", asked), asked.spine, asked.repeats),
        "explain": lambda: explaining.measured(asked.spine, asked.repeats, place("shap", asked).python),
        "review": lambda: reviewing.measured(asked.spine, asked.repeats),
        "score": lambda: score_engines.measured(
            HOME, asked.spine, asked.repeats, asked.cores, asked.before, asked.names
        ),
        "latest": lambda: refreshing.measured(HOME, asked.spine, asked.repeats, asked.before),
        "ingest": lambda: ingesting.measured(HOME, place("duckdb", asked), asked.names, asked.facts, asked.repeats),
        "scale": lambda: scale.measured(shape, HOME, place("ours", asked), asked.memory, asked.repeats),
    }
    found = benches.get(asked.bench, lambda: compare_engines(asked, shape))()
    outcome.write(found | told, asked.json)
    outcome.show(found)
    return 1 if found["errors"] else 0


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("bench", choices=PEERS)
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to write the figures")
    parser.add_argument(
        "--spine",
        type=int,
        metavar="ROWS",
        help="rows of the spine; of 1x for scale; judged, explained, reviewed, scored; not for search, busy, night",
    )
    parser.add_argument("--facts", type=int, metavar="ROWS", help="rows of each of the three fact tables")
    parser.add_argument("--per-entity", type=int, default=20, metavar="N", help="facts of an entity in each table")
    parser.add_argument("--shape", choices=data.KINDS, default="one", help="one key, three keys, or a hot entity")
    parser.add_argument("--repeats", type=int, default=5, metavar="N")
    parser.add_argument("--only", metavar="NAME,...", help="these engines: ours, or peers")
    parser.add_argument("--cores", type=int, default=len(os.sched_getaffinity(0)), metavar="N")
    parser.add_argument("--before", metavar="REV", help="for busy, night, score, latest: the revision to compare with")
    parser.add_argument("--memory", type=int, metavar="GB", help="that each engine may plan with; default: at most 8")
    asked = parser.parse_args(arguments)
    spine, facts = DEFAULT_ROWS.get(asked.bench, TRAINING)
    asked.spine = spine if asked.spine is None else asked.spine
    asked.facts = facts if asked.facts is None else asked.facts
    known = ["ours", *PEERS[asked.bench]]
    asked.names = asked.only.split(",") if asked.only else [n for n in known if n not in HOPELESS.get(asked.shape, ())]
    if unknown := sorted(set(asked.names) - set(known)):
        parser.error(f"--only: {', '.join(unknown)} is not an engine of {asked.bench}; they are {', '.join(known)}")
    asked.memory = fair_memory_gb(asked.names) if asked.memory is None else asked.memory
    if min(asked.spine, asked.facts, asked.per_entity, asked.repeats, asked.cores, asked.memory) < 1:
        parser.error("every number has to be at least 1")
    if asked.bench == "scale" and asked.shape != "one":
        parser.error("--shape is for the other benches: scale measures one key, and a hot entity beside it")
    if asked.bench in ("busy", "night") and asked.before is None:
        parser.error("busy and night compare with a revision of this repository: --before REV")
    if asked.before is not None and asked.bench not in ("busy", "night", "score", "latest"):
        parser.error("--before is for busy, night, score and latest")
    return asked


def fair_memory_gb(names: list[str]) -> int:
    """What each engine may plan with, so that all fit at once: a warm Java keeps the memory that it has once taken."""
    machine_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return max(1, min(8, int(0.75 * machine_gb / len(set(names) - IN_PROCESS or {"ours"}))))


def place(name: str, asked: argparse.Namespace) -> Place:
    folder = "drift-venv" if asked.bench == "drift" else "venv"
    python = sys.executable if name == "ours" else str(HOME / folder / "bin" / "python")
    return Place(python, HOME, asked.cores)


def compare_engines(asked: argparse.Namespace, shape: data.Shape) -> dict[str, Any]:
    """The figures of `asof` or `windows`."""
    console.print(f"making the data: {shape.name}")
    folder = data.made(shape, HOME / "data")
    windows = WINDOWS if asked.bench == "windows" else {}
    case = data.case_of(shape, folder, windows, asked.cores, asked.memory)
    errors: dict[str, str] = {}
    answers: dict[str, dict[str, Any]] = {}
    with ExitStack() as open_engines:
        engines = {}
        for name in order(asked.names):
            if name != "ours" and not case.facts[0].files:
                case = with_files(case, answers["ours"]["files"] if "ours" in answers else data.lay_out(shape, folder))
            module = "ours" if name == "ours" else f"engines.{name}"
            engine = open_engines.enter_context(Engine(name, module, place(name, asked)))
            try:
                answers[name] = engine.ask("prepare", case)
            except EngineError as error:
                errors[name] = str(error)
                continue
            engines[name] = engine
            console.print(f"{name} is ready")
        runs = {name: Run(engine, case) for name, engine in engines.items()}
        measured = compared(runs, asked.repeats, HOME / "results")
    measured.errors = errors | measured.errors
    return outcome.told(asked.bench, shape.rows() | {"tables": len(case.facts)}, measured, about(engines, answers))


def order(names: list[str]) -> list[str]:
    """Ours first: it makes the files that the others read, and the result that theirs have to equal; else DuckDB's."""
    return sorted(names, key=lambda name: (name != "ours", name != "duckdb"))


def with_files(case: Case, files: dict[str, Any]) -> Case:
    return replace(case, facts=tuple(replace(facts, files=tuple(files[facts.name])) for facts in case.facts))


def about(engines: dict[str, Engine], answers: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """What goes beside the times."""
    peers = [name for name in answers if name != "ours"]
    return {
        "peak_memory_mb": {name: round(engine.peak_memory_mb) for name, engine in engines.items()},
        "layout_seconds": answers.get("ours", {}).get("layout_seconds"),
        "versions": {
            "ours": answers.get("ours", {}).get("versions"),
            "peers": answers[peers[0]]["versions"] if peers else None,
        },
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
