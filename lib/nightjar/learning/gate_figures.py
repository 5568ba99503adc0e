"""The figures that promotion may have limits for, measured on the final period: slices, fairness, calibration, speed.

The intervals are simultaneous: with m of them each has the confidence 1 - (1 - c) / m, so that all hold together in at
least the share c of periods (Bonferroni's inequality). Source: Dunn (1961), Multiple comparisons among means,
Journal of the American Statistical Association 56(293), 52-64.
"""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from nightjar.evaluation.clusters import FEWEST
from nightjar.evaluation.criteria import of_metric
from nightjar.evaluation.fairness import Decision, group_differences
from nightjar.evaluation.metric_report import Truth, figure
from nightjar.evaluation.reliability import expected_calibration_error
from nightjar.evaluation.rows import Floats, RowNumbers
from nightjar.learning.comparison import Comparison
from nightjar.models.predictor import Predictor
from nightjar.settings.promotion import Fairness, Promotion
from nightjar.settings.task import Metric, Task
from nightjar.tables import groups

_ENOUGH_SECONDS = 2.0
Value = str | list[str]
"""Of a column as a text; of several columns together one of each."""
Groups = tuple[list[Value], RowNumbers]
"""The values there are, and the number of each row's."""
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
    compared: Comparison,
    rival: Rival | None,
    decisions: Sequence[Decision],
    columns: pa.Table | None,
    settings: Promotion,
) -> dict[str, Any]:
    """The figures, as the evidence holds them.

    Args:
        compared: the new model's scores.
        rival: None: it cannot be compared, and no slice is.
        decisions: about each row, by the new model; none: nobody decides by it.
        columns: those of the settings that tell rows apart; None: there are none.
        settings: the columns and limits.
    """
    ways = {name: (name,) for name in settings.slices.columns} | settings.fairness.groupings()
    groups_of = {} if columns is None else {name: _groups(columns, by) for name, by in ways.items()}
    slices = list(_slices(compared.truth, groups_of, settings)) if groups_of and rival is not None else []
    fairness = settings.fairness if decisions and groups_of else None
    pairs = 0 if fairness is None else _pairs(groups_of, fairness) * len(fairness.limits())
    is_calibrated = bool(decisions) and settings.calibration_error is not None
    figures = len(slices) + (pairs + is_calibrated) * len(decisions)
    confidence = 1 - (1 - settings.confidence) / max(1, figures)
    result: dict[str, Any] = {"confidence": confidence}
    if rival is not None:
        result["slices"] = [
            {"column": column, "value": value, **_within(compared, rival, rows, confidence)}
            for column, value, rows in slices
        ]
    if fairness is not None:
        result["fairness_of"] = [[column, rate] for column in fairness.groupings() for rate in fairness.limits()]
        result["fairness"] = [
            {"column": name, **_combined(by), "rate": rate, **decision.named(), **pair}
            for name, by in fairness.groupings().items()
            for rate in fairness.limits()
            for decision in decisions
            for pair in _between_groups(rate, decision, groups_of[name], confidence, fairness.least_rows)
        ]
    if is_calibrated:
        errors = [{**one.named(), **_calibration_error(one, confidence)} for one in decisions]
        result |= {"calibration_by_class": errors} if len(errors) > 1 else {"calibration": errors[0]}
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


def _slices(
    truth: Truth, groups_of: Mapping[str, Groups], settings: Promotion
) -> Iterator[tuple[str, Value, RowNumbers]]:
    """Column, value and row numbers of each slice; values with few rows are one slice of each column.

    Of two classes the rarer one counts: it is what a metric of few rows is uncertain by.
    """
    for column in settings.slices.columns:
        values, code = groups_of[column]
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


def _groups(columns: pa.Table, by: Sequence[str]) -> Groups:
    code, values = groups.values(columns, by)
    texts = [["null" if value is None else value for value in own] for own in values]
    return [own[0] if len(by) == 1 else own for own in texts], code


def _combined(by: Sequence[str]) -> dict[str, list[str]]:
    """The columns of combinations of values, as the evidence holds them."""
    return {} if len(by) == 1 else {"columns": list(by)}


def _pairs(groups_of: Mapping[str, Groups], fairness: Fairness) -> int:
    """How many pairs of groups have enough rows to be compared."""
    sizes = [np.bincount(groups_of[name][1]) for name in fairness.groupings()]
    return sum(math.comb(int((size >= fairness.least_rows).sum()), 2) for size in sizes)


def _within(compared: Comparison, rival: Rival, rows: RowNumbers, confidence: float) -> dict[str, Any]:
    truth, others = compared.truth.take(rows), rival.scores[rows]
    size: dict[str, Any] = {"size": len(rows), "of_rarer_class": None}
    if truth.task is Task.CLASSIFICATION:
        positive = int((truth.label == 1).sum())
        size["of_rarer_class"] = min(positive, len(rows) - positive)
    part = Comparison(compared.metric, truth, compared.scores[rows])
    if truth.task is not Task.CLASSIFICATION:
        smallest = part.smallest(rival.name, others, confidence)
        size["smallest"] = None if smallest is None else smallest["difference"]
        size["error"] = _error(compared.metric, truth, others)
    over_rival = part.over(rival.name, others, confidence)
    return {**size, **_of_enough_blocks(over_rival, truth.clusters.blocks)}


def _error(metric: Metric, truth: Truth, scores: Floats) -> float | None:
    """How far off scores are, in the metric: what it falls short of 1 where more of it is better."""
    criterion = of_metric(metric, truth.task, truth.standard)
    label, of_rows = criterion.columns(truth.label, scores)
    value = figure(criterion.measure, replace(truth, label=label), of_rows, **criterion.parameters).estimate
    return 1 - value if value is not None and metric.greater_is_better else value


def _calibration_error(decision: Decision, confidence: float) -> dict[str, Any]:
    error = asdict(figure(expected_calibration_error, decision.truth, decision.probability, confidence))
    return _of_enough_blocks(error, decision.truth.clusters.blocks)


def _of_enough_blocks(interval: dict[str, Any], blocks: int) -> dict[str, Any]:
    """The interval, without bounds where its rows are of too few blocks of time to say anything of others."""
    if blocks >= FEWEST or interval["low"] is None:
        return interval
    reason = f"its rows are of {blocks} blocks of time, and fewer than {FEWEST} say nothing of others"
    return interval | {"low": None, "high": None, "reason": reason}


def _between_groups(
    rate: str, decision: Decision, groups_of_column: Groups, confidence: float, least_rows: int
) -> Iterator[dict[str, Any]]:
    values, code = groups_of_column
    for one in group_differences(rate, decision.truth, decision.acts, code, confidence, least_rows):
        rates = {"groups": [values[number] for number in one.groups], "rates": list(one.rates), "size": one.least}
        yield {**rates, **_of_enough_blocks(asdict(one.interval), one.blocks)}
