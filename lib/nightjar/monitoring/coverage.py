"""How often sets of classes have the true one, by class, of a night and over the last ones; which share abstains."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nightjar.evaluation.clusters import Clusters
from nightjar.evaluation.conformal import CLASSES
from nightjar.evaluation.intervals import Interval, Scale
from nightjar.evaluation.metric_report import Truth, mean_interval
from nightjar.monitoring.figures import ALL, Figure, plain
from nightjar.tables import arrow, predictions
from nightjar.tables.monitoring_definitions import PERFORMANCE
from nightjar.tables.warehouse import Warehouse

ABSTAINED_SHARE, COVERAGE, ROLLING = "abstained_share", "set_coverage", "rolling_coverage"
ROLLED = timedelta(days=28)
"""The nights over which coverage is rolled: a single one is promised nothing."""
UNKNOWN = "UNKNOWN: the model had too few rows of some class to calibrate sets on"


def abstention_figures(rows: pa.Table) -> Iterator[Figure]:
    """Of all rows of a night the share that abstains, where some may."""
    if predictions.ABSTAINED in rows.column_names:
        shares = 1 - rows[predictions.ABSTAINED].null_count / len(rows)
        yield plain(ALL, ABSTAINED_SHARE, shares, len(rows))


def coverage_figures(judged: pa.Table, truth: Truth) -> Iterator[Figure]:
    """Of the judged rows of each class the share whose set has it, with an interval over entities.

    Args:
        judged: with the columns of `predictions.unfold_sets`, or without: no row has a set.
        truth: of these rows.
    """
    label = np.asarray(truth.label).astype(np.intp)
    for number, value in enumerate(truth.standard.classes or CLASSES):
        name = predictions.set_with(value)
        if name not in judged.column_names:
            continue
        has_set = np.asarray(judged[name].is_valid().to_numpy(), np.bool_)
        if len(judged) and not has_set.any():
            yield Figure(f"class {value}", COVERAGE, Interval(None, None, None, 0, UNKNOWN))
            continue
        rows = np.flatnonzero(has_set & (label == number))
        if len(rows):
            part = truth.take(rows)
            is_in = np.asarray(judged[name].take(rows).to_numpy(), np.float64)
            yield Figure(f"class {value}", COVERAGE, mean_interval(is_in, part.clusters, part.weight, Scale.LOGIT))


def rolling_figures(
    warehouse: Warehouse, tonight: Sequence[Mapping[str, Any]], run_date: date
) -> dict[date, list[Figure]]:
    """Of each class the coverage over the last nights whose labels are final, under the latest of these nights.

    Args:
        warehouse: where `performance` has the figures of earlier run dates.
        tonight: rows of the table that this run date adds.
        run_date: of this run.
    """
    nights: dict[tuple[date, str], Mapping[str, Any]] = {}
    for row in [*_earlier(warehouse, run_date), *tonight]:
        if row["measure"] == COVERAGE and row["value"] is not None and not row["provisional"]:
            nights[row["evaluated_date"], row["slice"]] = row
    if not nights:
        return {}
    latest = max(day for day, _ in nights)
    classes = sorted({of for day, of in nights if day > latest - ROLLED})
    rows = {of: [row for (day, one), row in nights.items() if one == of and day > latest - ROLLED] for of in classes}
    return {latest: [Figure(of, ROLLING, _rolled(rows[of])) for of in classes]}


def _rolled(nights: Sequence[Mapping[str, Any]]) -> Interval:
    """The share of all rows of some nights, which are blocks: rows of one share what happens to all of them."""
    shares, rows = (np.array([one[name] for one in nights], np.float64) for name in ("value", "rows"))
    numbers = np.arange(len(nights))
    return replace(mean_interval(shares, Clusters(numbers, numbers), rows, Scale.LOGIT), rows=int(rows.sum()))


def _earlier(warehouse: Warehouse, run_date: date) -> list[dict[str, Any]]:
    """The coverage of nights as earlier run dates have judged them, the latest judgement last."""
    if not arrow.exists(warehouse, PERFORMANCE.name):
        return []
    columns = ["evaluated_date", "slice", "measure", "value", "rows", "provisional", "run_date"]
    stored = arrow.schema(warehouse, PERFORMANCE.name).names
    if not set(columns) <= set(stored):
        return []
    where = (pc.field("measure") == COVERAGE) & (pc.field("run_date") < run_date)
    where &= pc.field("run_date") >= run_date - 3 * ROLLED
    rows: list[dict[str, Any]] = arrow.read(warehouse, PERFORMANCE.name, columns, where).sort_by("run_date").to_pylist()
    return rows
