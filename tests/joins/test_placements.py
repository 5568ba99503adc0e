"""Every placement gives what the oracle gives: late, corrected and moved facts, ties, nulls, any partitioning."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from nightjar.asof import Latest, Windowed
from nightjar.joins import slices
from nightjar.joins.join import as_of_join
from nightjar.joins.stored import StoredFacts
from nightjar.settings.environment import Placement
from nightjar.settings.sources import Column as RawColumn
from nightjar.settings.sources import ColumnType, File, Layout, Source
from nightjar.sources import layouts
from nightjar.sources.storing import Night
from nightjar.tables import scan, sink
from nightjar.tables.definitions import source_table
from nightjar.tables.partition import read_by_tasks
from nightjar.tables.rows import of_frame
from nightjar.tables.warehouse import Warehouse
from oracles import asof as oracle

INSTANT = pa.timestamp("us", tz="UTC")
START = datetime(2024, 4, 1, tzinfo=UTC)
WORLDS = 30
NIGHTS = [date(2024, 4, 1), date(2024, 4, 2), date(2024, 4, 3)]
STORED = pa.schema({"world": pa.int64(), "id": pa.int64(), "m": pa.string(), "n": pa.int32(), "x": pa.float64()})
VISITS = source_table("visits", ["world", "id"], STORED)
KEYS = {"world": "world", "machine": "m", "n": "n"}
SOURCE = Source(
    File("visits.csv"),
    {name: RawColumn(ColumnType.STRING) for name in STORED.names} | {"at": RawColumn(ColumnType.TIMESTAMP)},
    key=["world", "id"],
    event_time="at",
    keep=STORED.names,
    layouts={"by_machine": Layout(["world", "m", "n"], buckets=3)},
)
ASKED = (
    Latest("x", lookback=timedelta(microseconds=4)),
    Latest("x", skip_nulls=True, name="filled"),
    Windowed("x", "mean", timedelta(microseconds=3)),
    Windowed("x", "count", timedelta(microseconds=6)),
)

moments = st.integers(0, 9).map(lambda step: START + timedelta(microseconds=step))
machines = st.sampled_from(["a", "a|", "|a", None])
numbers = st.sampled_from([None, 1.0, -2.5, 1e15, 0.1])
fact = st.tuples(
    st.integers(0, WORLDS - 1), st.integers(0, 3), machines, st.integers(1, 2), moments, moments, numbers,
    st.integers(0, 2),
)  # fmt: skip
question = st.tuples(st.integers(0, WORLDS), machines, st.integers(1, 2), moments)


def facts_of(drawn):
    """Versions, one for each world, id and known_at; what a later night stores became known later."""
    versions = {}
    for world, number, m, n, event, known, x, night in drawn:
        known_at = known + timedelta(microseconds=20 * night)
        versions[world, number, known_at] = {
            "event_time": event + timedelta(microseconds=7 * night), "known_at": known_at, "stated_known_at": known_at,
            "world": world, "id": number, "m": m, "n": n, "x": x, "ingested_on": NIGHTS[night], "run_id": "run",
        }  # fmt: skip
    return list(versions.values())


def spine_of(drawn):
    rows = [
        {"row": row, "world": world, "machine": m, "n": n, "t": at + timedelta(microseconds=17 * (row % 4))}
        for row, (world, m, n, at) in enumerate(drawn)
    ]
    schema = {"row": pa.int64(), "world": pa.int32(), "machine": pa.string(), "n": pa.int64(), "t": INSTANT}
    return pa.Table.from_pylist(rows, pa.schema(schema))


def stored(spark, warehouse, rows):
    """The facts as three nights store them, laid out night by night; the table's version."""
    version = None
    for night in NIGHTS:
        into = sink.target(warehouse, VISITS)
        table = pa.Table.from_pylist([row for row in rows if row["ingested_on"] == night], into.schema)
        before, version = version, sink.commit(warehouse, into, sink.write(table, into), lambda _: False, "run")
        layouts.store(spark, warehouse, SOURCE, VISITS, Night(night, START, None, "run"), before, version)
    return version


def expected_of(spine, rows, asked):
    """The oracle, world by world: facts of different worlds have nothing to do with each other."""
    table = pa.Table.from_pylist(rows, VISITS.schema())
    parts = []
    for world in range(WORLDS + 1):
        here = spine.filter(pc.equal(spine["world"], world))
        facts = asked.asked(table.filter(pc.equal(table["world"], world)))
        parts.append(oracle.join(here, [facts], prediction_time="t"))
    return pa.concat_tables(parts)


def by_row(table):
    return sorted((tuple(row.values()) for row in table.to_pylist()), key=repr)


def asked_of(version, **options):
    return StoredFacts(
        "v", "source_visits", version, KEYS, ("world", "id"), ASKED, layout=("world", "m", "n"), **options
    )


def joined(spine, warehouse, asked, placement, partitions=2):
    return joined_rows(of_frame(spine.repartition(partitions)), warehouse, asked, placement)


def joined_rows(spine, warehouse, asked, placement):
    return by_row(as_of_join(spine, warehouse, [asked], prediction_time="t", told={"v": placement}).frame().toArrow())


