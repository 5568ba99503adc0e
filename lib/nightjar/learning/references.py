"""The reference of drift: histograms of a model's training data and of its scores, whole, by slice and by night."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from nightjar.evaluation.criteria import Standard
from nightjar.evaluation.decisions import choose_classes
from nightjar.evaluation.distances import design_effect
from nightjar.evaluation.group_counts import count_by_group, count_numbers, special_numbers, text_lengths
from nightjar.evaluation.histograms import Bins, bin_numbers, fit_bins, is_text
from nightjar.evaluation.joint_reference import fit_joint_reference
from nightjar.evaluation.rows import RowNumbers
from nightjar.evaluation.summaries import moments_of
from nightjar.learning.data.instants import Days
from nightjar.learning.data.training_set import TrainingSet
from nightjar.learning.reference_anchors import Anchor, anchored
from nightjar.learning.reference_nulls import null_rows
from nightjar.tables import predictions
from nightjar.tables.references import TOGETHER, length_of, slice_of

Histogram = dict[str, Any]
"""A row of the table `references`, without version and run; `nights` has the dates and counts of its nights."""
NIGHTS = 60
"""Nights from which the design effect is estimated."""
MOST_LEVELS = 20
"""Levels of a slice that are watched apart: the most frequent."""


@dataclass(frozen=True)
class Watching:
    """What references hold besides the training data as a whole.

    Attributes:
        slices: columns whose levels are counted apart.
        untested: features whose values prediction time alone decides.
        importance: feature -> its share of what the model uses.
        anchors: feature -> the bins of an earlier version, and what it was trained on.
        gap_days: the longest window of the features: nights so close to each other share facts.
        oldest_days: the age of a version up to which its nights are judged by nights as old.
        together: features that are also compared together; none: they are not.
        scores: of every row by a fit that has not seen it, NaN where there is none; None: of the final period alone.
    """

    slices: Sequence[str] = ()
    untested: Collection[str] = ()
    importance: Mapping[str, float] = field(default_factory=dict)
    anchors: Mapping[str, Anchor] = field(default_factory=dict)
    gap_days: int = 0
    oldest_days: int = 90
    together: Sequence[str] = ()
    scores: npt.NDArray[np.float64] | None = None


@dataclass(frozen=True)
class _Nights:
    """The nights of some rows, looked for once for all of their columns.

    Attributes:
        dates: ascending.
        of_rows: the place in them of each row's date.
    """

    dates: Days
    of_rows: RowNumbers


@dataclass(frozen=True)
class _Part:
    """A column of some rows, with what tells these rows apart.

    Attributes:
        slices: name of a slice -> whether each row is in it.
    """

    values: "pa.ChunkedArray[Any]"
    nights: _Nights
    slices: Mapping[str, npt.NDArray[np.bool_]]


def histograms(
    rows: TrainingSet,
    fit_rows: RowNumbers,
    final: RowNumbers,
    final_scores: npt.NDArray[np.float64],
    standard: Standard = Standard(),  # noqa: B008  (frozen)
    watching: Watching = Watching(),
) -> list[Histogram]:
    """Histograms of every feature over the rows that the model is fitted on, and of the score over the final period.

    Of several classes also of the predicted class, and of the probability of each; of a text with more levels than bins
    also of its length.

    A model's scores of its own training rows are sharper than those of new rows, so they are no fair reference. Nights
    of scores are those whose rows some fit has not seen.

    Args:
        rows: all rows, in the order of their dates.
        fit_rows: numbers of those that the model is fitted on, ascending.
        final: numbers of those of the final period, ascending.
        final_scores: the model's scores of the final period's rows, of several classes (rows, classes).
        standard: has the classes, and the costs that decide which one is predicted.
        watching: what else is stored.
    """
    masks = dict(_slices(rows, watching.slices))
    of_fit = {name: mask[fit_rows] for name, mask in masks.items()}
    nights = _nights(rows.day[fit_rows])
    features = {
        column.name: _Part(rows.features[column.name].take(fit_rows), nights, of_fit) for column in rows.columns
    }
    result = [one for name, part in features.items() for one in _of_feature(name, part, watching)]
    of_final = {name: mask[final] for name, mask in masks.items()}
    is_scored = _scored(rows, final, watching.scores)
    of_period, unseen = _nights(rows.day[final]), _nights(rows.day[is_scored])
    for name, scores in _watched(final_scores, standard).items():
        part = _Part(pa.chunked_array([pa.array(scores)]), of_period, of_final)
        bins = fit_bins(part.values)
        own, *by_slice = _histogram(name, bins, part)
        if watching.scores is not None:
            scores_of_all = pa.array(_watched(watching.scores[is_scored], standard)[name])
            counts = count_by_group(bins, scores_of_all, unseen.of_rows, len(unseen.dates))
            own["nights"] = unseen.dates, counts
        result += [own, *by_slice]
    names, days = predictions.watched(standard.classes), (watching.gap_days, watching.oldest_days)
    result += null_rows(result, names, gap_days=days[0], oldest_days=days[1])
    return [*result, *_together(rows, fit_rows, watching)] if watching.together else result


def _together(rows: TrainingSet, fit_rows: RowNumbers, watching: Watching) -> Iterator[Histogram]:
    """The row of how columns go together; none where there are too few nights."""
    chosen = rows.features.select(watching.together).take(fit_rows)
    levels = {
        name: fit_bins(own).levels if is_text(own.type) else None
        for name, own in zip(chosen.column_names, chosen.columns, strict=True)
    }
    reference = fit_joint_reference(chosen, rows.day[fit_rows], levels, watching.gap_days)
    if reference is not None:
        yield {"column": TOGETHER, "night": None, "slice": None, "null_distribution": reference.to_json()}


def _nights(days: Days) -> _Nights:
    dates, of_rows = np.unique(days, return_inverse=True)
    return _Nights(dates, of_rows)


def _scored(rows: TrainingSet, final: RowNumbers, scores: npt.NDArray[np.float64] | None) -> RowNumbers:
    """The rows that some fit has scored unseen; those of the final period where nobody has looked at others."""
    if scores is None:
        return final
    return np.flatnonzero(~np.isnan(scores.reshape(len(rows.day), -1)).any(axis=1))


def _of_feature(name: str, part: _Part, watching: Watching) -> Iterator[Histogram]:
    """A feature's rows: as a whole, by slice, and of the lengths of texts that have more levels than bins."""
    anchor = anchored(part.values, watching.anchors.get(name))
    bins = fit_bins(part.values) if anchor is None else anchor.bins
    whole, *by_slice = _histogram(name, bins, part)
    whole |= {"importance": watching.importance.get(name), "tested": name not in watching.untested}
    if anchor is not None:
        whole |= {"anchor_version": anchor.version, "anchor_counts": anchor.counts}
    yield from [whole, *by_slice]
    if is_text(part.values.type) and whole["counts"][-1]:
        lengths = _Part(text_lengths(part.values), part.nights, {})  # type: ignore[arg-type]
        yield from _histogram(length_of(name), fit_bins(lengths.values), lengths)


