"""The labels and weights of rows of a source, as numbers."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from nightjar.errors import LearningError
from nightjar.evaluation.histograms import is_number
from nightjar.learning.distributed.source import Source
from nightjar.settings.task import Task


def label_values(source: Source, table: pa.Table) -> npt.NDArray[np.float64]:
    """The labels of labelled rows; of several classes the numbers of their values among `classes`.

    Raises:
        LearningError: they are no numbers or booleans, not finite, not 0 and 1 in a classification, or no classes.
    """
    if source.classes:
        return _class_numbers(source, table)
    values = _floats(source, table, source.label)
    if source.task is Task.CLASSIFICATION:
        wrong = values[(values != 0) & (values != 1)]
        if len(wrong):
            raise _value_error(source, source.label, wrong[0], "a boolean, or 0 or 1")
    return values


def weight_values(source: Source, table: pa.Table) -> npt.NDArray[np.float64]:
    """The weights of labelled rows.

    Raises:
        LearningError: one is missing, not finite or below 0.
    """
    if source.weight is None:
        return np.ones(table.num_rows)
    values = _floats(source, table, source.weight)
    if (values < 0).any():
        raise _value_error(source, source.weight, values.min(), "0 or more")
    return values


def _class_numbers(source: Source, table: pa.Table) -> npt.NDArray[np.float64]:
    numbers: Any = pc.index_in(table[source.label].cast(pa.string()), pa.array(source.classes, pa.string()))
    if numbers.null_count:
        other = table[source.label].filter(pc.is_null(numbers))[0]
        raise _value_error(source, source.label, other, f"one of the classes {', '.join(source.classes)}")
    return np.asarray(numbers.to_numpy(), dtype=np.float64)


def _floats(source: Source, table: pa.Table, column: str) -> npt.NDArray[np.float64]:
    kind = table.schema.field(column).type
    if not is_number(kind):
        raise _value_error(source, column, kind, "a column of booleans or numbers")
    plain: Any = table[column].cast(pa.int8()) if pa.types.is_boolean(kind) else table[column]
    values = np.asarray(plain.cast(pa.float64(), safe=False).to_numpy(), dtype=np.float64)
    if not np.isfinite(values).all():
        raise _value_error(source, column, values[~np.isfinite(values)][0], "a finite number in every labelled row")
    return values


def _value_error(source: Source, column: str, value: object, expected: str) -> LearningError:
    named = f"table {source.snapshot.table}, version {source.snapshot.version}"
    return LearningError(f"Column {column} of {named} holds {value}: expected {expected}.")
