"""All that is counted of rows in one look at each of their columns: whole, by slice, and the lengths of texts."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nightjar.evaluation.group_counts import count_numbers, special_numbers, text_lengths
from nightjar.evaluation.histograms import ArrowColumn, Bins, Counts, bin_numbers, count, is_number, is_text
from nightjar.tables.references import length_of, slice_of

Name: TypeAlias = tuple[str, str]
"""What was counted (`WHOLE`, `SPECIAL`, or the name of a slice), and of which subject."""
Tally: TypeAlias = dict[Name, Counts]
WHOLE, SPECIAL = "", "special"


@dataclass(frozen=True)
class TallyPlan:
    """What is counted.

    Attributes:
        bins: column -> its bins.
        lengths: column of texts -> the bins of their lengths.
        slices: column -> its levels that are counted apart, see `references.slice_of`.
    """

    bins: Mapping[str, Bins]
    lengths: Mapping[str, Bins] = field(default_factory=dict)
    slices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def columns(self) -> list[str]:
        """All columns that have to be read."""
        return list(dict.fromkeys([*self.bins, *self.lengths, *self.slices]))

    def without(self, columns: Mapping[str, str]) -> "TallyPlan":
        """The same without some columns."""
        return TallyPlan(
            {name: bins for name, bins in self.bins.items() if name not in columns},
            {name: bins for name, bins in self.lengths.items() if name not in columns},
            {name: levels for name, levels in self.slices.items() if name not in columns},
        )

    def misfits(self, schema: pa.Schema) -> dict[str, str]:
        """Column -> why it cannot be counted: it is not there, or of another kind than its bins."""
        reasons: dict[str, str] = {}
        for name in self.columns:
            if name not in schema.names:
                reasons[name] = "the table has no such column any more"
                continue
            kind, bins = schema.field(name).type, self.bins.get(name)
            fits = bins is None or pa.types.is_null(kind) or (is_number if bins.kind == "numeric" else is_text)(kind)
            if not fits or (name in self.lengths and not is_text(kind)):
                reasons[name] = f"it has the type {kind}, and was {(bins or self.lengths[name]).kind} in training"
        return reasons


def tally(plan: TallyPlan, rows: pa.Table) -> Tally:
    """What the plan counts of some rows; tallies of parts add up, see `add`."""
    result: Tally = {}
    groups = {column: _groups(rows[column], levels) for column, levels in plan.slices.items()}
    for name, bins in plan.bins.items():
        for (of, subject), counts in _tally_column(name, bins, rows[name], groups, plan.slices):
            result[of, subject] = counts
    for name, bins in plan.lengths.items():
        result[WHOLE, length_of(name)] = count(bins, text_lengths(rows[name]))
    return result


def add(total: Tally, part: Tally) -> Tally:
    """The counts of the rows of both."""
    for name, counts in part.items():
        total[name] = total[name] + counts if name in total else counts
    return total


def _tally_column(
    name: str, bins: Bins, values: ArrowColumn, groups: Mapping[str, Counts], slices: Mapping[str, tuple[str, ...]]
) -> Iterator[tuple[Name, Counts]]:
    special = special_numbers(values)
    if special is not None:
        yield (SPECIAL, name), special
    if not groups:
        yield (WHOLE, name), count(bins, values)
        return
    numbers = bin_numbers(bins, values)
    yield (WHOLE, name), np.bincount(numbers, minlength=bins.size).astype(np.int64)
    for column, group in groups.items():
        levels = slices[column]
        for level, counts in zip(levels, count_numbers(numbers, bins.size, group, len(levels)), strict=True):
            yield (slice_of(column, level), name), counts


def _groups(column: ArrowColumn, levels: tuple[str, ...]) -> Counts:
    """The number of each row's level; of others the number of levels."""
    numbers = pc.index_in(column.cast(pa.string()), value_set=pa.array(levels, pa.string()))
    return np.asarray(numbers.fill_null(len(levels)).to_numpy(), np.int64)
