"""Self-training: a classifier labels the unlabelled rows it is sure of, and is fitted again with them."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from nightjar.errors import LearningError
from nightjar.learning.data.instants import Instants
from nightjar.learning.data.other_rows import UnlabelledRows
from nightjar.models.examples import Examples
from nightjar.settings.labelling import SelfTraining

log = logging.getLogger("nightjar.train")


class Classifier(Protocol):
    """A fitted classifier."""

    def predict(self, table: pa.Table, /) -> npt.NDArray[np.float64]:
        """The probability of True of each row of a table, or of each of several classes, (rows, classes)."""


Model = TypeVar("Model", bound=Classifier)


@dataclass(frozen=True)
class Round:
    """The rows that joined in one round, by their predicted label, and the unlabelled rows that remain."""

    joined: Mapping[bool | str, int]
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
        sure, predicted = _sure_labels(model.predict(remaining.table), floor)
        if not sure.any():
            break
        label, rows, others = predicted[sure], np.flatnonzero(sure), np.flatnonzero(~sure)
        examples, time = _merge(examples, time, UnlabelledRows(remaining.table.take(rows), remaining.time[rows]), label)
        remaining = UnlabelledRows(remaining.table.take(others), remaining.time[others])
        rounds.append(Round(_counts(label, examples.classes), len(others)))
        joined = ", ".join(f"{count} join as {name}" for name, count in rounds[-1].joined.items())
        log.info("self-training, round %d: %s, %d left", len(rounds), joined, len(others))
        model = fit(examples)
    return SelfTrainingResult(model, examples, tuple(rounds))


def _sure_labels(probability: npt.NDArray[np.float64], floor: float) -> tuple[npt.NDArray[np.bool_], npt.NDArray[Any]]:
    """Whether each row's label is predicted above the floor, and that label."""
    if probability.ndim == 1:
        return (probability > floor) | (probability < 1 - floor), probability > 0.5
    return probability.max(axis=1) > floor, probability.argmax(axis=1)


def _counts(label: npt.NDArray[Any], classes: Sequence[str]) -> Mapping[bool | str, int]:
    """How often there is each label: True, False, or a class's value."""
    if not classes:
        return {value: int((label == value).sum()) for value in (True, False)}
    return {classes[code]: int((label == code).sum()) for code in np.unique(label)}


def _merge(
    examples: Examples, time: Instants, joining: UnlabelledRows, label: npt.NDArray[Any]
) -> tuple[Examples, Instants]:
    """Both by time, oldest first, labelled rows first at equal times; with inner splits at their new positions."""
    times = np.concatenate([time, joining.time])
    order = np.argsort(times, kind="stable")
    position = np.argsort(order, kind="stable")
    weight = examples.weight
    return (
        Examples(
            pa.concat_tables([examples.table, joining.table]).take(order),
            np.concatenate([examples.label.astype(label.dtype), label])[order],
            None if weight is None else np.concatenate([weight, np.ones(len(label))])[order],
            # The labelled rows keep their order, so splits within inner splits stay as they are.
            inner=[replace(split, train=position[split.train], test=position[split.test]) for split in examples.inner],
            classes=examples.classes,
        ),
        times[order],
    )


def _check(examples: Examples, time: Instants, unlabelled: UnlabelledRows) -> None:
    has_classes = bool(examples.classes) or np.isin(examples.label, (False, True)).all()
    if examples.query is not None or not has_classes:
        raise LearningError("Self-training joins rows by a predicted class: the labels are of no classification.")
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
