"""`prediction_id`: an identifier of a prediction, the same whenever and wherever it is computed."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa


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
    start = hashlib.sha256(_part(project))
    heads = [_part(field.name) + _part(_type_name(field.type)) for field in keys.schema]
    columns: Sequence[list[Any]] = [column.to_pylist() for column in keys.columns]
    ids = []
    for values in zip(*columns, strict=True):
        digest = start.copy()
        for head, value in zip(heads, values, strict=True):
            digest.update(head + _part(_text(value)))
        ids.append(digest.hexdigest())
    return ids


def _part(text: str) -> bytes:
    encoded = text.encode()
    return len(encoded).to_bytes(8, "big") + encoded


def _type_name(kind: pa.DataType) -> str:
    """The name of a type in an identifier; the same for timestamps of every unit."""
    return "timestamp" if pa.types.is_timestamp(kind) else str(kind)


def _text(value: Any) -> str:
    return value.isoformat(timespec="microseconds") if isinstance(value, datetime) else repr(value)
