"""The search: every candidate on every fold, one Ray Tune trial each, on one copy of the data per node."""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import ray
from ray import tune

from nightjar.errors import LearningError
from nightjar.evaluation.metrics import measures
from nightjar.learning.candidates import Candidate
from nightjar.learning.rows import TrainingRows
from nightjar.learning.splits import Fold
from nightjar.models.estimators import fit
from nightjar.settings.learning import Metric

log = logging.getLogger("nightjar.train")
Measures = dict[str, float | None]


@dataclass(frozen=True)
class FoldResult:
    """What one candidate reached on one fold."""

    candidate: str
    fold: str
    measures: Measures
    seconds: float


def run(
    rows: TrainingRows, folds: Sequence[Fold], candidates: Sequence[Candidate], seed: int, storage: Path
) -> list[FoldResult]:
    """Fit and measure every candidate on every fold; results in the order of candidates and folds.

    Ray must have been started.

    Args:
        rows: the training rows.
        folds: the splits.
        candidates: what to try.
        seed: of every fit.
        storage: folder for Tune's own files.

    Raises:
        LearningError: a fit failed; the message names candidate and fold.
    """
    units = [(candidate, fold) for candidate in candidates for fold in folds]
    shared = ray.put((rows, units))

    def trial(config: dict[str, Any]) -> None:
        shared_rows, all_units = ray.get(shared)
        candidate, fold = all_units[config["unit"]]
        tune.report(fit_and_measure(shared_rows, fold, candidate, seed))

    progress = _Progress(units)
    tuner = tune.Tuner(
        tune.with_resources(trial, {"cpu": 1}),
        param_space={"unit": tune.grid_search(list(range(len(units))))},
        tune_config=tune.TuneConfig(reuse_actors=True),
        run_config=tune.RunConfig(
            name=f"search-{time.time_ns()}", storage_path=str(storage), verbose=0, callbacks=[progress]
        ),
    )
    results = {result.config["unit"]: result for result in tuner.fit() if result.config}
    return [_result(results.get(number), *unit) for number, unit in enumerate(units)]


def fit_and_measure(rows: TrainingRows, fold: Fold, candidate: Candidate, seed: int) -> dict[str, Any]:
    """Fit a candidate on a fold's training rows and measure it on its test rows; the measures, and seconds."""
    started = time.monotonic()
    features, label = rows.take(fold.train)
    predictor = fit(candidate.model, features, label, features=rows.columns, seed=seed)
    features, label = rows.take(fold.test)
    return {"measures": measures(label, predictor.predict(features)), "seconds": time.monotonic() - started}


def means(results: Sequence[FoldResult], metric: Metric) -> dict[str, float]:
    """Candidate -> mean of the metric over all its folds; a candidate with an undefined fold is left out."""
    by_candidate: dict[str, list[float | None]] = {}
    for result in results:
        by_candidate.setdefault(result.candidate, []).append(result.measures[metric.value])
    return {
        name: float(np.mean([value for value in values if value is not None]))
        for name, values in by_candidate.items()
        if None not in values
    }


def best(candidates: Sequence[Candidate], mean: dict[str, float], metric: Metric) -> Candidate:
    """The candidate with the best mean; the earlier one of equals.

    Raises:
        LearningError: none of them has a mean.
    """
    sign = -1.0 if metric is Metric.LOG_LOSS else 1.0
    rated = [candidate for candidate in candidates if candidate.name in mean]
    if not rated:
        names = ", ".join(candidate.name for candidate in candidates)
        raise LearningError(f"{metric.value} is undefined on some fold of each of {names}: a fold has one class only.")
    return max(rated, key=lambda candidate: sign * mean[candidate.name])


def _result(result: Any, candidate: Candidate, fold: Fold) -> FoldResult:
    failure = "it was never run" if result is None else result.error
    if failure is not None:
        raise LearningError(f"Candidate {candidate.name} failed on {fold.name} ({fold.start} to {fold.end}): {failure}")
    return FoldResult(candidate.name, fold.name, result.metrics["measures"], result.metrics["seconds"])


class _Progress(tune.Callback):  # type: ignore[misc]
    """One line per finished trial."""

    def __init__(self, units: Sequence[tuple[Candidate, Fold]]) -> None:
        self.units = units
        self.done = 0

    def on_trial_result(self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **_: Any) -> None:
        del iteration, trials
        if "measures" not in result:
            return
        self.done += 1
        candidate, fold = self.units[trial.config["unit"]]
        found = ", ".join(f"{name} {_shown(result['measures'][name])}" for name in ("roc_auc", "log_loss"))
        place = f"{self.done}/{len(self.units)}"
        log.info("%s  %s on %s: %s, %.1f s", place, candidate.name, fold.name, found, result["seconds"])


def _shown(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.4f}"