def in_files(spark, spine, folder):
    """The spine in two Parquet files, which tasks read themselves."""
    pq.write_table(spine.slice(0, 40), folder / "0.parquet")
    pq.write_table(spine.slice(40), folder / "1.parquet")
    return read_by_tasks(spark, scan.parquet_files(str(folder)), spine.column_names)


# Each example is thirty small worlds in a handful of Spark jobs; shrinking would take an hour.
@settings(
    max_examples=3,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(st.lists(fact, min_size=150, max_size=250), st.lists(question, min_size=80, max_size=120))
def test_every_placement_gives_what_the_oracle_gives(spark, tmp_path_factory, drawn, questions):
    """Facts are laid out night by night; the spine comes in 1, 64 or 3 partitions, or in files."""
    warehouse = Warehouse(str(tmp_path_factory.mktemp("placed")), "machines")
    rows, spine = facts_of(drawn), spine_of(questions)
    asked = asked_of(stored(spark, warehouse, rows))
    expected = by_row(expected_of(spine, rows, asked))
    for placement, partitions in zip(Placement, (1, 64, 3), strict=True):
        assert joined(spark.createDataFrame(spine), warehouse, asked, placement, partitions) == expected, placement
    files = in_files(spark, spine, tmp_path_factory.mktemp("spine"))
    assert joined_rows(files, warehouse, asked, Placement.CO_BUCKETED) == expected


@pytest.fixture(scope="module")
def drawn():
    """Facts and a spine of which one machine of one world holds half."""
    random = Random(7)  # noqa: S311  (data, not secrets)

    def entity():
        return (0, "a") if random.random() < 0.5 else (random.randrange(WORLDS), random.choice(["a", "a|", "|a"]))

    def at():
        return START + timedelta(microseconds=random.randrange(10))

    facts = []
    for _ in range(300):
        world, machine = entity()
        x = random.randrange(99) / 4
        facts.append((world, random.randrange(90), machine, 1, at(), at(), x, random.randrange(3)))
    return facts_of(facts), spine_of([(*entity(), 1, at()) for _ in range(150)])


@pytest.fixture(scope="module")
def placed(spark, tmp_path_factory, drawn):
    warehouse = Warehouse(str(tmp_path_factory.mktemp("placed")), "machines")
    return warehouse, stored(spark, warehouse, drawn[0])


def test_facts_older_than_their_history_give_neither_features_nor_clocks(spark, placed, drawn):
    warehouse, version = placed
    rows, spine = drawn
    history = timedelta(microseconds=8)
    asked = asked_of(version, history=history)
    expected = expected_of(spine, rows, asked).to_pylist()
    for row in expected:
        if row["v__event_time"] is not None and row["t"] - row["v__event_time"] > history:
            row |= {"v__event_time": None, "v__known_at": None}
    expected = sorted((tuple(row.values()) for row in expected), key=repr)
    assert any(row[-1] is None for row in expected)
    for placement in Placement:
        assert joined(spark.createDataFrame(spine), warehouse, asked, placement) == expected, placement


def test_files_of_facts_older_than_their_history_are_not_read(spark, warehouse):
    """The files of the first night are gone, and nobody misses them."""
    days = {night: START + timedelta(days=10 * number) for number, night in enumerate(NIGHTS)}
    facts = [
        {"event_time": at, "known_at": at, "stated_known_at": at, "world": 1, "id": number, "m": "a", "n": 1,
         "x": float(number), "ingested_on": night, "run_id": "run"}
        for number, (night, at) in enumerate(days.items())
    ]  # fmt: skip
    asked = asked_of(stored(spark, warehouse, facts), history=timedelta(days=15))
    files = scan.snapshot(warehouse, "source_visits__by_world_m_n").files
    (old,) = [file for file in files if file.greatest["event_time"] < START + timedelta(days=1)]
    (Path(warehouse.path("source_visits__by_world_m_n")) / old.path).unlink()
    row = {"row": 1, "world": 1, "machine": "a", "n": 1, "t": START + timedelta(days=21)}
    spine = spark.createDataFrame(pa.Table.from_pylist([row], spine_of([]).schema))
    expected = expected_of(pa.Table.from_pylist([row], spine_of([]).schema), facts, asked)
    assert joined(spine, warehouse, asked, Placement.CO_BUCKETED) == by_row(expected)


@pytest.mark.parametrize("history", [None, timedelta(microseconds=8)], ids=["carried", "history"])
def test_a_heavy_bucket_is_cut_into_slices_of_prediction_time(spark, placed, drawn, monkeypatch, tmp_path, history):
    """One world holds half of everything: its bucket is shared by several tasks, and no row knows."""
    warehouse, version = placed
    _, spine = drawn
    monkeypatch.setattr(slices, "WORTH_A_TASK", 20)
    asked = asked_of(version, history=history)
    told = {"v": Placement.CO_BUCKETED}
    cut = as_of_join(of_frame(spark.createDataFrame(spine)), warehouse, [asked], prediction_time="t", told=told)
    assert cut.given.select("number").distinct().count() > 3
    expected = joined(spark.createDataFrame(spine), warehouse, asked, Placement.SHUFFLE)
    assert by_row(cut.frame().toArrow()) == expected
    assert joined_rows(in_files(spark, spine, tmp_path), warehouse, asked, Placement.CO_BUCKETED) == expected
