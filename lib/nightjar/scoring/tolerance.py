"""Rows that a model cannot score, apart from all others, which it can."""

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from nightjar.errors import ModelError
from nightjar.scoring.identity import prediction_ids
from nightjar.tables import sink
from nightjar.tables.datafiles import NewFile
from nightjar.tables.predictions import FALLBACK, SCORE
from nightjar.tables.rows import TaskFunction
from nightjar.tables.sink import Target

MOST = 100
"""Rows of one piece of a night that a model may fail at. One that fails at more has failed as a whole."""


def row_by_row(
    read: TaskFunction, score: Callable[[TaskFunction], TaskFunction], project: str, key: Sequence[str]
) -> TaskFunction:
    """A task that scores its rows, where a model fails at some of them by parts; their scores are null.

    A row's score does not depend on those that it is scored with, so that parts have the scores of the whole.

    Args:
        read: reads the rows of a task.
        score: from what reads rows to what scores them.
        project: name of the project.
        key: of the spine.

    Raises:
        ModelError: in the task: the model fails at more than `MOST` rows of a piece.
    """

    def score_some(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
        for rows in read(batches):
            failures: list[ModelError] = []
            yield from _parts(rows, failures)

    def _parts(rows: pa.Table, failures: list[ModelError]) -> Iterator[pa.Table]:
        try:
            scored = list(score(lambda _: iter([rows]))(iter(())))
        except ModelError as error:
            if len(rows) > 1:
                half = len(rows) // 2
                yield from _parts(rows.slice(0, half), failures)
                yield from _parts(rows.slice(half), failures)
                return
            failures.append(error)
            if len(failures) > MOST:
                raise ModelError(
                    f"It fails at more than {MOST} rows of a piece of the night, the last time so: {error}"
                ) from error
            scored = [_unscored(rows, project, key, str(error))]
        yield from scored

    return score_some


def _unscored(rows: pa.Table, project: str, key: Sequence[str], why: str) -> pa.Table:
    """Rows without a score; why that is lies in a column that they would not need otherwise."""
    named = rows.select(["prediction_time", *key])
    ids = prediction_ids(project, named.select([*key, "prediction_time"]))
    named = named.append_column("prediction_id", pa.array(ids, pa.string()))
    named = named.append_column(FALLBACK, pa.repeat(pa.scalar(why, pa.string()), len(rows)))
    return named.append_column(SCORE, pa.nulls(len(rows), pa.float64()))


def without_unscored(files: Sequence[NewFile], into: Target) -> tuple[list[NewFile], dict[str, str]]:
    """Files without the rows whose score is null, and the ids of these with the reason; few files have any, and those
    are written anew.

    Args:
        files: that are not committed yet.
        into: the target that they were written for.
    """
    whole, unscored = list[NewFile](), dict[str, str]()
    for file in files:
        if json.loads(file.statistics)["nullCount"].get(SCORE) == 0:
            whole.append(file)
            continue
        rows = sink.read(file, into)
        is_scored = pc.is_valid(rows[SCORE])
        named = rows.filter(pc.invert(is_scored))
        ids: list[Any] = named["prediction_id"].to_pylist()
        reasons: list[Any] = named[FALLBACK].to_pylist()
        unscored |= dict(zip(ids, reasons, strict=True))
        whole += sink.write(rows.filter(is_scored), into)
    return whole, unscored
