"""The winner's scores of the final period, row by row, so that a later version can be compared on the same rows."""

from typing import Any

import numpy as np
import pyarrow as pa

from nightjar.evaluation.clusters import Clusters
from nightjar.evaluation.rows import Floats, RowNumbers
from nightjar.learning.data.training_set import TrainingSet
from nightjar.registry.run_files import SCORES
from nightjar.tables.hashing import xxhash64


def final_scores(rows: TrainingSet, final: RowNumbers, scores: Floats, clusters: Clusters) -> dict[str, pa.Table]:
    """The file of the final period's rows, without what names them: `row` is a hash of the spine's key.

    Args:
        rows: all rows.
        final: numbers of the final period's rows.
        scores: of those rows; of several classes a probability of each.
        clusters: of those rows.
    """
    key = rows.key.take(final).combine_chunks()
    named = [column.combine_chunks() for column in key.columns]
    columns: dict[str, Any] = {
        "row": xxhash64(named),
        "day": rows.day[final],
        "entity": clusters.entity,
        "label": rows.label[final],
    }
    columns |= {} if rows.weight is None else {"weight": rows.weight[final]}
    columns |= {} if rows.query is None else {"query": rows.query[final]}
    by_class = scores.reshape(len(scores), -1)
    columns |= {f"score_{number}": np.ascontiguousarray(by_class[:, number]) for number in range(by_class.shape[1])}
    return {SCORES: pa.table(columns)}
