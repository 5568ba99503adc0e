"""`scripts/bench search`: our search, and the same one by scikit-learn's grid search and by Ray Tune used plainly.

    ours_full           every candidate on every fold
    ours                stopping at rungs of folds
    gridsearchcv        GridSearchCV(n_jobs=cores, refit=False): every candidate on every fold
    tune_plain          one Tune trial for each candidate, its folds one after another inside
    ..._lightgbm        the same of LightGBM's boosting instead of scikit-learn's

All fit the same estimators on the same rows of the same folds, and have to find the same winner; where all folds are
run, every fold's ROC AUC has to be equal. Ray is started before any time counts; a worker's start counts.
"""

import gc
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import ray
import search_case
from measure import console
from ray import tune
from ray._private.internal_api import get_memory_info_reply, get_state_from_address
from search_case import FOLDS, LIGHTGBM, SCIKIT_LEARN, Boosting, Case
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV

from nightjar.learning.registration import trial_callback
from nightjar.learning.search import ledger
from nightjar.learning.search.tune import run as run_search
from nightjar.registry import tracking
from nightjar.runtime import ray as ray_runtime
from nightjar.settings.environment import Environment

OF_LIGHTGBM = "_lightgbm"
RELEASE = 10  # seconds after which what still lies in the object store counts as staying there
TRIVIAL = 40  # candidates, on five folds each

Scores = np.ndarray
"""ROC AUC by (candidate, fold); NaN where it was not run."""


def measured(rows: int, columns: int, repeats: int, cores: int) -> dict[str, Any]:
    """The figures of `search`.

    Args:
        rows: of the made-up data.
        columns: of the made-up data.
        repeats: rounds; in each everybody runs once, one after another.
        cores: for everybody.
    """
    case = search_case.made(rows, columns)
    runs: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory(prefix="nightjar-bench-") as folder:
        home = Path(folder)
        with ray_runtime.session(Environment(home=folder, cpus=cores)):
            engines = _engines(case, home, cores)
            expected = dict[str, Scores]()
            for number in range(1, repeats + 1):
                for name, run in engines.items():
                    started = time.perf_counter()
                    scores = run()
                    runs.setdefault(name, []).append(time.perf_counter() - started)
                    estimator = "lightgbm" if name.endswith(OF_LIGHTGBM) else "scikit-learn"
                    _require_equal(name, scores, expected.setdefault(estimator, scores))
                    console.print(f"round {number} of {repeats}: {name} {runs[name][-1]:.1f} s")
            copies = _copies(case, home)
            overhead = _overhead(case, home)
    seconds = {name: median(times) for name, times in runs.items()}
    return _told(rows, columns, cores, seconds, runs) | {"object_store_copies": copies, "overhead_seconds": overhead}


def _told(
    rows: int, columns: int, cores: int, seconds: dict[str, float], runs: dict[str, list[float]]
) -> dict[str, Any]:
    return {
        "bench": "search",
        "rows": {
            "rows": rows,
            "columns": columns,
            "candidates": len(SCIKIT_LEARN.points()),
            "folds": FOLDS,
        },
        "seconds": seconds,
        "ratio": {
            "gridsearchcv_full": seconds["gridsearchcv"] / seconds["ours_full"],
            "gridsearchcv": seconds["gridsearchcv"] / seconds["ours"],
            "tune_plain": seconds["tune_plain"] / seconds["ours"],
            "gridsearchcv_lightgbm_full": seconds["gridsearchcv_lightgbm"] / seconds["ours_full_lightgbm"],
            "gridsearchcv_lightgbm": seconds["gridsearchcv_lightgbm"] / seconds["ours_lightgbm"],
        },
        "runs": runs,
        "peak_memory_mb": {},
        "cores": cores,
        "errors": {},
    }


def _engines(case: Case, home: Path, cores: int) -> dict[str, Callable[[], Scores]]:
    return {
        "gridsearchcv": lambda: _grid_search(SCIKIT_LEARN, case, cores),
        "ours_full": lambda: _ours(SCIKIT_LEARN, case, home, stopping=False),
        "ours": lambda: _ours(SCIKIT_LEARN, case, home, stopping=True),
        "tune_plain": lambda: _tune_plain(case, home),
        f"gridsearchcv{OF_LIGHTGBM}": lambda: _grid_search(LIGHTGBM, case, cores),
        f"ours_full{OF_LIGHTGBM}": lambda: _ours(LIGHTGBM, case, home, stopping=False),
        f"ours{OF_LIGHTGBM}": lambda: _ours(LIGHTGBM, case, home, stopping=True),
    }


def _grid_search(boosting: Boosting, case: Case, cores: int) -> Scores:
    grid = [{name: [value] for name, value in point.items()} for point in boosting.points()]
    found = GridSearchCV(boosting.plain(), grid, scoring="roc_auc", cv=case.splits, n_jobs=cores, refit=False)
    found.fit(case.inputs, case.label)
    return np.column_stack([found.cv_results_[f"split{fold}_test_score"] for fold in range(FOLDS)])


