"""Visits to machines, facts of every sort: stored and laid out night by night, asked for, and compared."""

from datetime import UTC, date, datetime, timedelta

import pyarrow as pa

from nightjar.asof import Clocks, Latest, Windowed
from nightjar.joins.join import as_of_join
from nightjar.joins.stored_facts import StoredFacts
from nightjar.settings.files import File
from nightjar.settings.sources import Column as RawColumn
from nightjar.settings.sources import ColumnType, Layout, Source
from nightjar.sources import layouts
from nightjar.sources.storing import Night
from nightjar.tables import sink
from nightjar.tables.rows import of_frame
from nightjar.tables.source_definitions import source_table
from nightjar.tables.table import INSTANT
from oracles import asof as oracle

US = timedelta(microseconds=1)
SECOND = 1_000_000
NIGHTS = [date(2024, 4, 1), date(2024, 4, 2), date(2024, 4, 3)]
STORED = pa.schema({"world": pa.int64(), "id": pa.int64(), "m": pa.string(), "n": pa.int32(), "x": pa.float64()})
VISITS = source_table("visits", ["world", "id"], STORED)
KEYS = {"world": "world", "machine": "m", "n": "n"}
LAYOUT = ("world", "m", "n")
SOURCE = Source(
    File("visits.csv"),
    columns={name: RawColumn(ColumnType.STRING) for name in STORED.names} | {"at": RawColumn(ColumnType.TIMESTAMP)},
    key=["world", "id"],
    event_time="at",
    keep=STORED.names,
    layouts={"by_machine": Layout(list(LAYOUT), buckets=3)},
)
ASKED = (
    Latest("x", lookback=4 * US),
    Latest("x", skip_nulls=True, name="filled"),
    Windowed("x", "mean", 3 * US),
    Windowed("x", "max", 5 * US),
    Windowed("x", "count", 6 * US),
)
SPINE = pa.schema({"row": pa.int64(), "world": pa.int32(), "machine": pa.string(), "n": pa.int64(), "t": INSTANT})


def instants(**of):
    """Microseconds since 1970 of instants in UTC; Python's own end with the year 9999."""
    return {
        name: (datetime.fromisoformat(f"{text}Z") - datetime(1970, 1, 1, tzinfo=UTC)) // US for name, text in of.items()
    }


def visit(world, number, machine, n, event, known_at, x, night=0):
    """One version of a fact; clocks in microseconds."""
    return {
        "event_time": event, "known_at": known_at, "stated_known_at": known_at, "world": world, "id": number,
        "m": machine, "n": n, "x": x, "intake": "visits.csv", "ingested_on": NIGHTS[night], "run_id": "run",
    }  # fmt: skip


def facts_of(rows):
    return _table(rows, VISITS.schema())


def spine_of(rows):
    """Rows (world, machine, n, prediction time in microseconds), numbered."""
    return _table([dict(zip(SPINE.names, (number, *row), strict=True)) for number, row in enumerate(rows)], SPINE)


def _table(rows, schema):
    """Instants from microseconds, of any year."""
    columns = {}
    for field in schema:
        values = [row[field.name] for row in rows]
        is_instant = field.type == INSTANT
        columns[field.name] = pa.array(values, pa.int64() if is_instant else field.type).cast(field.type)
    return pa.table(columns)


def stored(spark, warehouse, rows):
    """The facts as three nights store them, laid out night by night; the table's version."""
    version = None
    for night in NIGHTS:
        into = sink.target(warehouse, VISITS)
        table = facts_of([row for row in rows if row["ingested_on"] == night])
        before, version = version, sink.commit(warehouse, into, sink.write(table, into), lambda _: False, "run")
        run = Night(night, datetime(2024, 4, 1, tzinfo=UTC), None, "run")
        layouts.store(spark, warehouse, SOURCE, VISITS, run, before, version)
    return version


def facts_over(version, name="v", keys=KEYS, features=ASKED, **options):
    layout = LAYOUT if keys == KEYS else None
    return StoredFacts(name, "source_visits", version, keys, ("world", "id"), features, layout=layout, **options)


def expected_of(spine, rows, *facts):
    """What the oracle gives."""
    return by_row(oracle.join(spine, [one.to_facts(facts_of(rows)) for one in facts], prediction_time="t"))


def joined(rows, warehouse, *facts, placement):
    placements = {one.name: placement for one in facts}
    return by_row(as_of_join(rows, warehouse, facts, Clocks("t"), placements=placements).frame().toArrow())


def frame_of(spark, spine, partitions):
    return of_frame(spark.createDataFrame(spine).repartition(partitions))


def by_row(table):
    """Rows in the order of their numbers, as texts: there NaN is NaN. Floats to 13 digits; instants in microseconds."""
    columns = [column.cast(pa.int64()) if pa.types.is_timestamp(column.type) else column for column in table.columns]
    rows = pa.table(columns, table.column_names).sort_by("row").to_pylist()
    return [" ".join(f"{name}={_text(value)}" for name, value in row.items()) for row in rows]


def _text(value):
    return f"{value + 0.0:.13g}" if isinstance(value, float) else repr(value)
