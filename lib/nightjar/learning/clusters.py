"""Clusters of training rows by entity and block of time, for intervals of metrics."""

from datetime import date

import numpy as np

from nightjar.evaluation.clusters import Clusters, blocks_of, overlap
from nightjar.evaluation.rows import RowNumbers
from nightjar.learning.data.training_set import TrainingSet
from nightjar.settings.label import Label
from nightjar.settings.learning import Search


def clusters_of(
    rows: TrainingSet, index: RowNumbers, first: date, last: date, label: Label, settings: Search
) -> Clusters:
    """The clusters of a period's rows.

    Args:
        rows: all rows.
        index: the numbers of the period's rows.
        first: date of the period.
        last: date of the period, included.
        label: gives the days whose labels share outcomes.
        settings: give the length of a block, if the label does not.
    """
    length, days = settings.days_of_block(label), (last - first).days + 1
    entity = np.arange(len(index)) if rows.entity is None else rows.entity[index]
    block = blocks_of(rows.day[index], first, last, length)
    return Clusters(entity, block, overlap(days, length, len(np.unique(rows.day[index]))))
