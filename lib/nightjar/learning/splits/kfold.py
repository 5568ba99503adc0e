"""K-fold splits: rows, or whole groups of them, put into folds at random, plain or stratified, and purged."""

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import GroupKFold, KFold, StratifiedGroupKFold, StratifiedKFold

from nightjar.durations import parse_duration
from nightjar.errors import LearningError
from nightjar.evaluation.rows import RowNumbers
from nightjar.learning.data.training_set import TrainingSet
from nightjar.learning.splits.splitters import Purged
from nightjar.settings.split import Split, SplitKind

SPLITTERS = {
    SplitKind.RANDOM: KFold,
    SplitKind.STRATIFIED: StratifiedKFold,
    SplitKind.GROUPED: GroupKFold,
    SplitKind.STRATIFIED_GROUPED: StratifiedGroupKFold,
}
STRATIFIED = (SplitKind.STRATIFIED, SplitKind.STRATIFIED_GROUPED)
GROUPED = (SplitKind.GROUPED, SplitKind.STRATIFIED_GROUPED)


def split_kfold(
    rows: TrainingSet, which: RowNumbers, settings: Split, zone: str, seed: int
) -> list[tuple[RowNumbers, RowNumbers]]:
    """(train, test) of each fold, purged; the numbers count within `which`.

    Args:
        rows: all rows.
        which: the numbers of those that are split.
        settings: of any kind but walk-forward.
        zone: whose days an embargo counts.
        seed: of the shuffling.

    Raises:
        LearningError: fewer rows, groups or rows of a class than folds; or nothing to stratify or group by.
    """
    label, groups = rows.label[which], None
    _check_count(len(which), settings, "rows")
    if settings.kind in STRATIFIED:
        _check_classes(rows.stored_labels(which), settings)
    if settings.kind in GROUPED:
        groups = _groups(rows, which, settings)
    splitter = SPLITTERS[settings.kind](n_splits=settings.folds, shuffle=True, random_state=seed)
    embargo, settled = parse_duration(settings.embargo), rows.settled_at()[which]
    purged = Purged(splitter, rows.prediction_time[which], settled, embargo, zone)
    return list(purged.split(np.zeros((len(which), 1)), label, groups))


def _check_count(count: int, settings: Split, what: str) -> None:
    if count < settings.folds:
        raise LearningError(
            f"{count} {what} cannot fill {settings.folds} folds (kind={settings.kind.word}). Use fewer folds "
            "(search.split.folds), or build features of more dates."
        )


def _check_classes(label: npt.NDArray[Any], settings: Split) -> None:
    if label.dtype.kind == "f":
        raise LearningError(
            f"kind={settings.kind.word} spreads each class evenly over the folds, but the labels are numbers. Use "
            "kind=random or grouped (search.split.kind)."
        )
    for value in (True, False) if label.dtype == np.bool_ else np.unique(label):
        _check_count(int((label == value).sum()), settings, f"rows with the label {value}")


def _groups(rows: TrainingSet, which: RowNumbers, settings: Split) -> RowNumbers:
    if rows.group is None:
        raise LearningError(
            f"kind={settings.kind.word} needs groups, and the rows were read without. Read them with "
            f"group={settings.group}."
        )
    groups = rows.group[which]
    _check_count(len(np.unique(groups)), settings, f"groups by {', '.join(settings.group)}")
    return groups
