"""The type of a column, told from all its values: one with which `ingest` refuses none of them."""

from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from nightjar.profiling.parsing import WORDS, Values, instants, is_text, natural, read
from nightjar.settings.sources import ColumnType

NULL_WORDS = ("NA", "N/A", "n/a", "NULL", "null", "None", "none", "NaN", "nan", "\\N", "#N/A", "-", "--", "?", ".")
"""What CSV files write for a missing value, where they do not leave it empty."""
ALMOST = 0.9
"""A column with this share of values of one type is asked about: are the others mistakes?"""
ZONES = (
    "UTC", "Europe/London", "Europe/Paris", "Europe/Helsinki", "Europe/Istanbul", "America/New_York", "America/Chicago",
    "America/Denver", "America/Los_Angeles", "America/Sao_Paulo", "Asia/Kolkata", "Asia/Shanghai", "Asia/Tokyo",
    "Australia/Sydney", "Pacific/Auckland",
)  # fmt: skip
"""A zone for each of the usual clocks; others show the same."""
_FIRST = 10_000
_STRICT = (ColumnType.LONG, ColumnType.DOUBLE, ColumnType.DATE, ColumnType.TIMESTAMP)
_TWO = "its only values are {}"
_IDENTIFIER = r"^[ \t]*[+-]?0[0-9]"
_SIGNS_OF_A_FRACTION = r"[.]|(?i:inf|nan)"


@dataclass(frozen=True)
class TypedValues:
    """How the different values of a column are read.

    Attributes:
        kind: the type.
        values: the same values as that type.
        reason: why it is that type, where one may wonder.
        is_doubtful: whether a person should look at it.
        zone: of instants: whose clocks the file shows; empty: nobody knows whose; None: it does not say.
    """

    kind: ColumnType
    values: Values
    reason: str = ""
    is_doubtful: bool = False
    zone: str | None = None


def infer_type(values: Values) -> TypedValues | None:
    """The type of different values without a null; None where a value has none that `ingest` would take."""
    if is_text(values.type):
        return of_texts(values)
    kind, typed = natural(values)
    zone = values.type.tz if kind is ColumnType.TIMESTAMP else None
    if kind in (ColumnType.LONG, ColumnType.DOUBLE) and set(typed[:3].to_pylist()) == {0, 1}:
        return TypedValues(ColumnType.BOOLEAN, typed.cast(pa.bool_()), _TWO.format("0 and 1"), is_doubtful=True)
    return None if typed.null_count else TypedValues(kind, typed, zone="" if zone and zone[0] in "+-" else zone)


def of_texts(texts: Values) -> TypedValues:
    """The type of texts: the strictest that all of them are."""
    words = {text.strip().lower() for text in texts[:8].to_pylist()} if len(texts) <= 8 else set()
    if len(words) == 2 and any(words == set(pair) for pair in zip(*WORDS.values(), strict=True)):
        pair = " and ".join(sorted(words))
        typed = read(texts, ColumnType.BOOLEAN)
        return TypedValues(ColumnType.BOOLEAN, typed, _TWO.format(pair), is_doubtful=words == {"0", "1"})
    readings = {kind: read(texts, kind) for kind in _STRICT if _may_be(texts[:_FIRST], kind)}
    kind = next((kind for kind, values in readings.items() if not values.null_count), None)
    if kind in (ColumnType.LONG, ColumnType.DOUBLE):
        return _number(texts, kind, readings[kind])
    if kind is ColumnType.TIMESTAMP:
        return _instants(texts)
    return TypedValues(kind, readings[kind]) if kind else _string(texts, readings)


def _may_be(first: Values, kind: ColumnType) -> bool:
    """Whether the first values leave it open that nearly all are of a type."""
    return bool(read(first, kind).null_count <= (1 - ALMOST) * len(first))


def null_word(texts: Values) -> str | None:
    """The word without which texts would all be of a stricter type: it stands for a missing value."""
    if not pc.any(pc.is_in(texts, value_set=pa.array(NULL_WORDS, texts.type))).as_py():
        return None
    for kind in _STRICT:
        unread = texts.filter(read(texts, kind).is_null())
        if len(unread) == 1 < len(texts) and unread[0].as_py() in NULL_WORDS:
            return str(unread[0].as_py())
    return None


def _number(texts: Values, kind: ColumnType, values: Values) -> TypedValues:
    padded = texts.filter(pc.match_substring_regex(texts, _IDENTIFIER))
    if len(padded):
        return TypedValues(
            ColumnType.STRING, texts, f"zeros lead some of its numbers, such as {padded[0].as_py()!r}: a code"
        )
    fractions = pc.any(pc.match_substring_regex(texts, _SIGNS_OF_A_FRACTION)).as_py()
    if kind is ColumnType.DOUBLE and not fractions:
        unread: Any = texts.filter(read(texts, ColumnType.LONG).is_null())
        why = f"{unread[0].as_py()!r} among whole numbers looks like a code"
        return TypedValues(ColumnType.STRING, texts, why, is_doubtful=True)
    return TypedValues(kind, values)


def _instants(texts: Values) -> TypedValues:
    moments, offsets = instants(texts)
    if offsets.null_count == len(texts):
        return TypedValues(ColumnType.TIMESTAMP, moments)
    if offsets.null_count:
        why = "some of its times have an offset, and those that have none are read as UTC"
        return TypedValues(ColumnType.TIMESTAMP, moments, why, is_doubtful=True, zone="")
    return TypedValues(ColumnType.TIMESTAMP, moments, zone=_zone_of(offsets, moments) or "")


def _zone_of(offsets: Values, moments: Values) -> str | None:
    """The zone of `ZONES` whose clocks had these offsets, in minutes, at these instants; None if none of them."""
    for zone in ZONES:
        local = pc.local_timestamp(moments.cast(pa.timestamp("us", zone)))
        shown = pc.subtract(local.cast(pa.int64()), moments.cast(pa.int64()))
        if pc.all(pc.equal(shown, pc.multiply(offsets, 60_000_000))).as_py():
            return zone
    return None


def _string(texts: Values, readings: dict[ColumnType, Values]) -> TypedValues:
    """A text. Where nearly all values are of another type, that is said."""
    for kind, values in readings.items():
        others = values.null_count
        if others <= (1 - ALMOST) * len(texts):
            example = texts.filter(values.is_null())[0].as_py()
            why = f"all but {others:,} of its {len(texts):,} different values are a {kind.word}, not {example!r}"
            return TypedValues(ColumnType.STRING, texts, why, is_doubtful=True)
    return TypedValues(ColumnType.STRING, texts)
