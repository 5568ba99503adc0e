"""Self-training: a classifier labels the rows without a label that it is sure of, and is fitted again with them."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Generic, Protocol, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from nightjar.errors import LearningError
from nightjar.models.examples import Examples
from nightjar.settings.labelling import SelfTraining

Instants = npt.NDArray[np.datetime64]
log = logging.getLogger("nightjar.train")


class Fitted(Protocol):
    """A fitted classifier: the probability of True of each row of a table."""

    def predict(self, table: pa.Table, /) -> npt.NDArray[np.float64]:
        """The probability of True of each row."""


Model = TypeVar("Model", bound=Fitted)


@dataclass(frozen=True, eq=False)
class Timed:
    """Rows without a label, and their prediction times (UTC)."""

    table: pa.Table
    time: Instants


@dataclass(frozen=True)
class Joined:
    """The rows that joined in one round, by the label they joined with, and those that were left."""

    yes: int
    no: int
    left: int


@dataclass(frozen=True, eq=False)
class SelfTrained(Generic[Model]):
    """The last fitted model, the rows it was fitted on, and what joined them in each round."""

    model: Model
    examples: Examples
    rounds: tuple[Joined, ...]


def self_train(
    fit: Callable[[Examples], Model],
    examples: Examples,
    time: Instants,
    unlabelled: Timed,
    before: np.datetime64,
    settings: SelfTraining,
) -> SelfTrained[Model]:
    """Fit, let the rows join that are predicted above the floor, fit again, until none are or the rounds are over.

    A row once joined keeps its label. It stands for one row. Inner splits stay those of the given rows: what joined is
    in neither of their sides, as its label comes from a model that has seen both.
    What a model is sure of it is often sure of wrongly, and sure rows are of the frequent class first: judge the result
    against plain `fit` on rows that play no part here.

    Source: Yarowsky (1995), Proceedings of ACL, 189-196.

    Args:
        fit: rows to a fitted model.
        examples: the labelled rows, oldest first.
        time: their prediction times (UTC).
        unlabelled: the rows that may join, with the columns of the examples.
        before: where the test period starts, or the data's cut-off: rows at or after it never join, nor are looked at.
        settings: the floor and the rounds.

    Raises:
        LearningError: the examples are of no classification, the columns differ, or what `fit` raises.
    """
    _check(examples, time, unlabelled)
    early = np.flatnonzero(unlabelled.time < before)
    left = Timed(unlabelled.table.select(examples.table.column_names).take(early), unlabelled.time[early])
    floor = 1.0 if settings.floor is None else settings.floor
    model, rounds = fit(examples), list[Joined]()
    while len(left.time) and len(rounds) < settings.rounds:
        probability = model.predict(left.table)
        sure = (probability > floor) | (probability < 1 - floor)
        if not sure.any():
            break
        label, rows, rest = probability[sure] > 0.5, np.flatnonzero(sure), np.flatnonzero(~sure)
        examples, time = _merged(examples, time, Timed(left.table.take(rows), left.time[rows]), label)
        left = Timed(left.table.take(rest), left.time[rest])
        rounds.append(Joined(int(label.sum()), int((~label).sum()), len(rest)))
        log.info("self-training, round %d: %d join as true, %d as false, %d left", len(rounds), *_counts(rounds[-1]))
        model = fit(examples)
    return SelfTrained(model, examples, tuple(rounds))


def _counts(joined: Joined) -> tuple[int, int, int]:
    return joined.yes, joined.no, joined.left


def _merged(
    examples: Examples, time: Instants, joining: Timed, label: npt.NDArray[np.bool_]
) -> tuple[Examples, Instants]:
    """Both by time, oldest first, the given rows first at one time; with inner splits at their new places."""
    times = np.concatenate([time, joining.time])
    order = np.argsort(times, kind="stable")
    place = np.argsort(order, kind="stable")
    weight = examples.weight
    return (
        Examples(
            pa.concat_tables([examples.table, joining.table]).take(order),
            np.concatenate([examples.label.astype(np.bool_), label])[order],
            None if weight is None else np.concatenate([weight, np.ones(len(label))])[order],
            # The given rows keep their order among themselves, so splits within splits stay as they are.
            inner=[replace(split, train=place[split.train], test=place[split.test]) for split in examples.inner],
        ),
        times[order],
    )


def _check(examples: Examples, time: Instants, unlabelled: Timed) -> None:
    if examples.query is not None or not np.isin(examples.label, (False, True)).all():
        raise LearningError("Self-training joins rows by a predicted yes or no: the labels are of no classification.")
    counts = [examples.table.num_rows, len(time), unlabelled.table.num_rows, len(unlabelled.time)]
    if counts[0] != counts[1] or counts[2] != counts[3]:
        raise LearningError(f"Labelled rows and times, unlabelled rows and times: {counts}. Each row needs its time.")
    names, found = examples.table.column_names, unlabelled.table.column_names
    missing = [name for name in names if name not in found]
    if missing:
        raise LearningError(f"Rows without a label lack the columns {', '.join(missing)} of those with one.")
    own = examples.table.schema
    differing = [name for name in names if own.field(name).type != unlabelled.table.schema.field(name).type]
    if differing:
        raise LearningError(f"Rows with and without a label have other types of {', '.join(differing)}.")
