"""Of several classes those that the rows of a fit lack, in words."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from nightjar.learning.data.training_set import TrainingSet
from nightjar.learning.splits.folding import Fold


def describe_rare_classes(rows: TrainingSet, folds: Sequence[Fold]) -> Iterator[str]:
    """What a person should know: classes without a labelled row, and those of test rows that training rows lack."""
    lacking = _values(rows, np.setdiff1d(np.arange(len(rows.classes)), rows.label)) if rows.classes else ""
    if lacking:
        yield f"no labelled row is of the class {lacking}: its probability is 0 until there are some"
    for fold in folds if rows.classes else ():
        unseen = ~np.isin(rows.label[fold.test], rows.label[fold.train])
        if unseen.any():
            which = _values(rows, np.unique(rows.label[fold.test][unseen]))
            yield (
                f"{fold.name} ({fold.start} to {fold.end}): {np.count_nonzero(unseen):,} of {len(fold.test):,} test "
                f"rows are of the class {which}, as none of {len(fold.train):,} training rows is: its probability is 0 "
                "there, those rows count as errors, and log loss has no value"
            )


def _values(rows: TrainingSet, codes: npt.NDArray[Any]) -> str:
    return ", ".join(rows.classes[code] for code in codes)