def _watched(scores: npt.NDArray[np.float64], standard: Standard) -> dict[str, npt.NDArray[Any]]:
    """What is watched of scores, by its subject."""
    if not standard.classes:
        return {predictions.SCORE: scores}
    chosen = choose_classes(scores, standard.costs)
    names = predictions.watched(standard.classes)
    of_chosen = scores[np.arange(len(scores)), chosen], np.array(standard.classes)[chosen]
    return dict(zip(names, (*of_chosen, *scores.T), strict=True))


def _histogram(name: str, bins: Bins, part: _Part) -> Iterator[Histogram]:
    """A column's rows as a whole, with its nights, and by slice."""
    numbers = bin_numbers(bins, part.values)
    dates = part.nights.dates
    nights = count_numbers(numbers, bins.size, part.nights.of_rows, len(dates))
    special, moments = special_numbers(part.values), moments_of(part.values)
    yield {
        "column": name,
        "night": None,
        "slice": None,
        "bins": bins.to_json(),
        "counts": nights.sum(axis=0).tolist(),
        "design_effect": design_effect(nights[-NIGHTS:]),
        "special": None if special is None else special.tolist(),
        "mean": moments[0],
        "std": moments[1],
        "nights": (dates, nights),
    }
    for of_slice, is_in in part.slices.items():
        counts = np.bincount(numbers[is_in], minlength=bins.size)
        yield {"column": name, "night": None, "slice": of_slice, "counts": counts.tolist()}


def _slices(rows: TrainingSet, names: Sequence[str]) -> Iterator[tuple[str, npt.NDArray[np.bool_]]]:
    """The slices by name, with whether each row is in it."""
    tables = [rows.features, *([] if rows.slices is None else [rows.slices]), rows.key]
    for name in names:
        table = next((one for one in tables if name in one.column_names), None)
        if table is None:
            continue
        texts: Any = table[name].cast(pa.string())
        levels, counts = pc.value_counts(texts.drop_null()).flatten()
        ranked = pa.table({"level": levels, "rows": counts})
        ranked = ranked.sort_by([("rows", "descending"), ("level", "ascending")]).slice(0, MOST_LEVELS)
        levels_of: list[Any] = ranked["level"].to_pylist()
        for level in levels_of:
            yield slice_of(name, level), np.asarray(pc.fill_null(pc.equal(texts, pa.scalar(level)), False))
