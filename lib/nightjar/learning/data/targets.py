"""What a fit takes from a row apart from its features: the outcome, as the task needs it, and the weight."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from nightjar.errors import LearningError
from nightjar.masking.values import in_words
from nightjar.models.columns import LARGEST
from nightjar.settings.spine import WEIGHT
from nightjar.settings.task import Task

SHOWN = 3
"""How many rows are named."""


def labels(rows: pa.Table, key: Sequence[str], task: Task, classes: Sequence[str] = ()) -> npt.NDArray[Any]:
    """The outcomes in `label`: booleans for a classification, float64 otherwise (for a ranking true is 1).

    Of several classes they are the numbers of `classes`, from 0.

    Raises:
        LearningError: the column is not of a type that the task needs, or holds a value that it cannot learn from: the
            rows that do are named by the columns of the key.
    """
    column = rows["label"]
    expected, fits = _LABEL_TYPES[task]
    if not fits(column.type):
        raise LearningError(
            f"Column label of table labels is of type {column.type}: expected {expected} for a {task.value}. "
            "Change the task of the search, or the label of the project."
        )
    if task is Task.CLASSIFICATION:
        return _numpy(column).astype(np.bool_)
    if task is Task.MULTICLASS:
        return _codes(rows, key, classes)
    values = _floats(column)
    least = 0.0 if task is Task.RANKING else -LARGEST
    wrong = ~((values >= least) & (values <= LARGEST))
    _raise_if_any(rows, key, values, wrong, "label of table labels", _range_of(task))
    return values


def weights(rows: pa.Table, key: Sequence[str]) -> npt.NDArray[np.float64]:
    """The weights of rows; null is 1: the row was built when the spine was not sampled.

    Raises:
        LearningError: a weight that is not above 0, or not finite; rows are named by the columns of the key.
    """
    column = rows[WEIGHT]
    values = _floats(column)
    values[_numpy(column.is_null())] = 1.0
    wrong = ~(np.isfinite(values) & (values > 0))
    _raise_if_any(rows, key, values, wrong, f"{WEIGHT} of table features", "finite numbers above 0")
    return values


def _range_of(task: Task) -> str:
    numbers = "numbers from 0 for a ranking" if task is Task.RANKING else "numbers for a regression"
    remedy = "Correct them in their source, or give its column a minimum or maximum, which refuses their rows"
    return f"finite {numbers}, none beyond {LARGEST:.2g} (float32). {remedy}"


def _codes(rows: pa.Table, key: Sequence[str], classes: Sequence[str]) -> npt.NDArray[np.int64]:
    texts = np.asarray(rows["label"].to_pylist(), dtype=np.str_)
    codes = pd.Index(classes).get_indexer(pd.Index(texts)).astype(np.int64)
    expected = f"one of {', '.join(classes)} (project.label.classes). Declare the others, or build the labels again"
    _raise_if_any(rows, key, texts, codes < 0, "label of table labels", expected)
    return codes


def _raise_if_any(
    rows: pa.Table,
    key: Sequence[str],
    values: npt.NDArray[Any],
    wrong: npt.NDArray[np.bool_],
    where: str,
    expected: str,
) -> None:
    at = np.flatnonzero(wrong)
    if not len(at):
        return
    some = ", ".join(map(str, np.unique(values[at])[:SHOWN]))
    keys = rows.take(at[:SHOWN]).select(list(key)).to_pylist()
    named = "; ".join(map(in_words, keys))
    more = " and others" if len(at) > SHOWN else ""
    raise LearningError(
        f"Column {where} holds {some} in {len(at):,} of {len(wrong):,} labelled rows ({named}{more}): expected "
        f"{expected}."
    )


def _is_number(kind: pa.DataType) -> bool:
    return pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)


def _is_relevance(kind: pa.DataType) -> bool:
    return _is_number(kind) or pa.types.is_boolean(kind)


_LABEL_TYPES: Mapping[Task, tuple[str, Callable[[pa.DataType], bool]]] = {
    Task.CLASSIFICATION: ("a boolean", pa.types.is_boolean),
    Task.MULTICLASS: ("a text", lambda kind: pa.types.is_string(kind) or pa.types.is_large_string(kind)),
    Task.REGRESSION: ("a number", _is_number),
    Task.RANKING: ("a number or a boolean", _is_relevance),
}


def _floats(column: "pa.ChunkedArray[Any]") -> npt.NDArray[np.float64]:
    plain = column.cast(pa.int8()) if pa.types.is_boolean(column.type) else column
    return _numpy(plain.cast(pa.float64(), safe=False)).astype(np.float64)


def _numpy(column: "pa.ChunkedArray[Any]") -> npt.NDArray[Any]:
    return column.combine_chunks().to_numpy(zero_copy_only=False)
