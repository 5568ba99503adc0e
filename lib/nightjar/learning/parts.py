"""What a model is fitted on: a fold's training rows, or a sample of them, with splits within where a model asks."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt

from nightjar.durations import parse_duration
from nightjar.errors import LearningError
from nightjar.learning.row_order import RowOrder, row_order
from nightjar.learning.rows import TrainingRows
from nightjar.learning.sampling import Sampled, sampled, strata_of
from nightjar.learning.splits.folding import FEWEST, inner_splits
from nightjar.learning.splits.purging import microseconds
from nightjar.models.examples import Examples, InnerSplit, Rows
from nightjar.settings.learning import Search
from nightjar.settings.split import Split
from nightjar.timeline import cutoff, moment, shift


@dataclass(frozen=True, eq=False)
class TrainingPart:
    """Rows to fit on.

    Attributes:
        rows: their numbers.
        weight: how many rows each one stands for by the sample, beside a weight of its own; None: one each.
        inner: splits of them, for what learns from out-of-fold predictions; the numbers count within `rows`.
        before: rows without a label may join that are predicted earlier than this (UTC): their horizon had passed.
    """

    rows: Rows
    weight: npt.NDArray[np.float64] | None
    inner: Sequence[InnerSplit]
    before: np.datetime64

    def examples(self, rows: TrainingRows) -> Examples:
        """The rows themselves."""
        found = rows.examples(self.rows, self.inner)
        if self.weight is None:
            return found
        return replace(found, weight=self.weight if found.weight is None else found.weight * self.weight)

    def contents(self) -> bytes:
        """All of it, for a hash."""
        weight = b"" if self.weight is None else self.weight.tobytes()
        told = [_told(part) for part in (self.rows, *_numbers(self.inner))]
        return b" ".join([*told, weight, str(self.before).encode()])


def training_part(
    rows: TrainingRows, train: Rows, before: date, depth: int, settings: Search, zone: str
) -> TrainingPart:
    """The rows of a fold that are fitted on, and splits within.

    Args:
        rows: all rows.
        train: numbers of those that may be fitted on.
        before: rows without a label may join whose horizon had passed at this date's midnight. Of later ones those
            are left that no early event has settled, and that is no random sample.
        depth: of the splits within, see `Model.inner_depth`; 0: there are none.
        settings: the sample, the kind of splits, the seed.
        zone: whose midnights end the dates.

    Raises:
        LearningError: the rows cannot fill the splits, or the sample leaves nothing to learn from, or its strata are
            too many.
    """
    kept, weight = train, None
    if not settings.sample.keeps_all():
        sample = _sampled(rows, train, before, settings)
        kept, weight = train[sample.rows], sample.weight
        _require_both(rows.label[kept], len(train), before)
    inner = _inner(rows, kept, before, depth, settings, zone) if depth else ()
    return TrainingPart(kept, weight, inner, _first_open(rows, before, settings.split, zone))


def _first_open(rows: TrainingRows, before: date, split: Split, zone: str) -> np.datetime64:
    """The first prediction time of a row without a label whose horizon, or the embargo after it, had not passed."""
    end = moment(cutoff(before, zone))
    first = np.datetime64(end, "us")
    if rows.unlabelled is None:
        return first
    free = shift(microseconds(rows.unlabelled_passed_at), parse_duration(split.embargo), zone)
    return min([*rows.unlabelled.time[free > end], first])


def require_parts(rows: TrainingRows, fits: Iterable[tuple[Rows, date]], settings: Search, zone: str) -> None:
    """Check before a search that whichever candidate wins can be fitted afterwards, too.

    Args:
        rows: all rows.
        fits: of each: numbers of the rows that may be fitted on, and the first date that it must know nothing of.
        settings: the candidates, the sample, the kind of splits, the seed.
        zone: whose midnights end the dates.

    Raises:
        LearningError: as `training_part`, or all labels of a fit are alike.
    """
    for train, before in fits:
        part = training_part(rows, train, before, settings.inner_depth(), settings, zone)
        _require_both(rows.label[part.rows], len(train), before)


def _sampled(rows: TrainingRows, train: Rows, before: date, settings: Search) -> Sampled:
    strata = strata_of(rows.label[train], rows.features.take(train), settings.sample)
    try:
        return sampled(_order(rows, train, settings.seed), rows.day[train], strata, settings.sample)
    except LearningError as error:
        raise LearningError(f"The training rows before {before}: {error}") from error


def _inner(
    rows: TrainingRows, kept: Rows, before: date, depth: int, settings: Search, zone: str
) -> Sequence[InnerSplit]:
    try:
        return inner_splits(rows, kept, settings.split, zone, settings.seed, depth)
    except LearningError as error:
        everyone = settings.candidates
        asking = [name for name, model in everyone.items() if model.inner_depth(everyone) >= depth]
        raise LearningError(
            f"The training rows before {before} cannot be split within, {depth} deep. Calibration, stacking and target "
            f"encoding learn from out-of-fold predictions; here those of {', '.join(asking)}. {error}"
        ) from error


def _numbers(splits: Sequence[InnerSplit]) -> Iterator[Rows]:
    for split in splits:
        yield from (split.train, split.test, *_numbers(split.inner))


def _told(rows: Rows) -> bytes:
    return f"{len(rows)} ".encode() + rows.tobytes()


def _order(rows: TrainingRows, train: Rows, seed: int) -> RowOrder:
    """By each row's key, or by that of its list's first row: a ranking's lists stay whole."""
    order = row_order(rows.key.take(train), "train", seed)
    if rows.query is None:
        return order
    _, first, place = np.unique(rows.query[train], return_index=True, return_inverse=True)
    return order[first][place]


def _require_both(label: npt.NDArray[Any], total: int, before: date) -> None:
    if len(label) < FEWEST or (label == label[0]).all():
        found = f", all with the label {label[0]}" if len(label) else ""
        raise LearningError(
            f"Of the {total:,} training rows before {before} the fit keeps {len(label):,}{found}: nothing can be "
            "learned from them. Keep more (search.sample, search.split.train_days), or build features of more dates."
        )
