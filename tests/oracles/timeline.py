"""An instant moved by a duration as its definition reads: by Arrow's clock of the zone, or exactly."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from nightjar.durations import duration_of

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def micros_after(micros, length, zone):
    return _moved(micros, length, zone, 1)


def micros_before(micros, length, zone):
    return _moved(micros, length, zone, -1)


def after(instant, length, zone):
    return EPOCH + micros_after((instant - EPOCH) // MICROSECOND, length, zone) * MICROSECOND


def before(instant, length, zone):
    return EPOCH + micros_before((instant - EPOCH) // MICROSECOND, length, zone) * MICROSECOND


def _moved(micros, length, zone, sign):
    duration = duration_of(length)
    if not duration.days:
        return micros + sign * (duration.exact // MICROSECOND)
    local = pc.local_timestamp(pa.scalar(micros).cast(pa.timestamp("us", tz=zone))).cast(pa.int64()).as_py()
    shown = pa.scalar(local + sign * duration.days * 86_400_000_000).cast(pa.timestamp("us"))
    return pc.assume_timezone(shown, zone, ambiguous="earliest", nonexistent="latest").cast(pa.int64()).as_py()
