"""Counts of the labelled rows of a source, before a training: only labels and weights are read."""

from dataclasses import dataclass
from urllib.parse import unquote

import numpy as np
import numpy.typing as npt

from nightjar.errors import LearningError
from nightjar.learning.distributed.label_values import label_values, weight_values
from nightjar.learning.distributed.lanes import Group
from nightjar.learning.distributed.source import Source, batches, drop_unlabelled, label_columns, only
from nightjar.tables import parquet, scan, storage

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Census:
    """Counts and moments of the labels of a source, or of one of its files.

    Attributes:
        groups: the row groups, with the rows that have a label.
        mean: of the labels; 0 without rows.
        variance: of the labels, over all of them.
        weight: the sum of all weights.
        class_rows: of a classification: the rows of each class, of two those of False and True.
        class_weights: the sums of their weights.
    """

    groups: tuple[Group, ...]
    mean: float
    variance: float
    weight: float
    class_rows: tuple[int, ...] = ()
    class_weights: tuple[float, ...] = ()

    @property
    def rows(self) -> int:
        """Rows with a label."""
        return sum(group.rows for group in self.groups)


@dataclass(frozen=True, eq=False)
class CountedSource:
    """A source with its census."""

    source: Source
    census: Census


def census_of(source: Source, file: int) -> Census:
    """Count one file's rows, group by group; only labels and weights are read.

    Raises:
        LearningError: a label or weight that cannot be used.
        TableError: the file is gone.
    """
    data_file = source.snapshot.files[file]
    with scan.translate_read_errors(only(source.snapshot, file)):
        footer = parquet.metadata(storage.folder(source.snapshot.folder), unquote(data_file.path), data_file.size)
    groups, labels, weights = [], [np.empty(0)], [np.empty(0)]
    for number in range(footer.num_row_groups):
        tables = [
            drop_unlabelled(source, batch) for batch in batches(source.snapshot, file, number, label_columns(source))
        ]
        groups.append(Group(file, number, sum(part.num_rows for part in tables)))
        labels += [label_values(source, part) for part in tables]
        weights += [weight_values(source, part) for part in tables]
    label, weight = np.concatenate(labels), np.concatenate(weights)
    mean, variance = (float(label.mean()), float(label.var())) if len(label) else (0.0, 0.0)
    of_classes = _by_class(source, label, weight)
    return Census(tuple(groups), mean, variance, float(weight.sum()), *of_classes)


def merge_censuses(source: Source, parts: list[Census]) -> CountedSource:
    """Merge the censuses of all files.

    Raises:
        LearningError: no labelled row, or no weight.
    """
    rows = max(1, sum(part.rows for part in parts))
    mean = sum(part.mean * part.rows for part in parts) / rows
    whole = Census(
        tuple(group for part in parts for group in part.groups),
        mean,
        sum((part.variance + (part.mean - mean) ** 2) * part.rows for part in parts) / rows,
        sum(part.weight for part in parts),
        tuple(map(sum, zip(*(part.class_rows for part in parts), strict=True))),
        tuple(map(sum, zip(*(part.class_weights for part in parts), strict=True))),
    )
    named = f"table {source.snapshot.table}, version {source.snapshot.version}"
    if whole.rows == 0:
        raise LearningError(f"No row of {named} has a value in {source.label}: there is nothing to learn from.")
    if not whole.weight > 0:
        raise LearningError(f"The weights of {named} ({source.weight}) add up to nothing.")
    return CountedSource(source, whole)


def check_learnable(rows: CountedSource) -> None:
    """Raise LearningError where all labels of a classification are alike."""
    source, of_classes = rows.source, rows.census.class_rows
    if of_classes and max(of_classes) == rows.census.rows:
        named = f"table {source.snapshot.table}, version {source.snapshot.version}"
        value = (source.classes or ("False", "True"))[of_classes.index(rows.census.rows)]
        raise LearningError(
            f"All {rows.census.rows} rows of {named} have {source.label} = {value}: there is nothing to learn."
        )


def _by_class(source: Source, label: Floats, weight: Floats) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """Rows and weight of each class; none where there are no classes."""
    if not source.task.has_classes:
        return (), ()
    codes, count = label.astype(np.intp), max(2, len(source.classes))
    of_rows, of_weights = np.bincount(codes, minlength=count), np.bincount(codes, weight, minlength=count)
    return tuple(of_rows.tolist()), tuple(of_weights.tolist())
