"""Instants of a DataFrame moved by durations, whose days are those of the project's zone."""

from typing import Any

import pyarrow as pa
from pyspark.sql import Column
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql.pandas.functions import arrow_udf
from pyspark.sql.types import TimestampType

from nightjar.durations import Duration
from nightjar.timeline import shift


def shifted(instants: Column, by: Duration, zone: str) -> Column:
    """Instants moved forward by a duration; null where they are. Spark's own sums know nothing of a zone's clocks."""
    if not by.days:
        return instants + F.lit(by.exact)

    # Spark reads these hints, which it knows without the type of the values.
    def moved(column: pa.Array) -> pa.Array:  # type: ignore[type-arg]
        micros: Any = column.cast(pa.int64())
        values = shift(micros.fill_null(0).to_numpy(), by, zone)
        return pa.array(values, mask=column.is_null().to_numpy(zero_copy_only=False)).cast(column.type)

    move: Any = arrow_udf
    moved_instants: Column = move(moved, TimestampType())(instants)
    return moved_instants
