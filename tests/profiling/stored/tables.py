"""Tables of sources with facts of a test's own, as ingest stores them."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa

from nightjar.tables import sink
from nightjar.tables.source_definitions import source_table
from nightjar.tables.table import INSTANT

NOON = datetime(2024, 3, 1, 12, tzinfo=UTC)


def day(number):
    """A date so many days after the first of March."""
    return (NOON + timedelta(days=number)).date()


def store(warehouse, columns, source="readings", run="of-a-test"):
    """Store a night's facts of a source, whose key is `id`, in one file: column -> (type, values).

    `event_time` is a list of instants, and by default the facts are known then, and stored two days later.
    """
    times = columns.pop("event_time")
    schema = pa.schema({"id": pa.int64()} | {name: kind for name, (kind, _) in columns.items()})
    table = source_table(source, ["id"], schema)
    last = max(times).date()
    known = {"event_time": times, "known_at": times, "stated_known_at": times}
    rest = {"intake": "x", "ingested_on": last + timedelta(days=2), "run_id": run}
    rows = pa.table(
        {name: pa.array(values, INSTANT) for name, values in known.items()}
        | {"id": pa.array(range(len(times)))}
        | {name: pa.array(values, kind) for name, (kind, values) in columns.items()}
        | {one.name: pa.array([rest[one.name]] * len(times), one.type) for one in table.columns[-3:]}
    )
    into = sink.target(warehouse, table, run_id=run)
    return sink.commit(warehouse, into, sink.write(rows, into), lambda _: False, run)


def hours(number):
    """An instant every hour."""
    return [NOON + timedelta(hours=hour) for hour in range(number)]
