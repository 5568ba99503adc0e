"""Identifiers row by row: each value's text, preceded by its length, into one hash."""

import hashlib
from datetime import datetime

import pyarrow as pa


def prediction_ids(project: str, keys: pa.Table) -> list[str]:
    columns = [(field, keys[field.name].to_pylist()) for field in keys.schema]
    return [
        hashlib.sha256(
            part(project)
            + b"".join(
                part(field.name) + part(type_name(field.type)) + part(text(values[row])) for field, values in columns
            )
        ).hexdigest()
        for row in range(len(keys))
    ]


def part(value: str) -> bytes:
    encoded = value.encode()
    return len(encoded).to_bytes(8, "big") + encoded


def type_name(kind: pa.DataType) -> str:
    return "timestamp" if pa.types.is_timestamp(kind) else str(kind)


def text(value: object) -> str:
    return value.isoformat(timespec="microseconds") if isinstance(value, datetime) else repr(value)