def _ours(boosting: Boosting, case: Case, home: Path, *, stopping: bool) -> Scores:
    folder = Path(tempfile.mkdtemp(dir=home))  # a new ledger: nothing is finished yet
    with ledger.open_ledger(folder, case.problem.key()) as book:
        found = run_search(case.problem, search_case.search(boosting, stopping=stopping), book)
    scores = np.full((len(boosting.points()), FOLDS), np.nan)
    for candidate, results in found.results.items():
        if candidate.model.baseline:
            continue
        for result in results:
            place = int(candidate.name.removeprefix("boosting-")) - 1
            scores[place, int(result.fold.removeprefix("fold ")) - 1] = result.measures["roc_auc"]
    return scores


def _tune_plain(case: Case, home: Path) -> Scores:
    def candidate(config: dict[str, Any], inputs: np.ndarray, label: np.ndarray, splits: list[Any]) -> None:
        scores = []
        for train, test in splits:
            fitted = SCIKIT_LEARN.plain(**config["point"]).fit(inputs[train], label[train])
            scores.append(roc_auc_score(label[test], fitted.predict_proba(inputs[test])[:, 1]))
        tune.report({"scores": scores, "mean": float(np.mean(scores))})

    with_data = tune.with_parameters(candidate, inputs=case.inputs, label=case.label, splits=case.splits)
    points = SCIKIT_LEARN.points()
    tuner = tune.Tuner(
        tune.with_resources(with_data, {"cpu": 1}),
        param_space={"place": tune.grid_search(list(range(len(points)))), "point": tune.sample_from(_point)},
        run_config=tune.RunConfig(storage_path=str(home / "tune"), verbose=0),
    )
    scores = np.full((len(points), FOLDS), np.nan)
    for result in tuner.fit():
        scores[result.config["place"]] = result.metrics["scores"]
    return scores


def _point(spec: Any) -> dict[str, float]:
    return SCIKIT_LEARN.points()[spec["config"]["place"]]


def _require_equal(name: str, scores: Scores, expected: Scores) -> None:
    """Scores of one fold are equal where both ran it, and the winner is the same.

    Raises:
        ValueError: they are not.
    """
    both = ~np.isnan(scores) & ~np.isnan(expected)
    if not np.allclose(scores[both], expected[both], rtol=0, atol=1e-9):
        raise ValueError(f"{name} is wrong: its folds differ by {np.abs(scores[both] - expected[both]).max()}")
    if (found := int(np.nanargmax(scores.mean(axis=1)))) != (best := int(np.argmax(expected.mean(axis=1)))):
        raise ValueError(f"{name} finds another winner: candidate {found + 1}, expected {best + 1}")


class _StoreWatch(threading.Thread):
    """Looks every tenth of a second how much lies in the object store."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.most = 0
        self.ended = threading.Event()

    def run(self) -> None:
        while not self.ended.wait(0.1):
            self.most = max(self.most, _object_store_bytes())

    def stop(self) -> int:
        """The most that was seen, in bytes."""
        self.ended.set()
        self.join()
        return self.most


def _object_store_bytes() -> int:
    state = get_state_from_address(ray.get_runtime_context().gcs_address)
    return int(get_memory_info_reply(state).store_stats.object_store_bytes_used)


def _object_store_bytes_at_rest() -> int:
    """What lies there once Ray has released what earlier searches put there, which takes it a moment."""
    gc.collect()
    deadline = time.monotonic() + RELEASE
    while (lying := _object_store_bytes()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return lying


def _copies(case: Case, home: Path) -> float:
    """The most that lies in the object store during a search, in copies of the rows and folds."""
    before = _object_store_bytes_at_rest()
    watch = _StoreWatch()
    watch.start()
    _ours(SCIKIT_LEARN, case, home, stopping=True)
    most = watch.stop() - before
    splits = sum(part.nbytes for split in case.splits for part in split)
    once = case.inputs.nbytes + splits
    console.print(f"object store: {most / 1e6:.0f} MB at most, rows and folds are {once / 1e6:.0f} MB")
    return most / once


def _overhead(case: Case, home: Path) -> float:
    """Seconds for each of 200 folds that cost nothing, MLflow's nested runs included; its database is there already."""
    small = search_case.made(1000, len(case.inputs[0]))
    settings = search_case.trivial(TRIVIAL - 1)
    with (
        ledger.open_ledger(home / "trivial", small.problem.key()) as book,
        tracking.record_search(home, "bench", "trivial", {}, lambda _: False) as record,
    ):
        started = time.perf_counter()
        found = run_search(small.problem, settings, book, trial_callback(record))
        seconds = time.perf_counter() - started
    units = TRIVIAL * FOLDS
    if (ran := sum(map(len, found.results.values()))) != units:
        raise ValueError(f"{ran} folds were run, expected {units}")
    fitted = sum(result.seconds for results in found.results.values() for result in results)
    each = seconds / units
    console.print(
        f"overhead: {each * 1000:.0f} ms for each of {units} folds, of which fitting {fitted / units * 1000:.0f}"
    )
    return each
