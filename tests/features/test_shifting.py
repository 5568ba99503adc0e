"""Instants moved by days in Spark: as `timeline.shift` moves them (whose oracle is Arrow's), around every change."""

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
from pyspark.sql import functions as F  # noqa: N812

from nightjar.durations import parse_duration
from nightjar.features.shifting import shifted
from nightjar.timeline import Clock, clock_of, moment, shift

YEARS = {
    "America/New_York": (2023, 2026),
    "Australia/Lord_Howe": (2024, 2026),
    "America/Havana": (2024, 2026),
    "Atlantic/Azores": (2024, 2026),
    "America/Santiago": (2024, 2026),
    "America/St_Johns": (2006, 2008),
    "Pacific/Apia": (2011, 2013),
    "UTC": (2024, 2025),
}
"""Zone -> from the beginning of which year to that of which other one instants are moved."""
TEXTS = ("1d", "30d", "40w", "24h")


def around(zone, since, until, days):
    """Instants of all sorts, many of them near a change or so many days before one."""
    chance = np.random.default_rng(days)
    clock: Clock = clock_of(zone, np.array([until]), 400)
    changes = np.concatenate([clock.changes, shift(clock.changes, parse_duration(f"{days}d"), zone, back=True)])
    near = changes[(changes > since) & (changes < until)]
    steps = np.array([-3_600_000_000, -1_800_000_000, -1, 0, 1, 1_800_000_000, 3_599_999_999, 3_600_000_000])
    moments = np.concatenate([chance.integers(since, until, 300), (near[:, None] + steps).ravel(), [since, until]])
    return np.clip(moments, since, until)


def test_spark_moves_instants_as_all_others_are_moved(spark):
    for zone, years in YEARS.items():
        first, last = (datetime(year, 1, 1, tzinfo=UTC) for year in years)
        moments = np.concatenate([around(zone, moment(first), moment(last), days) for days in (0, 1, 30, 280)])
        frame = spark.createDataFrame(pa.table({"at": pa.array(moments, pa.timestamp("us", "UTC"))}))
        moved = {text: shifted(F.col("at"), parse_duration(text), zone, first, last) for text in TEXTS}
        rows = frame.select("at", *(F.unix_micros(column).alias(text) for text, column in moved.items())).toArrow()
        stood = np.asarray(rows["at"].cast(pa.int64()))
        for text in TEXTS:
            wrong = np.flatnonzero(np.asarray(rows[text]) != shift(stood, parse_duration(text), zone))
            assert [(zone, text, str(rows["at"][int(place)])) for place in wrong] == []


def test_null_stays_null(spark):
    first, last = datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 12, 31, tzinfo=UTC)
    nothing = F.lit(None).cast("timestamp")
    row = spark.range(1).select(shifted(nothing, parse_duration("1d"), "America/New_York", first, last)).first()
    assert row[0] is None
