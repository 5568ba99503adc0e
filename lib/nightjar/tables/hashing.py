"""Spark's `xxhash64` of whole columns, so that buckets are computed without converting to rows.

XXH64 is Yann Collet's hash (its specification, version 0.1.1, names the constants and steps). Spark starts with the
seed 42, takes the hash of a row's earlier columns as the seed of the next one, and skips nulls.
"""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import types

ArrowArray: TypeAlias = "pa.Array[Any]"
Words: TypeAlias = npt.NDArray[np.uint64]
Ints: TypeAlias = npt.NDArray[np.int64]

SEED = 42
STRIPE = 32  # bytes, hashed in four lanes
_1, _2, _3, _4, _5 = (
    np.uint64(prime)
    for prime in (
        0x9E3779B185EBCA87,
        0xC2B2AE3D27D4EB4F,
        0x165667B19E3779F9,
        0x85EBCA77C2B2AE63,
        0x27D4EB2F165667C5,
    )
)


def buckets_of(columns: Sequence[ArrowArray], buckets: int) -> Ints:
    """The bucket of each row by its keys; 0 where one of them is null, as such a row matches nothing.

    Args:
        columns: the keys, in the order and of the types of the layout.
        buckets: the number of buckets.
    """
    numbers = np.mod(xxhash64(columns).view(np.int64), buckets)
    for column in columns:
        if column.null_count:
            numbers[column.is_null().to_numpy(zero_copy_only=False)] = 0
    return numbers


def xxhash64(columns: Sequence[ArrowArray]) -> Words:
    """Spark's `xxhash64` of each row of some columns, as unsigned integers."""
    hashes: Words = np.full(len(columns[0]), SEED, np.uint64)
    for column in columns:
        here = _hash_values(column, hashes)
        hashes = np.where(column.is_valid().to_numpy(zero_copy_only=False), here, hashes) if column.null_count else here
    return hashes


def is_hashable(kind: pa.DataType) -> bool:
    """Whether values of a type can be hashed: all types that Spark's tables can have, except nested ones."""
    is_bytes = (
        types.is_string(kind) or types.is_large_string(kind) or types.is_binary(kind) or types.is_large_binary(kind)
    )
    is_number = types.is_signed_integer(kind) or types.is_float32(kind) or types.is_float64(kind)
    is_instant = isinstance(kind, pa.TimestampType) and kind.unit == "us"
    return is_bytes or is_number or is_instant or types.is_boolean(kind) or types.is_date32(kind)


def _hash_values(column: ArrowArray, seeds: Words) -> Words:
    """The hash of each value; undefined for null."""
    kind = column.type
    if types.is_null(kind):
        return seeds
    if isinstance(kind, pa.Decimal128Type):
        return _of_decimals(column, kind, seeds)
    if types.is_string(kind) or types.is_large_string(kind) or types.is_binary(kind) or types.is_large_binary(kind):
        return _of_bytes(column.cast(pa.large_binary()), seeds)
    if types.is_float32(kind) or types.is_float64(kind):
        values = column.fill_null(0.0).to_numpy() + 0.0  # -0.0 is 0.0
        values[np.isnan(values)] = np.nan
        return _of_ints(values.view(f"u{values.itemsize}"), seeds)
    if types.is_timestamp(kind):
        column = column.cast(pa.timestamp("us", kind.tz)).cast(pa.int64())
    elif types.is_date32(kind):
        column = column.cast(pa.int32())
    small = not types.is_int64(column.type)
    return _of_ints(column.cast(pa.int32() if small else pa.int64()).fill_null(0).to_numpy(), seeds)


def _of_ints(values: npt.NDArray[Any], seeds: Words) -> Words:
    """The hash of integers of 4 or 8 bytes."""
    size = values.itemsize
    words = values.view(f"u{size}").astype(np.uint64)
    start = seeds + (_5 + np.uint64(size))
    return _avalanche(_with_word(start, words) if size == 8 else _with_half(start, words))


