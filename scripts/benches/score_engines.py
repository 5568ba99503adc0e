"""`scripts/bench score`: a night of 3M rows x 20 columns is scored, from stored columns to stored scores.

    ours, spark_udf, sklearn        scikit-learn's boosting of 100 trees x 31 leaves: our step `score` with all checks,
                                    MLflow's spark_udf, the library's own predict over the whole array
    ours_linear, spark_udf_linear   a logistic regression
    ours_lightgbm, lightgbm         LightGBM's boosting of that size, by its own predict

All have the same cores and the same rows, and the scores of trees are equal to the last bit. With --before REV:

    ours_few, before_few            10,000 rows: the second job of a session, by this revision and by one before it
    ours_cold, before_cold          the job `score` of a night of flights, in a process of its own
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import score_before
from busy import ROOT, environment
from measure import console
from process import peak_memory_mb
from score_case import COLUMNS, LEAVES, TREES, Place, prepare
from score_lines import Engine

PROGRAM = Path(__file__).with_name("score_worker.py")
CASES = {
    "boosting": ("ours", "spark_udf", "sklearn"),
    "linear": ("ours", "spark_udf"),
    "lightgbm": ("ours", "lightgbm"),
}
"""Model -> the engines that score by it, ours first."""
TOLERANCE = {"boosting": 0.0, "linear": 1e-6, "lightgbm": 0.0}
"""How far their scores may be from ours: the linear model of a user is fitted by themselves."""


def measured(
    home: Path, rows: int, repeats: int, cores: int, before: str | None, names: Sequence[str]
) -> dict[str, Any]:
    """The figures of `score`.

    Args:
        home: where the night is stored.
        rows: of the night.
        repeats: rounds that count, after one that does not; in each everybody scores once, one after another.
        cores: that everybody has.
        before: the revision that ours is compared with; None: none is.
        names: of the engines that score; without ours there is nothing to compare with.
    """
    place = Place(home / f"score-{rows}", cores)
    console.print(f"making the night: {rows:,} rows")
    prepare(place, rows)
    runs: dict[str, list[dict[str, float]]] = {}
    errors: dict[str, str] = {}
    cases = {model: [one for one in engines if one in names] for model, engines in CASES.items()}
    engines = dict.fromkeys(engine for of_model in cases.values() for engine in of_model)
    with ExitStack() as stack:
        workers = {name: stack.enter_context(_engine(name, place, rows)) for name in engines}
        for number in range(repeats + 1):
            for model, of_model in cases.items():
                scores: dict[str, np.ndarray] = {}
                for name in of_model:
                    took, scores[name] = workers[name].run(model)
                    if number:
                        runs.setdefault(label(name, model), []).append(took)
                    console.print(f"round {number} of {repeats}: {label(name, model)} {took['seconds']:.2f} s")
                errors |= differences(model, scores)
        peaks = {name: round(peak_memory_mb(worker.process.pid)) for name, worker in workers.items()}
    figures = figures_of(runs)
    if before is not None:
        figures = score_before.added(figures, home, repeats, cores, before)
    about = {"rows": rows, "columns": COLUMNS, "trees": TREES, "leaves": LEAVES}
    return {"bench": "score", "rows": about, **figures, "peak_memory_mb": peaks, "errors": errors}


def label(engine: str, model: str) -> str:
    """The name of an engine's figures with a model."""
    return engine if model in ("boosting", engine) else f"{engine}_{model}"


def differences(model: str, scores: Mapping[str, np.ndarray]) -> dict[str, str]:
    """Engine -> how its scores differ from ours, of those that differ by more than they may."""
    errors = dict[str, str]()
    for name, values in scores.items() if "ours" in scores else ():
        apart = float(np.abs(values - scores["ours"]).max()) if len(values) == len(scores["ours"]) else np.inf
        if not apart <= TOLERANCE[model]:
            errors[label(name, model)] = f"its scores differ from ours by up to {apart:g}"
    return errors


def figures_of(runs: Mapping[str, list[dict[str, float]]]) -> dict[str, Any]:
    """Medians, and how many times as long as we each peer takes."""
    seconds = {name: median(one["seconds"] for one in took) for name, took in runs.items()}
    cpu = {name: median(one["cpu_seconds"] for one in took) for name, took in runs.items()}
    beside = {"lightgbm": "ours_lightgbm"} | {name: "ours_linear" for name in seconds if name.endswith("_linear")}
    peers = [name for name in seconds if not name.startswith("ours")]
    return {
        "seconds": seconds,
        "cpu_seconds": cpu,
        "ratio": {peer: seconds[peer] / seconds[beside.get(peer, "ours")] for peer in peers if "ours" in seconds},
        "runs": {name: [one["seconds"] for one in took] for name, took in runs.items()},
    }


@contextmanager
def _engine(name: str, place: Place, rows: int) -> Iterator[Engine]:
    here = Path(__file__).parent
    with Engine.started(
        [sys.executable, str(PROGRAM), name, str(place.folder), str(place.cores), str(rows)],
        place.folder / f"{name}.npy",
        environment(ROOT / "lib", here),
    ) as engine:
        yield engine
