"""How much a model loses without a column: permutation importance, of columns that go together at once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform
from scipy.stats import rankdata

from nightjar.evaluation.intervals import Interval
from nightjar.evaluation.metric_report import Truth, metric_difference
from nightjar.models.columns import to_frame
from nightjar.models.predictor import Predictor
from nightjar.settings.task import Metric

Floats = npt.NDArray[np.float64]

TOGETHER = 0.7
"""Columns whose rank correlation is so strong, in either direction and on average, are permuted together."""
REPEATS = 2
"""Permutations of each group."""
PREDICTIONS = 200_000
"""Rows that are scored in all, at most: of more columns, fewer rows of the period are drawn."""


@dataclass(frozen=True)
class Importance:
    """What a model loses where the values of some columns are permuted among the rows.

    Attributes:
        columns: which are permuted together: none of them is of use without the others' agreement.
        loss: by how much the metric gets worse; its interval is over entities and blocks of time.
    """

    columns: tuple[str, ...]
    loss: Interval


def permutation_importance(
    predictor: Predictor, table: pa.Table, truth: Truth, metric: Metric, *, seed: int = 0
) -> list[Importance]:
    """The importance of each group of correlated columns, greatest first, on rows that the model was not fitted on.

    A column alone would look unimportant where another one stands in for it (Strobl et al., "Conditional variable
    importance for random forests", 2008): correlated ones are one group. Sources: Breiman, "Random forests", 2001;
    Fisher, Rudin and Dominici, "All models are wrong, but many are useful", 2019, for the loss as a difference.

    Args:
        predictor: the model.
        table: its features.
        truth: the labels of the rows.
        metric: of the task.
        seed: of what is drawn.
    """
    random = np.random.default_rng(seed)
    most = max(1, PREDICTIONS // max(1, len(predictor.features) * REPEATS))
    if table.num_rows > most:
        rows = _draw(random, truth, most)
        table, truth = table.take(rows), truth.take(rows)
    scores = predictor.predict(table)
    groups = correlated_groups(predictor, table, scores)
    repeated = _repeat(truth)
    results = []
    for group in groups:
        orders = [random.permutation(len(scores)) for _ in range(REPEATS)]
        permuted = np.concatenate([predictor.predict(_permute(table, group, order)) for order in orders])
        own = np.concatenate([scores] * REPEATS)
        pair = (own, permuted) if metric.greater_is_better else (permuted, own)
        results.append(Importance(group, _loss(metric, repeated, *pair)))
    return sorted(results, key=lambda one: -np.inf if one.loss.estimate is None else one.loss.estimate, reverse=True)


def correlated_groups(predictor: Predictor, table: pa.Table, scores: Floats) -> list[tuple[str, ...]]:
    """The model's columns in groups that go together: average linkage over 1 - |rank correlation|.

    Levels of a category are ordered by their mean score, a missing value has the middle rank.
    """
    frame = to_frame(table, predictor.features)
    names = [column.name for column in predictor.features]
    if len(names) < 2 or len(frame) < 2:
        return [(name,) for name in names]
    of_rows = scores if scores.ndim == 1 else scores[:, -1]
    ranks = np.column_stack([_ranks(frame[name], of_rows) for name in names])
    with np.errstate(invalid="ignore", divide="ignore"):
        correlation = np.nan_to_num(np.abs(np.corrcoef(ranks, rowvar=False)))
    distance = np.clip(1 - (correlation + correlation.T) / 2, 0, 1)
    np.fill_diagonal(distance, 0)
    numbers = fcluster(linkage(squareform(distance, checks=False), "average"), 1 - TOGETHER, "distance")
    places = list(dict.fromkeys(numbers.tolist()))
    return [tuple(name for name, own in zip(names, numbers, strict=True) if own == number) for number in places]


def _ranks(column: "pd.Series[float]", scores: Floats) -> Floats:
    values = column
    if column.dtype == object:
        values = column.map(pd.Series(scores).groupby(column.to_numpy()).mean())
    numbers = values.to_numpy(dtype=np.float64)
    ranks = np.full(len(numbers), np.nan)
    has_value = ~np.isnan(numbers)
    ranks[has_value] = rankdata(numbers[has_value])
    middle = float(np.nanmean(ranks)) if has_value.any() else 0.0
    return np.where(has_value, ranks, middle)


def _loss(metric: Metric, repeated: Truth, a: Floats, b: Floats) -> Interval:
    """The difference between the scores, over the rows themselves: their copies are not counted."""
    loss = metric_difference(metric, repeated, a, b)
    loss = replace(loss, rows=loss.rows // REPEATS)
    if loss.estimate is None or not np.array_equal(a, b):
        return loss
    # Scores that no permutation changes lose nothing, whichever rows there are.
    return replace(loss, low=0.0, high=0.0, reason=None)


def _draw(random: np.random.Generator, truth: Truth, most: int) -> npt.NDArray[np.intp]:
    """Some rows, ascending: of a ranking whole lists, at least one, however long it is."""
    if truth.query is None:
        return np.sort(random.choice(len(truth.label), most, replace=False))
    _, lists = np.unique(truth.query, return_inverse=True)
    order = random.permutation(int(lists.max()) + 1)
    sizes = np.bincount(lists)[order]
    chosen = order[: max(1, np.searchsorted(np.cumsum(sizes), most, "right"))]
    return np.flatnonzero(np.isin(lists, chosen))


def _repeat(truth: Truth) -> Truth:
    """The rows once for each permutation, in the same clusters: so copies are no further evidence."""
    rows = len(truth.label)
    repeated = truth.take(np.tile(np.arange(rows), REPEATS))
    if truth.query is None:
        return repeated
    _, lists = np.unique(truth.query, return_inverse=True)
    return replace(repeated, query=np.concatenate([lists + copy * (int(lists.max()) + 1) for copy in range(REPEATS)]))


def _permute(table: pa.Table, columns: Sequence[str], order: npt.NDArray[np.intp]) -> pa.Table:
    for name in columns:
        place = table.schema.get_field_index(name)
        table = table.set_column(place, table.schema.field(place), table[name].take(order))
    return table
