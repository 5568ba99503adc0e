"""`prediction_id`: an identifier of a prediction, the same whenever and wherever it is computed."""

import hashlib
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from nightjar.scoring.key_texts import of_one_length, texts

ROWS_AT_ONCE = 50_000
"""Rows whose messages are in memory at once."""
COMPILED = 200_000
"""Rows from which on hashing them side by side pays for loading what is compiled."""
DIGITS = 64
"""Of an identifier."""


def prediction_ids(project: str, keys: pa.Table) -> list[str]:
    """SHA-256 of the project and of each key's name, type and value, every part preceded by its length.

    The lengths keep (1, 11) apart from (11, 1), the types keep 1 apart from "1".

    Args:
        project: name of the project.
        keys: the key columns of the rows, prediction time among them.

    Example:
        >>> one, other = pa.table({"a": [1], "b": [11]}), pa.table({"a": [11], "b": [1]})
        >>> prediction_ids("machines", one) == prediction_ids("machines", other)
        False
        >>> len(prediction_ids("machines", one)[0])
        64
    """
    ids: list[Any] = id_column(project, keys).to_pylist()
    return ids


def id_column(project: str, keys: pa.Table) -> pa.StringArray:
    """The same as an Arrow array: of millions of rows in a fraction of the time."""
    starts = range(0, len(keys), ROWS_AT_ONCE)
    messages = (_messages(project, keys.slice(start, ROWS_AT_ONCE)) for start in starts)
    digest = _digests if len(keys) < COMPILED else _digests_side_by_side
    digits = np.concatenate([np.empty((0, DIGITS), np.uint8), *map(digest, messages)])
    column: pa.StringArray = of_one_length(pa.string(), digits)
    return column


def _messages(project: str, keys: pa.Table) -> pa.BinaryArray:
    """What is hashed of each row."""
    head = _part(project)
    parts: list[Any] = []
    for name, column in zip(keys.column_names, keys.columns, strict=True):
        head += _part(name) + _part(_type_name(column.type))
        value = texts(column)
        parts += [pa.scalar(head, pa.binary()), _lengths(value), value]
        head = b""
    if not parts:
        return pa.array([head] * len(keys), pa.binary())
    joined: pa.BinaryArray = pc.binary_join_element_wise(*parts, pa.scalar(b"", pa.binary()))
    return joined


def _lengths(value: pa.BinaryArray) -> pa.BinaryArray:
    """The length of each value in eight bytes, the highest first."""
    lengths: pa.BinaryArray = of_one_length(
        pa.binary(), pc.binary_length(value).to_numpy().astype(">u8")[:, np.newaxis]
    )
    return lengths


def _digests(messages: pa.BinaryArray) -> npt.NDArray[np.uint8]:
    """The SHA-256 of each message in hexadecimal digits, (messages, 64)."""
    every = [hashlib.sha256(message, usedforsecurity=False).hexdigest() for message in _contents(messages)]
    return np.frombuffer("".join(every).encode(), np.uint8).reshape(-1, DIGITS)


def _contents(messages: pa.BinaryArray) -> npt.NDArray[np.object_]:
    return messages.to_numpy(zero_copy_only=False)


def _digests_side_by_side(messages: pa.BinaryArray) -> npt.NDArray[np.uint8]:
    from nightjar.compiled.hashing import hash_messages  # noqa: PLC0415  (loading Numba takes half a second)

    content: Any = messages
    _, ends, data = content.buffers()
    places = np.frombuffer(ends, np.int32)[messages.offset : messages.offset + len(messages) + 1]
    digests = np.empty((len(messages), DIGITS), np.uint8)
    hash_messages(np.frombuffer(data, np.uint8), places.astype(np.int64), digests)
    return digests


def _part(text: str) -> bytes:
    encoded = text.encode()
    return len(encoded).to_bytes(8, "big") + encoded


def _type_name(kind: pa.DataType) -> str:
    """The name of a type in an identifier; the same for timestamps of every unit."""
    return "timestamp" if pa.types.is_timestamp(kind) else str(kind)
