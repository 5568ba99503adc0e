"""Which rows a candidate is fitted on and which it is measured on: the folds, the splits within, the final period."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from nightjar.durations import parse_duration
from nightjar.errors import LearningError
from nightjar.evaluation.rows import RowNumbers
from nightjar.learning.data.instants import Days, microseconds
from nightjar.learning.data.training_set import TrainingSet
from nightjar.learning.splits.kfold import split_kfold
from nightjar.learning.splits.splitters import WalkForward
from nightjar.models.examples import InnerSplit
from nightjar.settings.split import Split, SplitKind
from nightjar.timeline import cutoff, moment

INNER = 3
"""Splits within the training rows."""
FEWEST = 2
"""The least rows that a fold has to train on, and to test on."""

WALK_FORWARD_ADVICE = (
    "Use fewer or shorter folds (search.split.folds, search.split.test_days, search.split.embargo, search.final_days), "
    "or build features of earlier dates."
)
KFOLD_ADVICE = "Use fewer folds (search.split.folds), or build features of more dates."
PURGED_ADVICE = (
    "{:,} rows were dropped because their label time touches that of its test rows. Use a shorter embargo "
    "(search.split.embargo), or test on periods of dates (search.split.kind=walk_forward)."
)
KFOLD_LISTS = "Use search.split.kind=grouped with the list's own columns (search.split.group)."
WALK_FORWARD_LISTS = "Name columns of a list (project.label.query) that tell one date from another."


@dataclass(frozen=True)
class Fold:
    """One split: `train` and `test` are row numbers; the test rows are of the dates `start` to `end`, both included."""

    name: str
    start: date
    end: date
    train: RowNumbers
    test: RowNumbers


def folds(rows: TrainingSet, settings: Split, before: date, zone: str, seed: int) -> list[Fold]:
    """The folds of the search, from rows before a date, the first of the final period. Walk-forward: oldest first.

    No fold trains or tests on a row whose label was known after the midnight at which that date starts, nor on one
    whose horizon had not passed by then: of such rows some labels are known early, and they are no random sample. So
    walk-forward's last test period ends with the last date all of whose rows were settled.

    Args:
        rows: with groups, if the settings ask for them.
        settings: of the split.
        before: the date.
        zone: whose midnights end the dates.
        seed: of the shuffling, where there is any.

    Raises:
        LearningError: the rows cannot fill the folds, or a fold has too few rows or classes to train or to test on.
    """
    which = select_settled(rows, before, zone)
    passed = microseconds(rows.passed_at) <= moment(cutoff(before, zone))
    unsettled = rows.day[(rows.day < np.datetime64(before)) & ~passed]
    end: date = unsettled.min().item() if len(unsettled) else before
    if not len(which):
        raise LearningError(
            f"No row before {before} was settled by its midnight; labelled rows run from {rows.day.min()} to "
            f"{rows.day.max()}. Use a shorter final period (search.final_days), or build features of earlier dates."
        )
    splits = _split(rows, which, settings, end, zone, seed, "fold")
    return [replace(fold, train=which[fold.train], test=which[fold.test]) for fold in splits]


def select_settled(rows: TrainingSet, night: date, zone: str, days: int | None = None) -> RowNumbers:
    """The numbers of the rows that can be learned from at a night's midnight: of earlier dates, and settled by then.

    Args:
        rows: all rows.
        night: the date that the midnight starts.
        zone: whose midnight.
        days: only rows of so many dates before the night; None: all.

    Returns:
        Ascending numbers.
    """
    day, newest = rows.day, np.datetime64(night)
    mask = (day < newest) & (microseconds(rows.settled_at()) <= moment(cutoff(night, zone)))
    return np.flatnonzero(mask if days is None else mask & (day >= newest - days))


def inner_splits(
    rows: TrainingSet, train: RowNumbers, settings: Split, zone: str, seed: int, depth: int = 1, within: str = ""
) -> list[InnerSplit]:
    """Three splits of a fold's own training rows, for what learns from out-of-fold predictions.

    Of the same kind and purged alike; the numbers count within `train`. For walk-forward: consecutive blocks of dates
    at the end of the training rows, each as long as the fold's test period, or as a sixth of the dates if that is
    shorter. So not every training row is in a test part. With a depth of 2, the training rows of each are split once
    more in the same way, and so on; errors then name the fold that they are `within`, too.

    Raises:
        LearningError: the training rows cannot fill the splits.
    """
    if not len(train):
        raise LearningError("There are no training rows to split once more.")
    first, last = rows.day[train].min().item(), rows.day[train].max().item()
    days = max(1, min(settings.test_days, ((last - first).days + 1) // (2 * INNER)))
    shorter = replace(settings, folds=INNER, test_days=days)
    splits = _split(rows, train, shorter, last + timedelta(days=1), zone, seed, f"{within}inner fold")
    deeper = partial(inner_splits, rows, settings=settings, zone=zone, seed=seed, depth=depth - 1)
    return [
        InnerSplit(fold.train, fold.test, deeper(train[fold.train], within=f"{fold.name}, ") if depth > 1 else ())
        for fold in splits
    ]


def final_period(rows: TrainingSet, settings: Split, last_day: date, days: int, zone: str) -> Fold:
    """The last `days` settled dates as the test period, trained on what was known before it.

    The settings' embargo and sliding window hold here too. Groups are not kept apart: the figures are those of a model
    that serves the day after, and scores groups that it was trained on. The test period may have one class only: then
    some of its figures are undefined.

    Raises:
        LearningError: too few rows to train or to test on, or one class only to train on.
    """
    period = Split(folds=1, test_days=days, train_days=settings.train_days, embargo=settings.embargo)
    everything = np.arange(len(rows.label))
    (fold,) = _walk_forward(rows, everything, period, last_day + timedelta(days=1), zone, "final")
    fold = replace(fold, name="final")
    _check_rows(fold, rows.day, WALK_FORWARD_ADVICE)
    _check_labels(fold, rows.stored_labels(everything), ["train"])
    _check_lists(fold, rows.query, WALK_FORWARD_LISTS)
    return fold


def _split(
    rows: TrainingSet, which: RowNumbers, settings: Split, end: date, zone: str, seed: int, name: str
) -> list[Fold]:
    """The folds of some rows, checked; the numbers count within `which`."""
    walks = settings.kind is SplitKind.WALK_FORWARD
    splits = (
        _walk_forward(rows, which, settings, end, zone, name)
        if walks
        else _kfold(rows, which, settings, zone, seed, name)
    )
    for fold in splits:
        dropped = len(which) - len(fold.train) - len(fold.test)
        purged = PURGED_ADVICE.format(dropped) if dropped else KFOLD_ADVICE
        _check_rows(fold, rows.day[which], WALK_FORWARD_ADVICE if walks else purged)
        _check_labels(fold, rows.stored_labels(which), ["train", "test"])
        query = None if rows.query is None else rows.query[which]
        _check_lists(fold, query, WALK_FORWARD_LISTS if walks else KFOLD_LISTS)
    return splits


def _walk_forward(rows: TrainingSet, which: RowNumbers, settings: Split, end: date, zone: str, name: str) -> list[Fold]:
    splitter = WalkForward(
        rows.day[which],
        rows.settled_at()[which],
        before=end,
        folds=settings.folds,
        test_days=settings.test_days,
        zone=zone,
        embargo=parse_duration(settings.embargo),
        train_days=settings.train_days,
    )
    dated = enumerate(zip(splitter.periods(), splitter.split(), strict=True), start=1)
    return [Fold(f"{name} {number}", *period, *parts) for number, (period, parts) in dated]


def _kfold(rows: TrainingSet, which: RowNumbers, settings: Split, zone: str, seed: int, name: str) -> list[Fold]:
    day, splits = rows.day[which], []
    for number, (train, test) in enumerate(split_kfold(rows, which, settings, zone, seed), start=1):
        dates = day[test] if len(test) else day
        splits.append(Fold(f"{name} {number}", dates.min().item(), dates.max().item(), train, test))
    return splits


def _check_rows(fold: Fold, day: Days, advice: str) -> None:
    for part, index in (("train", fold.train), ("test", fold.test)):
        if len(index) < FEWEST:
            lack = "only one row" if len(index) else "no rows"
            raise LearningError(
                f"{_describe(fold)} has {lack} to {part} on; settled rows run from {day.min()} to {day.max()}. {advice}"
            )


def _check_labels(fold: Fold, label: npt.NDArray[Any], parts: Sequence[str]) -> None:
    """Raise LearningError where a part has one of two classes only, or all labels to train on are alike."""
    if label.dtype != np.bool_:
        outcomes = label[fold.train]
        if (outcomes == outcomes[0]).all():
            raise LearningError(
                f"{_describe(fold)} has nothing to learn from: all its {len(outcomes):,} training rows have the label "
                f"{outcomes[0]}. Use fewer folds (search.split.folds), or build features of more dates."
            )
        return
    for part in parts:
        labels = label[fold.train if part == "train" else fold.test]
        if labels.all() or not labels.any():
            missing = "negatives" if labels[0] else "positives"
            raise LearningError(
                f"{_describe(fold)} has no {missing} to {part} on: all its {len(labels):,} rows have the label "
                f"{bool(labels[0])}. Use fewer or longer folds (search.split.folds, search.split.test_days), or "
                "build features of more dates."
            )


def _check_lists(fold: Fold, query: RowNumbers | None, advice: str) -> None:
    if query is None:
        return
    size = np.bincount(query)
    inside = np.bincount(query[fold.test], minlength=len(size))
    parted = int(((inside > 0) & (inside < size)).sum())
    if parted:
        raise LearningError(
            f"{_describe(fold)} has only some rows of {parted:,} lists to test on: a ranking is judged by whole "
            f"lists. {advice}"
        )


def _describe(fold: Fold) -> str:
    return f"{fold.name} ({fold.start} to {fold.end})"
