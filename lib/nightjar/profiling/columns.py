"""What each column of a raw file holds, exactly: type, nulls, distinct values, quantiles, distribution and examples."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nightjar.asof.values import Ints
from nightjar.profiling.distributions import distribution_of
from nightjar.profiling.parsing import Values
from nightjar.profiling.raw_file import RawFile
from nightjar.profiling.type_inference import NULL_WORDS, TypedValues, infer_type, null_word
from nightjar.report.histograms import Distribution
from nightjar.settings.files import NULL_TEXT, File
from nightjar.settings.sources import ColumnType

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
EXAMPLES = 3
FEW_LEVELS = 12
ORDERED = (ColumnType.LONG, ColumnType.DOUBLE, ColumnType.DATE, ColumnType.TIMESTAMP)


@dataclass(frozen=True)
class ValueCounts:
    """The different values of a column, as its type, in the order in which they first come, and how often each does."""

    values: Values
    counts: Ints


@dataclass(frozen=True)
class ColumnProfile:
    """What a column holds.

    Attributes:
        name: as the file has it.
        kind: the type that a source declares it with.
        reason: why, where one may wonder.
        is_doubtful: whether a person should look at the type.
        zone: of instants: whose clocks the file shows; empty: nobody knows whose; None: it does not say.
        rows: of the file.
        nulls: rows without a value.
        distinct: different values, as the type.
        not_finite: rows with NaN or an infinity; quantiles are of the others.
        least, greatest: of numbers, days and instants; None where there is none.
        quantiles: share -> the least value that at least so large a share of the values is at or below.
        infinite: rows with an infinity.
        levels: the different values of a text, where these are few; empty otherwise.
        distribution: how the values are spread, to be drawn; None where no picture would show it.
        examples: the first different values, as they stand in the file; of binary fractions six digits.
    """

    name: str
    kind: ColumnType
    reason: str
    is_doubtful: bool
    zone: str | None
    rows: int
    nulls: int
    distinct: int
    not_finite: int
    least: Any
    greatest: Any
    quantiles: Mapping[float, Any]
    infinite: int
    levels: tuple[str, ...]
    distribution: Distribution | None
    examples: tuple[str, ...]

    def is_unique(self) -> bool:
        """Whether every row has a value of its own."""
        return not self.nulls and self.distinct == self.rows

    def is_counter(self) -> bool:
        """Whether it numbers the rows without a gap, or nearly: each whole number once."""
        return self.kind is ColumnType.LONG and self.is_unique() and self.greatest - self.least < 1.5 * self.rows


@dataclass(frozen=True)
class FileProfile:
    """What a raw file holds.

    Attributes:
        file: as a source's settings name it, with the text that stands for a missing value.
        rows: how many.
        columns: name -> profile, in the file's order.
        left_out: columns that a source cannot have or that hold nothing, with the reason.
    """

    file: File
    rows: int
    columns: Mapping[str, ColumnProfile]
    left_out: Mapping[str, str]

    @property
    def null_text(self) -> str:
        """The text that stands for a missing value, besides the empty one."""
        return self.file.null_texts[0]


def profile_file(raw: RawFile) -> FileProfile:
    """Look at every value of a raw file, a column at a time."""
    absent = _null_text(raw) if raw.is_text else NULL_TEXT
    columns, left_out = dict[str, ColumnProfile](), dict(raw.left_out)
    for name in raw.names:
        values = raw.column(name, absent)
        counts = _count_values(values)
        reading = infer_type(counts.values) if len(counts.values) else None
        if reading is not None:
            columns[name] = _profile(name, values, counts, reading)
        else:
            left_out[name] = "no row has a value" if not len(counts.values) else _unread(values.type)
    file = File(raw.file.path, format=raw.file.format, null_text=absent)
    return FileProfile(file, raw.rows, columns, left_out)


def _null_text(raw: RawFile) -> str:
    """The word that stands for a missing value in most columns; by default the one that settings have by default."""
    votes: dict[str, int] = {}
    for name in raw.names:
        word = null_word(_count_values(raw.column(name)).values)
        votes |= {word: votes.get(word, 0) + 1} if word else {}
    return max(votes, key=lambda word: (votes[word], -NULL_WORDS.index(word)), default=NULL_TEXT)


def _count_values(column: "pa.ChunkedArray[Any]") -> ValueCounts:
    values, counts = column.drop_null().value_counts().flatten()
    return ValueCounts(values, np.asarray(counts.to_numpy(), dtype=np.int64))


def _unread(kind: pa.DataType) -> str:
    if pa.types.is_timestamp(kind):
        return "some instants are finer than a microsecond, or outside the years 1 to 9999, which tables do not hold"
    return f"some of its values, a {kind}, are no exact values of a type that sources have"


def _profile(name: str, column: "pa.ChunkedArray[Any]", raw: ValueCounts, reading: TypedValues) -> ColumnProfile:
    value_counts = _merge(reading.values, raw.counts)
    finite = _finite(value_counts)
    ascending = _sort(finite) if reading.kind in ORDERED else ValueCounts(finite.values[:0], finite.counts[:0])
    values = ascending.values
    infinite = pc.is_inf(value_counts.values) if pa.types.is_floating(value_counts.values.type) else None
    return ColumnProfile(
        name=name,
        kind=reading.kind,
        reason=reading.reason,
        is_doubtful=reading.is_doubtful,
        zone=reading.zone,
        rows=len(column),
        nulls=column.null_count,
        distinct=len(value_counts.values),
        not_finite=int(value_counts.counts.sum() - finite.counts.sum()),
        least=values[0].as_py() if len(values) else None,
        greatest=values[-1].as_py() if len(values) else None,
        quantiles=_quantiles(ascending),
        infinite=0 if infinite is None else int(value_counts.counts[np.asarray(infinite)].sum()),
        levels=_levels(reading.kind, value_counts),
        distribution=distribution_of(reading.kind, value_counts.values, value_counts.counts),
        examples=tuple(_shown(value) for value in raw.values[:EXAMPLES].to_pylist()),
    )


def _levels(kind: ColumnType, value_counts: ValueCounts) -> tuple[str, ...]:
    is_few = kind is ColumnType.STRING and len(value_counts.values) <= FEW_LEVELS
    return tuple(sorted(map(str, value_counts.values.to_pylist()))) if is_few else ()


def _shown(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _merge(values: Values, counts: Ints) -> ValueCounts:
    """Texts that differ may be one value: 1 and 1.0 of a DOUBLE, or 0.0 and -0.0."""
    if pa.types.is_floating(values.type):
        values = pc.add(values, pa.scalar(0.0, values.type))
    dictionary = values.dictionary_encode()
    places = dictionary.indices.to_numpy()
    merged = np.zeros(len(dictionary.dictionary), dtype=np.int64)
    np.add.at(merged, places, counts)
    return ValueCounts(dictionary.dictionary, merged)


def _finite(value_counts: ValueCounts) -> ValueCounts:
    if not pa.types.is_floating(value_counts.values.type):
        return value_counts
    finite = pc.is_finite(value_counts.values)
    return ValueCounts(value_counts.values.filter(finite), value_counts.counts[np.asarray(finite)])


def _sort(value_counts: ValueCounts) -> ValueCounts:
    order = pc.sort_indices(value_counts.values)
    return ValueCounts(value_counts.values.take(order), value_counts.counts[order.to_numpy()])


def _quantiles(ascending: ValueCounts) -> dict[float, Any]:
    if not len(ascending.values):
        return {}
    up_to = np.cumsum(ascending.counts)
    places = {share: int(np.searchsorted(up_to, math.ceil(share * up_to[-1]))) for share in QUANTILES}
    return {share: ascending.values[place].as_py() for share, place in places.items()}
