"""The difference between two versions on the rows that the final periods of both have."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from nightjar.evaluation.clusters import Clusters, blocks_of, overlap
from nightjar.evaluation.criteria import Standard
from nightjar.evaluation.intervals import Interval
from nightjar.evaluation.metric_report import Truth, metric_difference
from nightjar.evaluation.rows import Floats
from nightjar.settings.task import Metric, Task

_KINDS: Mapping[Task, type] = {Task.CLASSIFICATION: np.bool_, Task.MULTICLASS: np.intp}
"""Task -> type of its labels, of others floats: in a file they are texts."""


@dataclass(frozen=True)
class Pair:
    """Two versions on the same rows.

    Attributes:
        difference: the newer one minus the older one in the metric.
        nights: the dates of these rows.
    """

    difference: Interval
    nights: int


def compare(newer: pa.Table, older: pa.Table, metric: Metric, task: Task, standard: Standard, block_days: int) -> Pair:
    """Compare the scores of two versions, each by its fit on rows before its own final period.

    So neither has learned from a row that both have. Labels, entities and weights are those of the newer version, which
    knows the later corrections.

    Args:
        newer: the rows of the newer version's final period, as `learning.final_scores` stores them.
        older: the same of the older one.
        metric: of the task.
        task: of both.
        standard: of the project.
        block_days: dates that share what happens.
    """
    shared = newer.filter(pc.is_in(newer["row"], value_set=older["row"])).sort_by("row")
    others = older.filter(pc.is_in(older["row"], value_set=newer["row"])).sort_by("row")
    if not len(shared):
        return Pair(Interval(None, None, None, 0, "their final periods share no row"), 0)
    day = shared["day"].to_numpy().astype("datetime64[D]")
    first, last = day.min().item(), day.max().item()
    nights, days = len(np.unique(day)), (last - first).days + 1
    clusters = Clusters(
        np.unique(shared["entity"].to_numpy(), return_inverse=True)[1],
        blocks_of(day, first, last, block_days),
        overlap(days, block_days, nights),
    )
    order = np.argsort(day, kind="stable")
    query = np.unique(shared["query"].to_numpy(), return_inverse=True)[1] if "query" in shared.column_names else None
    weight = shared["weight"].to_numpy() if "weight" in shared.column_names else None
    label: npt.NDArray[Any] = shared["label"].to_numpy().astype(_KINDS.get(task, np.float64))
    truth = Truth(task, label, clusters, query, weight, standard).take(order)
    of_newer, of_older = (_scores(one)[order] for one in (shared, others))
    if np.array_equal(of_newer, of_older):  # no other rows could say otherwise, as an interval would allow for
        return Pair(Interval(0.0, 0.0, 0.0, len(shared)), nights)
    return Pair(metric_difference(metric, truth, of_newer, of_older), nights)


def _scores(rows: pa.Table) -> Floats:
    """Of several classes a column for each."""
    columns = [rows[name].to_numpy() for name in rows.column_names if name.startswith("score_")]
    return columns[0] if len(columns) == 1 else np.column_stack(columns)
