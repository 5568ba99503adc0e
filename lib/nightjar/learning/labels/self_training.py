"""Self-training: a classifier labels the unlabelled rows it is sure of, and is fitted again with them."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Generic, Protocol, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from nightjar.errors import LearningError
from nightjar.learning.data.instants import Instants
from nightjar.learning.data.training_set import UnlabelledRows
from nightjar.models.examples import Examples
from nightjar.settings.labelling import SelfTraining

log = logging.getLogger("nightjar.train")


class Classifier(Protocol):
    """A fitted classifier: the probability of True of each row of a table."""

    def predict(self, table: pa.Table, /) -> npt.NDArray[np.float64]:
        """The probability of True of each row."""


Model = TypeVar("Model", bound=Classifier)


@dataclass(frozen=True)
class Round:
    """The rows that joined in one round, by their predicted label, and the unlabelled rows that remain."""

    yes: int
    no: int
    remaining: int


@dataclass(frozen=True, eq=False)
class SelfTrainingResult(Generic[Model]):
    """The last fitted model, the rows it was fitted on, and the rounds."""

    model: Model
    examples: Examples
    rounds: tuple[Round, ...]


def self_train(
    fit: Callable[[Examples], Model],
    examples: Examples,
    time: Instants,
    unlabelled: UnlabelledRows,
    before: np.datetime64,
    settings: SelfTraining,
) -> SelfTrainingResult[Model]:
    """Fit, let rows join that are predicted above the floor, and fit again, until none are or the rounds are over.

    A row that has joined keeps its label, with weight 1. Inner splits stay those of the labelled rows: joined rows are
    in neither of their sides, as their labels come from a model that has seen both.
    A model is often sure and wrong, and sure rows are of the frequent class first: compare the result with plain `fit`
    on rows that play no part here.

    Source: Yarowsky (1995), Proceedings of ACL, 189-196.

    Args:
        fit: rows to a fitted model.
        examples: the labelled rows, oldest first.
        time: their prediction times (UTC).
        unlabelled: the rows that may join, with the columns of the examples.
        before: where the test period starts, or the data's cut-off: rows at or after it are never used.
        settings: the floor and the rounds.

    Raises:
        LearningError: the examples are of no classification, the columns differ, or what `fit` raises.
    """
    _check(examples, time, unlabelled)
    eligible = np.flatnonzero(unlabelled.time < before)
    remaining = UnlabelledRows(
        unlabelled.table.select(examples.table.column_names).take(eligible), unlabelled.time[eligible]
    )
    floor = 1.0 if settings.floor is None else settings.floor
    model, rounds = fit(examples), list[Round]()
    while len(remaining.time) and len(rounds) < settings.rounds:
        probability = model.predict(remaining.table)
        sure = (probability > floor) | (probability < 1 - floor)
        if not sure.any():
            break
        label, rows, others = probability[sure] > 0.5, np.flatnonzero(sure), np.flatnonzero(~sure)
        examples, time = _merge(examples, time, UnlabelledRows(remaining.table.take(rows), remaining.time[rows]), label)
        remaining = UnlabelledRows(remaining.table.take(others), remaining.time[others])
        rounds.append(Round(int(label.sum()), int((~label).sum()), len(others)))
        log.info("self-training, round %d: %d join as true, %d as false, %d left", len(rounds), *_counts(rounds[-1]))
        model = fit(examples)
    return SelfTrainingResult(model, examples, tuple(rounds))


def _counts(round_: Round) -> tuple[int, int, int]:
    return round_.yes, round_.no, round_.remaining


def _merge(
    examples: Examples, time: Instants, joining: UnlabelledRows, label: npt.NDArray[np.bool_]
) -> tuple[Examples, Instants]:
    """Both by time, oldest first, labelled rows first at equal times; with inner splits at their new positions."""
    times = np.concatenate([time, joining.time])
    order = np.argsort(times, kind="stable")
    position = np.argsort(order, kind="stable")
    weight = examples.weight
    return (
        Examples(
            pa.concat_tables([examples.table, joining.table]).take(order),
            np.concatenate([examples.label.astype(np.bool_), label])[order],
            None if weight is None else np.concatenate([weight, np.ones(len(label))])[order],
            # The labelled rows keep their order, so splits within inner splits stay as they are.
            inner=[replace(split, train=position[split.train], test=position[split.test]) for split in examples.inner],
        ),
        times[order],
    )


def _check(examples: Examples, time: Instants, unlabelled: UnlabelledRows) -> None:
    if examples.query is not None or not np.isin(examples.label, (False, True)).all():
        raise LearningError("Self-training joins rows by a predicted yes or no: the labels are of no classification.")
    counts = [examples.table.num_rows, len(time), unlabelled.table.num_rows, len(unlabelled.time)]
    if counts[0] != counts[1] or counts[2] != counts[3]:
        raise LearningError(f"Labelled rows and times, unlabelled rows and times: {counts}. Each row needs its time.")
    names, unlabelled_names = examples.table.column_names, unlabelled.table.column_names
    missing = [name for name in names if name not in unlabelled_names]
    if missing:
        raise LearningError(f"Rows without a label lack the columns {', '.join(missing)} of those with one.")
    schema = examples.table.schema
    differing = [name for name in names if schema.field(name).type != unlabelled.table.schema.field(name).type]
    if differing:
        raise LearningError(f"Rows with and without a label have other types of {', '.join(differing)}.")
