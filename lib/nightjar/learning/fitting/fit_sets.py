"""What a model is fitted on: a fold's training rows or a sample of them, with inner splits where a model needs them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt

from nightjar.durations import parse_duration
from nightjar.errors import LearningError
from nightjar.evaluation.rows import RowNumbers
from nightjar.learning.data.instants import microseconds
from nightjar.learning.data.row_order import RowOrder, row_order
from nightjar.learning.data.sampling import Sample, draw_sample, strata_of
from nightjar.learning.data.training_set import TrainingSet
from nightjar.learning.splits.folding import FEWEST, inner_splits
from nightjar.models.examples import Examples, InnerSplit
from nightjar.settings.learning import Search
from nightjar.settings.split import Split
from nightjar.timeline import cutoff, moment, shift


@dataclass(frozen=True, eq=False)
class FitSet:
    """Rows to fit on.

    Attributes:
        rows: their numbers.
        weight: the sampling weight of each row, multiplied by its own weight; None: 1 each.
        inner: splits of them, for what learns from out-of-fold predictions; the numbers count within `rows`.
        before: rows without a label and predicted before this may join (UTC): their horizon had passed.
    """

    rows: RowNumbers
    weight: npt.NDArray[np.float64] | None
    inner: Sequence[InnerSplit]
    before: np.datetime64

    def examples(self, rows: TrainingSet) -> Examples:
        """The examples to fit on."""
        examples = rows.examples(self.rows, self.inner)
        if self.weight is None:
            return examples
        return replace(examples, weight=self.weight if examples.weight is None else examples.weight * self.weight)

    def contents(self) -> bytes:
        """All of it as bytes, for a hash."""
        weight = b"" if self.weight is None else self.weight.tobytes()
        chunks = [_bytes_of(numbers) for numbers in (self.rows, *_numbers(self.inner))]
        return b" ".join([*chunks, weight, str(self.before).encode()])


def make_fit_set(rows: TrainingSet, train: RowNumbers, before: date, depth: int, settings: Search, zone: str) -> FitSet:
    """The rows of a fold that are fitted on, with inner splits.

    Args:
        rows: all rows.
        train: numbers of those that may be fitted on.
        before: rows without a label may join whose horizon had passed at this date's midnight. Later ones are no random
            sample: early events have settled some of them.
        depth: of inner splits, see `Model.inner_depth`; 0: none.
        settings: the sample, the kind of splits, the seed.
        zone: whose midnights end the dates.

    Raises:
        LearningError: the rows cannot fill the splits, or the sample leaves nothing to learn from, or its strata are
            too many.
    """
    selected, weight = train, None
    if not settings.sample.keeps_all():
        sample = _draw_sample(rows, train, before, settings)
        selected, weight = train[sample.rows], sample.weight
        _require_varied_labels(rows.stored_labels(selected), len(train), before)
    inner = _split_within(rows, selected, before, depth, settings, zone) if depth else ()
    return FitSet(selected, weight, inner, _first_open(rows, before, settings.split, zone))


def _first_open(rows: TrainingSet, before: date, split: Split, zone: str) -> np.datetime64:
    """The first prediction time of an unlabelled row whose horizon, or the embargo after it, had not passed."""
    end = moment(cutoff(before, zone))
    first = np.datetime64(end, "us")
    if rows.unlabelled is None:
        return first
    free = shift(microseconds(rows.unlabelled_passed_at), parse_duration(split.embargo), zone)
    return min([*rows.unlabelled.time[free > end], first])


def require_fit_sets(rows: TrainingSet, fits: Iterable[tuple[RowNumbers, date]], settings: Search, zone: str) -> None:
    """Check, before a search, that any candidate could be fitted afterwards, too.

    Args:
        rows: all rows.
        fits: for each fit, the numbers of the rows that may be fitted on, and the first date that it must not use.
        settings: the candidates, the sample, the kind of splits, the seed.
        zone: whose midnights end the dates.

    Raises:
        LearningError: as `make_fit_set`, or all labels of a fit are alike.
    """
    for train, before in fits:
        fit_set = make_fit_set(rows, train, before, settings.inner_depth(), settings, zone)
        _require_varied_labels(rows.stored_labels(fit_set.rows), len(train), before)


def _draw_sample(rows: TrainingSet, train: RowNumbers, before: date, settings: Search) -> Sample:
    strata = strata_of(rows.stored_labels(train), rows.features.take(train), settings.sample)
    try:
        return draw_sample(_sampling_order(rows, train, settings.seed), rows.day[train], strata, settings.sample)
    except LearningError as error:
        raise LearningError(f"The training rows before {before}: {error}") from error


def _split_within(
    rows: TrainingSet, selected: RowNumbers, before: date, depth: int, settings: Search, zone: str
) -> Sequence[InnerSplit]:
    try:
        return inner_splits(rows, selected, settings.split, zone, settings.seed, depth)
    except LearningError as error:
        candidates = settings.candidates
        names = [name for name, model in candidates.items() if model.inner_depth(candidates) >= depth]
        raise LearningError(
            f"The training rows before {before} cannot be split within, {depth} deep. Calibration, stacking, target "
            f"encoding and early stopping learn from out-of-fold predictions; here those of {', '.join(names)}. {error}"
        ) from error


def _numbers(splits: Sequence[InnerSplit]) -> Iterator[RowNumbers]:
    for split in splits:
        yield from (split.train, split.test, *_numbers(split.inner))


def _bytes_of(rows: RowNumbers) -> bytes:
    return f"{len(rows)} ".encode() + rows.tobytes()


def _sampling_order(rows: TrainingSet, train: RowNumbers, seed: int) -> RowOrder:
    """The random order of the rows, by key; rows of a ranking's list have the order of its first row."""
    order = row_order(rows.key.take(train), "train", seed)
    if rows.query is None:
        return order
    _, first, place = np.unique(rows.query[train], return_index=True, return_inverse=True)
    return order[first][place]


def _require_varied_labels(label: npt.NDArray[Any], total: int, before: date) -> None:
    if len(label) < FEWEST or (label == label[0]).all():
        alike = f", all with the label {label[0]}" if len(label) else ""
        raise LearningError(
            f"Of the {total:,} training rows before {before} the fit keeps {len(label):,}{alike}: nothing can be "
            "learned from them. Keep more (search.sample, search.split.train_days), or build features of more dates."
        )
