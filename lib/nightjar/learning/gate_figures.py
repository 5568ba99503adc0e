"""The figures that promotion may have limits for, measured on the final period: slices, fairness, calibration, speed.

The intervals are simultaneous: with m of them each has the confidence 1 - (1 - c) / m, so that all hold together in at
least the share c of periods (Bonferroni's inequality). Source: Dunn (1961), Multiple comparisons among means,
Journal of the American Statistical Association 56(293), 52-64.
"""

import math
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from nightjar.evaluation.binary import Booleans
from nightjar.evaluation.clusters import FEWEST
from nightjar.evaluation.fairness import group_differences
from nightjar.evaluation.metric_report import Truth, figure
from nightjar.evaluation.reliability import expected_calibration_error
from nightjar.evaluation.rows import Floats, RowNumbers
from nightjar.learning.comparison import Comparison
from nightjar.models.predictor import Predictor
from nightjar.settings.promotion import Fairness, Promotion
from nightjar.settings.task import Task
from nightjar.tables import groups

_ENOUGH_SECONDS = 2.0
POOLED = "all smaller ones"
"""In place of a value: the slice of the values that have too few rows by themselves."""


@dataclass(frozen=True, eq=False)
class Rival:
    """What the new model would replace.

    Attributes:
        name: for people.
        scores: its scores of the final period's rows.
    """

    name: str
    scores: Floats


def gate_figures(
    compared: Comparison, rival: Rival | None, acts: Booleans | None, columns: pa.Table | None, settings: Promotion
) -> dict[str, Any]:
    """The figures, as the evidence holds them.

    Args:
        compared: the new model's scores.
        rival: None: it cannot be compared, and no slice is.
        acts: whether each row is acted on by the new model; None: nobody decides by it.
        columns: those of the settings that tell rows apart; None: there are none.
        settings: the columns and limits.
    """
    truth, score = compared.truth, compared.scores
    slices = list(_slices(truth, columns, settings)) if columns is not None and rival is not None else []
    fairness = settings.fairness if acts is not None and columns is not None else None
    pairs = 0 if fairness is None or columns is None else _pairs(columns, fairness) * len(fairness.limits())
    calibrated = acts is not None and settings.calibration_error is not None
    confidence = 1 - (1 - settings.confidence) / max(1, len(slices) + pairs + calibrated)
    result: dict[str, Any] = {"confidence": confidence}
    if rival is not None:
        result["slices"] = [
            {"column": column, "value": value, **_within(compared, rival, rows, confidence)}
            for column, value, rows in slices
        ]
    if fairness is not None and acts is not None and columns is not None:
        result["fairness_of"] = [[column, rate] for column in fairness.columns for rate in fairness.limits()]
        result["fairness"] = [
            one
            for column in fairness.columns
            for rate in fairness.limits()
            for one in _between_groups(rate, column, truth, acts, columns, confidence, fairness.least_rows)
        ]
    if calibrated:
        error = asdict(figure(expected_calibration_error, truth, score, confidence))
        result["calibration"] = _of_enough_blocks(error, truth.clusters.blocks)
    return result


def rows_per_second(predictor: Predictor, rows: pa.Table) -> float | None:
    """How many rows the model scores a second, on the processors that this process has; None: there are no rows.

    The best of three times, since the first one loads what the others use, and other work only slows down; of one where
    that takes long.
    """
    seconds: list[float] = []
    while len(seconds) < 3 and sum(seconds) < _ENOUGH_SECONDS:
        started = time.perf_counter()
        predictor.predict(rows)
        seconds.append(time.perf_counter() - started)
    return len(rows) / max(min(seconds), 1e-9) if len(rows) else None


def _slices(truth: Truth, columns: pa.Table, settings: Promotion) -> Iterator[tuple[str, str, RowNumbers]]:
    """Column, value and row numbers of each slice; values with few rows are one slice of each column.

    Of two classes the rarer one counts: it is what a metric of few rows is uncertain by.
    """
    for column in settings.slices.columns:
        values, code = _groups(columns, column)
        sizes = np.bincount(code, minlength=len(values))
        if truth.task is Task.CLASSIFICATION:
            positive = np.bincount(code, truth.label == 1, minlength=len(values))
            sizes = np.minimum(positive, sizes - positive)
        small = sizes < settings.slices.least_rows
        for number in np.flatnonzero(~small):
            yield column, values[number], np.flatnonzero(code == number)
        if small.any():
            alone = len(np.flatnonzero(small)) == 1
            yield column, values[int(np.argmax(small))] if alone else POOLED, np.flatnonzero(small[code])


def _groups(columns: pa.Table, column: str) -> tuple[list[str], RowNumbers]:
    """The values of a column as texts, and the number of each row's."""
    code = groups.codes(columns, [column])
    first = np.unique(code, return_index=True)[1]
    return ["null" if value is None else str(value) for value in columns[column].take(first).to_pylist()], code


def _pairs(columns: pa.Table, fairness: Fairness) -> int:
    """How many pairs of groups have enough rows to be compared."""
    sizes = [np.bincount(_groups(columns, name)[1]) for name in fairness.columns]
    return sum(math.comb(int((size >= fairness.least_rows).sum()), 2) for size in sizes)


def _within(compared: Comparison, rival: Rival, rows: RowNumbers, confidence: float) -> dict[str, Any]:
    truth = compared.truth.take(rows)
    positive = int((truth.label == 1).sum())
    rarer = min(positive, len(rows) - positive) if truth.task is Task.CLASSIFICATION else None
    part = Comparison(compared.metric, truth, compared.scores[rows]).over(rival.name, rival.scores[rows], confidence)
    return {"size": len(rows), "of_rarer_class": rarer, **_of_enough_blocks(part, truth.clusters.blocks)}


def _of_enough_blocks(interval: dict[str, Any], blocks: int) -> dict[str, Any]:
    """The interval, without bounds where its rows are of too few blocks of time to say anything of others."""
    if blocks >= FEWEST or interval["low"] is None:
        return interval
    reason = f"its rows are of {blocks} blocks of time, and fewer than {FEWEST} say nothing of others"
    return interval | {"low": None, "high": None, "reason": reason}


def _between_groups(
    rate: str, column: str, truth: Truth, acts: Booleans, columns: pa.Table, confidence: float, least_rows: int
) -> Iterator[dict[str, Any]]:
    values, code = _groups(columns, column)
    for one in group_differences(rate, truth, acts, code, confidence, least_rows):
        pair = [values[number] for number in one.groups]
        rates = {"groups": pair, "rates": list(one.rates), "size": one.least}
        yield {"column": column, "rate": rate, **rates, **_of_enough_blocks(asdict(one.interval), one.blocks)}
