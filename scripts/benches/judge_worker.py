"""Resamples of the bench `judge` in one process, by this revision or by scikit-learn: `judging.py` says how many.

    ours          every resample at once
    sklearn_loop  scikit-learn's metrics, resample by resample, slice by slice, rows weighted by their night's draws

Each has one thread. The values go to a file, (resamples, slices, metrics), NaN where undefined.
"""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import sklearn
from sklearn.metrics import average_precision_score, log_loss, roc_auc_score
from threadpoolctl import threadpool_limits

from nightjar.evaluation.bootstrap import draw_blocks, resample
from nightjar.settings.task import Metric

NIGHTS, SLICES, RESAMPLES, SEED = 90, 20, 1000, 0
METRICS = (Metric.ROC_AUC, Metric.AVERAGE_PRECISION, Metric.LOG_LOSS)


@dataclass(frozen=True, eq=False)
class Case:
    """Labelled rows of nights, how often each resample draws each night, and which rows each slice has."""

    label: np.ndarray
    score: np.ndarray
    night: np.ndarray
    times: np.ndarray
    slices: dict[str, np.ndarray]


def made(rows: int) -> Case:
    """A third of the rows is positive, more on some nights than on others; slices are of unequal size."""
    random = np.random.default_rng(SEED)
    night = random.integers(0, NIGHTS, rows)
    odds = random.normal(-1, 1.2, rows)
    label = random.random(rows) < 1 / (1 + np.exp(-odds - random.normal(0, 0.5, NIGHTS)[night]))
    level = (SLICES * random.random(rows) ** 1.5).astype(int)
    slices = {"all": np.ones(rows, bool)} | {f"level {number}": level == number for number in range(SLICES)}
    return Case(label, 1 / (1 + np.exp(-odds)), night, draw_blocks(NIGHTS, RESAMPLES, SEED), slices)


def ours(case: Case, resamples: int) -> np.ndarray:
    result = resample(case.label, case.score, case.night, case.times[:resamples], case.slices)
    values = np.full((resamples, len(case.slices), len(METRICS)), np.nan)
    for place, metrics in enumerate(result.values()):
        for number, metric in enumerate(METRICS):
            values[metrics[metric].is_defined, place, number] = metrics[metric].values
    return values


def sklearn_loop(case: Case, resamples: int) -> np.ndarray:
    """Slices are cut out once, and have both classes in every resample."""
    parts = [(case.label[rows], case.score[rows], case.night[rows]) for rows in case.slices.values()]
    values = np.empty((resamples, len(parts), len(METRICS)))
    for row, times in enumerate(case.times[:resamples]):
        for place, (label, score, night) in enumerate(parts):
            weight = times[night]
            for number, measure in enumerate((roc_auc_score, average_precision_score, log_loss)):
                values[row, place, number] = measure(label, score, sample_weight=weight)
    return values


ENGINES: dict[str, Callable[[Case, int], np.ndarray]] = {"ours": ours, "sklearn_loop": sklearn_loop}


def main(name: str, rows: int, resamples: int, target: str) -> None:
    """A run for each line that comes in: its seconds are told."""
    case = made(rows)
    with threadpool_limits(1):
        for _ in sys.stdin:
            started = time.perf_counter()
            values = ENGINES[name](case, resamples)
            seconds = time.perf_counter() - started
            np.save(target, values)
            print(json.dumps({"seconds": seconds, "scikit-learn": sklearn.__version__}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