def _of_decimals(column: ArrowArray, kind: pa.Decimal128Type, seeds: Words) -> Words:
    """The hash of decimals: of the unscaled number up to 18 digits, beyond of its shortest big-endian bytes."""
    unscaled = _values(column.buffers()[1], np.int64).reshape(-1, 2)[column.offset :][: len(column)]
    if kind.precision <= 18:
        return _of_ints(np.ascontiguousarray(unscaled[:, 0]), seeds)
    content = np.ascontiguousarray(unscaled[:, ::-1]).astype(">i8").view(np.uint8).reshape(-1, 16)
    is_sign = content == np.where(unscaled[:, 1:] < 0, 0xFF, 0)
    first = np.where(is_sign.all(axis=1), 15, np.argmin(is_sign, axis=1))  # the first byte that is not only sign
    at_first = content[np.arange(len(content)), first]
    starts = first - ((at_first >= 128) != (unscaled[:, 1] < 0))  # one byte more if its first bit is not the sign
    return _by_length(content.ravel(), np.arange(len(content)) * 16 + starts, 16 - starts, seeds)


def _of_bytes(column: ArrowArray, seeds: Words) -> Words:
    """The hash of texts and bytes."""
    _, offsets, content = column.buffers()
    ends = _values(offsets, np.int64)[column.offset :][: len(column) + 1]
    return _by_length(_values(content, np.uint8), ends[:-1], np.diff(ends), seeds)


def _by_length(content: npt.NDArray[np.uint8], starts: Ints, lengths: Ints, seeds: Words) -> Words:
    """The hash of texts that begin at some bytes, computed together for all of one length."""
    hashes = np.empty_like(seeds)
    for length in np.unique(lengths).tolist():
        rows = np.flatnonzero(lengths == length)
        hashes[rows] = _of_length(content[starts[rows][:, None] + np.arange(length)], seeds[rows])
    return hashes


def _of_length(texts: npt.NDArray[np.uint8], seeds: Words) -> Words:
    """The hash of rows of bytes, all of one length."""
    length, done = texts.shape[1], 0
    hashes = seeds + _5
    if length >= STRIPE:
        done = length // STRIPE * STRIPE
        hashes = _of_stripes(_words(texts[:, :done], 8), seeds)
    hashes = hashes + np.uint64(length)
    for word in _words(texts[:, done : length // 8 * 8], 8).T:
        hashes = _with_word(hashes, word)
    done = length // 8 * 8
    if length - done >= 4:
        hashes = _with_half(hashes, _words(texts[:, done : done + 4], 4)[:, 0])
        done += 4
    for byte in texts[:, done:].T:
        hashes = _rotate(hashes ^ byte.astype(np.uint64) * _5, 11) * _1
    return _avalanche(hashes)


def _of_stripes(words: Words, seeds: Words) -> Words:
    lanes = [seeds + _1 + _2, seeds + _2, seeds.copy(), seeds - _1]
    for place, word in enumerate(words.T):
        lanes[place % 4] = _rotate(lanes[place % 4] + word * _2, 31) * _1
    hashes = _rotate(lanes[0], 1) + _rotate(lanes[1], 7) + _rotate(lanes[2], 12) + _rotate(lanes[3], 18)
    for lane in lanes:
        hashes = (hashes ^ _rotate(lane * _2, 31) * _1) * _1 + _4
    return hashes


def _words(texts: npt.NDArray[np.uint8], size: int) -> Words:
    """Little-endian integers of some bytes each."""
    return np.ascontiguousarray(texts).view(f"<u{size}").astype(np.uint64)


def _with_word(hashes: Words, words: Words) -> Words:
    return _rotate(hashes ^ _rotate(words * _2, 31) * _1, 27) * _1 + _4


def _with_half(hashes: Words, words: Words) -> Words:
    return _rotate(hashes ^ words * _1, 23) * _2 + _3


def _values(buffer: pa.Buffer | None, kind: type[np.integer[Any]]) -> npt.NDArray[Any]:
    return np.frombuffer(memoryview(buffer) if buffer is not None else b"", kind)


def _rotate(words: Words, bits: int) -> Words:
    return (words << np.uint64(bits)) | (words >> np.uint64(64 - bits))


def _avalanche(hashes: Words) -> Words:
    hashes = (hashes ^ hashes >> np.uint64(33)) * _2
    hashes = (hashes ^ hashes >> np.uint64(29)) * _3
    return hashes ^ hashes >> np.uint64(32)
