"""The difference between two versions on the rows that the final periods of both have."""

from collections.abc import Mapping, Sequence
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
from nightjar.registry.events import LABEL_HASH
from nightjar.report.comparison.trainings import Training
from nightjar.settings.task import Metric, Task

_KINDS: Mapping[Task, type] = {Task.CLASSIFICATION: np.bool_, Task.MULTICLASS: np.intp}
"""Task -> type of its labels, of others floats: in a file they are texts."""


@dataclass(frozen=True)
class Pair:
    """Two versions on the same rows.

    Attributes:
        difference: the newer one minus the older one in the metric.
        nights: the dates of these rows; 0: there are none, or they were not compared.
    """

    difference: Interval
    nights: int


Pairs = Mapping[tuple[str, str], Pair]
"""(newer version, older version) -> their difference."""


def compare_all(
    trainings: Sequence[Training], scores: Mapping[str, pa.Table], metric: Metric, standard: Standard, label: str
) -> Pairs:
    """Each two versions that have scores, those of another label than the newest training with the reason.

    Args:
        trainings: the oldest first.
        scores: version -> the rows of its final period, as `learning.final_scores` stores them.
        metric: of the newest training.
        standard: of the project.
        label: the hash of its label today, whose classes the standard has.
    """
    newest, result = trainings[-1], {}
    of_scores = [one for one in trainings if one.number in scores]
    for place, newer in enumerate(of_scores):
        for older in of_scores[:place]:
            tables, both = (scores[newer.number], scores[older.number]), (newer, older)
            task = _task_of(metric, tables[0])
            reason = _other_label(both, newest) or _other_classes(newest, task, label)
            if reason:
                result[newer.number, older.number] = Pair(Interval(None, None, None, 0, reason), 0)
                continue
            days = max(one.evidence["clusters"]["block_days"] for one in both)
            result[newer.number, older.number] = compare(*tables, metric, task, standard, days)
    return result


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


def _task_of(metric: Metric, scores: pa.Table) -> Task:
    """The task of the scores: some metrics are of two classes and of several, and these have a column for each."""
    if len(metric.tasks) == 1:
        return metric.tasks[0]
    return Task.MULTICLASS if "score_1" in scores.column_names else Task.CLASSIFICATION


def _other_label(pair: Sequence[Training], newest: Training) -> str | None:
    """Which label of a pair is not that of the newest training, in words; None: they are."""
    label = newest.evidence.get(LABEL_HASH)
    others = [f"version {one.number}" for one in pair if one.evidence.get(LABEL_HASH) != label]
    return (
        f"labels of {' and '.join(others)} are defined otherwise than those of version {newest.number}"
        if others
        else None
    )


def _other_classes(newest: Training, task: Task, label: str) -> str | None:
    """Why decisions between several classes cannot be judged; None: they can, or there are none."""
    if task is not Task.MULTICLASS or newest.evidence.get(LABEL_HASH) in (None, label):
        return None
    return f"the classes of version {newest.number} are not on record: today's settings define the label otherwise"


def _scores(rows: pa.Table) -> Floats:
    """Of several classes a column for each."""
    columns = [rows[name].to_numpy() for name in rows.column_names if name.startswith("score_")]
    return columns[0] if len(columns) == 1 else np.column_stack(columns)
